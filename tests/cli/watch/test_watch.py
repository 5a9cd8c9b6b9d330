"""`xpm status --watch` in a terminal: what its keys do, and what the screen shows."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.every_state import EveryState
from helpers.private_server import PrivateServer
from helpers.project_files import require
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import Desktop, Terminal, open_terminal
from helpers.waiting import wait_until

from xpm_cli.watch.raw_terminal import LEAVE
from xpm_cli.watch.screen import BEGIN
from xpm_core.labels import short
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = [pytest.mark.redis, pytest.mark.slow]

Watched = Callable[..., Terminal]

ESCAPE, DOWN, UP, PAGE_DOWN, END = "\x1b", "\x1b[B", "\x1bOA", "\x1b[6~", "\x1b[F"
CLEAR = "\x1b[2J"


def chosen(terminal: Terminal, words: str) -> str:
    """Wait until a line with these words is the chosen one; returns it."""

    def found() -> str:
        lines = terminal.chosen()
        return lines[0] if len(lines) == 1 and words in lines[0] else ""

    return wait_until(found, show=lambda: (terminal.chosen(), terminal.out))


def gone(terminal: Terminal, words: str) -> None:
    """Wait until these words are not on the screen."""
    wait_until(lambda: words not in terminal.out, show=lambda: terminal.out)


def state_of(lab: Lab, name: str) -> str:
    return Reader(lab.client, lab.workspace.id).jobs.states([lab.identity(name)])[lab.identity(name)][0].value


# -- looking -----------------------------------------------------------------------------------------------------------


def _timeless(line: str) -> str:
    """A line without what time changes between two looks: when all may have ended."""
    return re.sub(r"ETA .*?\)", "ETA", line)


def test_the_list_is_that_of_xpm_jobs_and_what_stands_above_that_of_xpm_status(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell, columns=110, lines=30)
    lines = terminal.shows("1-8 of 8")
    listed, status = scene.shell.run("jobs").stdout.splitlines(), scene.shell.run("status").stdout.splitlines()
    status, shown = [_timeless(line) for line in status], [_timeless(line) for line in lines]
    assert [line.split()[:3] for line in lines if line.split("  ")[0] in map(short, scene.ids.values())] == [
        line.split()[:3] for line in listed[1:9]
    ]
    for label in ("tokens", "workers", "progress"):
        assert next(line for line in status if line.startswith(label)) in shown
    assert any("needs 5d28a90, which failed" in line for line in lines)
    assert any(line.startswith("✗ ") and "ValueError: the learning rate is negative" in line for line in lines)
    assert lines[-1].split()[:2] == ["Enter", "job"]
    assert lines[0].startswith(f"jobs  {scene.shell.folder}")
    terminal.type("q")
    assert terminal.ends() == 0


def test_keys_lead_to_failures_workers_tokens_and_back(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell)
    terminal.type("w")
    assert any("node1-1  busy   c071cf5 Train name=" in line for line in terminal.shows("HEARD"))
    terminal.type("t")
    assert any(line.startswith("gpu    0 of 2  1: ") for line in terminal.shows("HELD BY"))
    terminal.type("f")
    lines = terminal.shows("1-1 of 1")
    assert any("xpm retry --failed" in line for line in lines)
    assert sum("ValueError (sweep.py:41)" in line for line in lines) == 1
    terminal.type("f")
    terminal.shows(" of 8")
    terminal.type("w" + ESCAPE)
    terminal.shows("of 8")
    gone(terminal, "HEARD")
    terminal.type("?")
    terminal.shows("these keys")
    terminal.type("?")
    terminal.shows(" of 8")
    terminal.type("wq")
    assert terminal.ends() == 0


def test_j_and_k_choose_and_the_list_scrolls(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell, lines=14)
    chosen(terminal, "failed")
    terminal.type("j" + DOWN)
    chosen(terminal, "running")
    terminal.type("k" + UP)
    chosen(terminal, "failed")
    terminal.type(END)
    chosen(terminal, "done")
    assert any(re.search(r"[2-9]-8 of 8", line) for line in terminal.lines())
    terminal.type("g")
    chosen(terminal, "failed")
    terminal.shows("1-")
    terminal.type("jjjjjjjjjjjjjjj")
    chosen(terminal, "done")
    terminal.type("kkkkkkkkkkkkkkkkkk" + PAGE_DOWN)
    wait_until(lambda: terminal.chosen() and "failed" not in terminal.chosen()[0], show=lambda: terminal.out)
    terminal.type("q")
    assert terminal.ends() == 0


def test_keys_that_are_typed_ahead_are_about_the_job_that_they_lead_to(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell, lines=12, shows="")
    terminal.type("jjjjjjj\r")
    terminal.shows("Train name=done   done   after")
    terminal.type(ESCAPE)
    chosen(terminal, "done")


def test_enter_shows_the_job_its_reason_and_its_log(shell: Shell, lab: Lab, watched: Watched) -> None:
    lab.start("long")
    lab.submit("after", "long")
    directory = lab.directory("long")
    directory.prepare(1)
    directory.out.write_text("".join(f"epoch {n}\n" for n in range(200)))
    terminal = watched(shell)
    terminal.type("\r")
    lines = terminal.shows("epoch 199")
    head = f"{short(lab.identity('long'))}     Train name=long   running   since"
    assert any(line.startswith(head) for line in lines)
    assert any(line.startswith("needed by   Train name=after") for line in lines)
    with directory.out.open("a") as file:
        file.write("\rstep 1\rstep 2\n")
    terminal.shows("step 2")
    assert "step 1" not in terminal.out
    terminal.type("\r")
    terminal.shows("epoch 190")
    with directory.out.open("a") as file:
        file.write("the last line\n")
    terminal.shows("the last line")  # it follows
    terminal.type("g")
    terminal.shows("epoch 5")
    with directory.out.open("a") as file:
        file.write("a later line\n")
    terminal.type("jjj")
    gone(terminal, "epoch 0")
    assert "a later line" not in terminal.out
    terminal.type("G")
    terminal.shows("a later line")
    terminal.type(ESCAPE + "k")
    terminal.shows("needed by")
    terminal.type(ESCAPE)
    terminal.shows("1-2 of 2")
    terminal.type("j\r")
    assert "why it does not run yet" in terminal.shows("facts read")


# -- what happens ------------------------------------------------------------------------------------------------------


def test_the_chosen_job_stays_chosen_when_the_list_changes(shell: Shell, lab: Lab, watched: Watched) -> None:
    for name in "abcd":
        lab.submit(name, queue="later")
    lease = lab.start("x")
    terminal = watched(shell)
    lines = terminal.shows("1-5 of 5")
    second = next(line for line in lines if short(lab.identity("b")) in line)
    terminal.type("j" * (lines.index(second) - lines.index(terminal.chosen()[0])))
    chosen(terminal, short(lab.identity("b")))
    lab.finish("x", lease, State.FAILED, ERROR)
    terminal.shows("ValueError (sweep.py:41)")
    lab.store.cancel(lab.identity("a"))
    terminal.shows("cancelled")
    chosen(terminal, short(lab.identity("b")))
    lab.submit("new", queue="later")
    terminal.shows("1-6 of 6")
    chosen(terminal, short(lab.identity("b")))
    lab.store.cancel(lab.identity("b"))
    chosen(terminal, f"{short(lab.identity('b'))}  cancelled")
    terminal.type("g")
    chosen(terminal, "failed")


def test_one_event_lets_only_lines_that_change_be_written(shell: Shell, lab: Lab, watched: Watched) -> None:
    lab.submit("a")
    lab.submit("b", queue="later")
    terminal = watched(shell)
    before = len(terminal.raw)
    lab.claim(lab.identity("a"))
    terminal.shows(f"{short(lab.identity('a'))}  running")
    frames = terminal.raw[before:].split(BEGIN.encode())[1:]
    (frame,) = [each for each in frames if b"running" in each and short(lab.identity("a")).encode() in each][:1]
    assert CLEAR.encode() not in terminal.raw[before:]
    assert len(re.findall(rb"\x1b\[\d+;1H", frame)) <= 12  # of 24 lines
    assert len(frame) < 1500


def test_jobs_that_come_meanwhile_are_listed_with_their_parameters(shell: Shell, lab: Lab, watched: Watched) -> None:
    lab.submit("a", params={"lr": 0.1})
    terminal = watched(shell)
    lab.submit("b", params={"lr": 0.2})
    terminal.shows("1-2 of 2")
    terminal.shows("  lr  ")
    terminal.type("/lr>0.15\r")
    terminal.shows("1-1 of 1")


# -- acting ------------------------------------------------------------------------------------------------------------


def test_cancel_asks_says_what_is_lost_and_does_what_is_answered(shell: Shell, lab: Lab, watched: Watched) -> None:
    lab.start("long")
    lab.submit("next")
    terminal = watched(shell)
    terminal.type("c")
    lines = terminal.shows("Cancel it?")
    assert "This would cancel a job that runs. What it has done so far is lost:" in lines[-3]
    assert f"{short(lab.identity('long'))}  Train name=long, started" in lines[-2]
    terminal.type("n")
    terminal.shows("Nothing was cancelled.")
    assert not Reader(lab.client, lab.workspace.id).jobs.read([lab.identity("long")])[0].cancel_asked
    terminal.type("c")
    terminal.shows("Cancel it?")
    terminal.type("y")
    terminal.shows("worker node1-1 was told to stop it.")
    terminal.type("jc")
    terminal.shows("This would cancel 1 job:")
    terminal.type("y")
    terminal.shows("Train name=next: cancelled.")
    assert state_of(lab, "next") == "cancelled"
    terminal.shows("1 cancelled")


def test_retry_asks_and_does_what_is_answered(shell: Shell, lab: Lab, watched: Watched) -> None:
    lab.end("bad", State.FAILED, ERROR)
    terminal = watched(shell)
    terminal.type("r")
    terminal.shows("Retry it?")
    terminal.type(ESCAPE)
    terminal.shows("Nothing was retried.")
    assert state_of(lab, "bad") == "failed"
    terminal.type("\rr")  # also where one job is shown
    terminal.shows("Retry it?")
    terminal.type("y")
    terminal.shows("Train name=bad: ready again.")
    assert state_of(lab, "bad") == "ready"


def test_what_would_do_nothing_is_said_without_a_question(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell)
    terminal.type("c")
    terminal.shows("it is failed already: nothing to cancel.")
    terminal.type("jjr")
    terminal.shows("it is running: it has not ended. Cancel it first:")
    assert "xpm cancel c071cf5" in terminal.out
    terminal.type("wc")
    terminal.shows("No job is chosen.")
    terminal.type("q")
    assert terminal.ends() == 0


# -- filters -----------------------------------------------------------------------------------------------------------


def test_a_filter_selects_and_a_bad_one_keeps_the_one_before(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell)
    terminal.type("/state=failed,blocked x\x7f\x7f")
    terminal.shows("/state=failed,blocked")
    assert "1-8 of 8" in terminal.out or "1-" in terminal.out  # nothing has changed yet
    terminal.type("\r")
    lines = terminal.shows("1-2 of 2")
    assert "filter      state=failed,blocked" in lines
    assert "jobs        1 failed   1 blocked   2 in all" in lines
    terminal.type("/stat=failed\r")
    lines = terminal.shows("no job has a field, tag")
    assert "filter      state=failed,blocked" in lines
    terminal.type("j")
    gone(terminal, "no job has a field")
    terminal.shows("1-2 of 2")
    terminal.type("/\r")
    terminal.shows(" of 8")
    terminal.type("/" + UP)
    terminal.shows("/stat=failed")
    terminal.type("\x15state=done\r")
    terminal.shows("1-1 of 1")
    terminal.type(ESCAPE)
    terminal.shows(" of 8")
    terminal.type("/name=nobody\r")
    assert "jobs        0 in all" in terminal.shows("no job matches name=nobody")
    terminal.type("\r/a" + ESCAPE)
    terminal.shows(" of 8")


def test_an_experiment_that_is_named_is_the_only_one(shell: Shell, lab: Lab, watched: Watched) -> None:
    lab.submit("a")
    lab.store.open_run("other", "run1", {"user": "alice"})
    lab.submit("b", experiment="other")
    lab.submit("c")
    terminal = watched(shell, "other")
    lines = terminal.shows("1-1 of 1")
    assert "jobs        1 ready   1 in all" in lines
    assert not any("sweep" in line for line in lines[1:])


# -- the terminal ------------------------------------------------------------------------------------------------------


def test_any_size_is_drawn(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell, columns=40, lines=10)
    assert all(len(line) <= 40 for line in terminal.lines())
    terminal.type("?")
    terminal.shows("j, k, arrows")
    terminal.type("?f\r" + "\r")
    terminal.shows("epoch 1")
    terminal.type(ESCAPE + ESCAPE)
    for columns, lines in ((20, 3), (5, 1), (1, 2)):
        terminal.resize(columns, lines)
        terminal.type("jkwtf?/" + ESCAPE)
    terminal.resize(100, 30)
    terminal.type(ESCAPE + ESCAPE + "?" if "these keys" in terminal.out else ESCAPE)
    terminal.type("q")
    assert terminal.ends() == 0


def test_another_size_draws_all_anew(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell)
    terminal.resize(100, 30)
    lines = terminal.shows("Enter job  c cancel  r retry  f failures")
    assert lines[-1].startswith("Enter job")
    assert "1-8 of 8" in lines[-2]
    terminal.type("q")
    assert terminal.ends() == 0


@pytest.mark.parametrize(
    ("ends", "code"), [("q", 0), ("\x03", 130), (signal.SIGTERM, 143)], ids=["q", "Ctrl-C", "TERM"]
)
def test_the_terminal_is_restored_at_the_end(
    scene: Scene, watched: Watched, ends: str | signal.Signals, code: int
) -> None:
    terminal = watched(scene.shell)
    terminal.type(ends) if isinstance(ends, str) else os.kill(terminal.pid, ends)
    assert terminal.ends() == code
    assert terminal.raw.rstrip().endswith(LEAVE.encode())


def test_a_fault_of_ours_is_shown_on_the_restored_terminal(scene: Scene, terminals: Desktop) -> None:
    broken = (
        "import sys\nfrom xpm_cli import main\nfrom xpm_cli.watch.pages import Pages\n"
        "def fail(*_): raise ZeroDivisionError('a fault')\n"
        "Pages.page = fail\nmain(['status', '--watch'])"
    )
    env = scene.shell.environment(XPM_WORKSPACE=str(scene.shell.folder), PYTHON_COLORS="0")
    terminal = terminals.terminal("-c", broken, env=env)
    assert terminal.ends() == 1
    shown, _, after = terminal.raw.partition(LEAVE.encode())
    assert b"ZeroDivisionError" not in shown
    assert b"ZeroDivisionError: a fault" in after


def test_ctrl_z_gives_the_terminal_back_until_fg(scene: Scene, tmp_path: Path) -> None:
    require(Path("/bin/bash").exists(), "bash")
    env = scene.shell.environment(XPM_WORKSPACE=str(scene.shell.folder), PS1="ready> ", HISTFILE="")
    terminal = open_terminal("/bin/bash", "--norc", "--noprofile", "-i", cwd=tmp_path, env=env)
    try:
        terminal.shows("ready>")
        terminal.type(f"{sys.executable} {PROGRAM} status --watch\n")
        terminal.shows("1-8 of 8")
        terminal.type("\x1a")
        wait_until(lambda: terminal.raw.count(LEAVE.encode()) == 1, show=lambda: terminal.raw[-500:])
        terminal.type("echo visi''ble\n")
        terminal.shows("visible")
        terminal.type("fg\n")
        chosen(terminal, "failed")
        gone(terminal, "visible")  # all is drawn anew
        terminal.type("j")
        chosen(terminal, "blocked")
        terminal.type("q")
        wait_until(lambda: terminal.raw.count(LEAVE.encode()) == 2, show=lambda: terminal.raw[-500:])
        terminal.type("exit\n")
        assert terminal.ends() == 0
    finally:
        terminal.kill()


def test_without_colours_and_glyphs_the_same_is_shown(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell, env={"PYTHONIOENCODING": "ascii", "NO_COLOR": "1"})
    terminal.type("f")
    terminal.shows("1-1 of 1")
    terminal.type("q")
    assert terminal.ends() == 0
    assert terminal.raw.isascii()
    assert set(re.findall(rb"\x1b\[[0-9;]*m", terminal.raw)) <= {b"\x1b[0m", b"\x1b[7m"}
    assert b"x 5d28a90" in terminal.raw


def test_a_dumb_terminal_is_refused(scene: Scene, watched: Watched) -> None:
    terminal = watched(scene.shell, shows="xpm events -f, or xpm status.", env={"TERM": "dumb"})
    assert terminal.ends() == 2


# -- outages -----------------------------------------------------------------------------------------------------------


def test_an_outage_is_named_and_the_picture_goes_on_afterwards(
    fresh_server: Callable[..., PrivateServer], workspace: Workspace, tmp_path: Path, watched: Watched
) -> None:
    server = fresh_server(aof=True)
    with server.client() as client:
        lab = EveryState(workspace, client).lab
        terminal = watched(Shell(workspace.path, server.url, tmp_path / "home"))
        before = [line for line in terminal.lines() if "running" in line]
        server.kill()
        lines = terminal.shows("Redis is out of reach since ")
        assert re.search(r"since \d\d:\d\d:\d\d: (no such file|connection refused)", lines[0])
        assert len([line for line in lines if "running" in line]) == len(before)  # the last picture stays
        terminal.type("c")
        terminal.shows("Redis at ")
        server.start()
        gone(terminal, "Redis is out of reach")
        lab.submit("new")
        terminal.shows("9 in all")
        terminal.type("j")
        terminal.shows("1-9 of 9")
        terminal.type("q")
        assert terminal.ends() == 0


def test_a_server_that_is_away_at_the_start_is_the_error_of_xpm_status(
    shell: Shell, workspace: Workspace, watched: Watched
) -> None:
    terminal = watched(shell, "--redis", "unix:///nowhere/redis.sock", shows="Error: ")
    assert terminal.ends() == 3
    (said,) = [line for line in shell.run("status", away=True).stderr.splitlines() if line.startswith("Error: ")]
    assert said in "".join(terminal.lines())
