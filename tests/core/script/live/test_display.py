"""What a script shows while it waits: on a terminal of any width, and in a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop, Terminal
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.faults]

BUSY = """
gate = Path(os.environ["GATE"])
token = xp.connector.createtoken("licence", 1)
for n in range(4):
    Bad.C(n=tag(n)).submit(priority=1)
for n in range(8):
    task = Hold.C(n=tag(n), until=gate).tag("model", "a model with quite a long name").tag("data", "digits")
    token(1, task).submit() if n > 1 else task.submit()
"""
"""Four jobs that fail, two that run, six that wait for a token or a slot."""


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that jobs wait for."""
    path = tmp_path / "gate"
    monkeypatch.setenv("GATE", str(path))
    return path


def busy(terminal: Terminal, running: str = "● ", failed: str = "✗ ") -> list[str]:
    """The display, once it has heard of all there is to show."""

    def whole(lines: list[str]) -> bool:
        return marked(lines, running) == 2 and marked(lines, failed) == 4

    return terminal.draws(whole)


def marked(lines: list[str], mark: str) -> int:
    """How many lines begin with a mark."""
    return sum(line.startswith(mark) for line in lines)


def test_display_fits_80_columns_and_12_lines(desktop: Desktop, gate: Path) -> None:
    terminal = desktop.terminal(desktop.script("sweep.py", BUSY, options="workers=2"))
    desktop.wait_for(Hold_0=State.RUNNING, Hold_1=State.RUNNING)
    lines = busy(terminal)
    assert lines[-1].startswith("Ctrl-C: stop watching, the jobs go on")
    ids = {name: job.identity[:7] for name, job in desktop.jobs().items()}
    assert len(lines) <= 12
    assert all(len(line) <= 80 for line in lines)
    assert re.search(r"^desk  [█·]+  0/12  0 %   ✗ 4 failed   elapsed \d", lines[0])
    running = [line for line in lines if line.startswith("●")]
    assert all(re.search(r"Hold n=\d +\S+:\d  +\d+(\.\d)? s$", line) for line in running)
    assert len(running) == 2
    assert any(re.search(r"^⧗ 6 ready", line) for line in lines)
    failed = [line for line in lines if line.startswith("✗")]
    assert len(failed) == 4
    row = re.compile(r"Bad n=\d +ValueError sweep\.py:\d+  (just now|\d+ s ago)  \(xpm show [0-9a-f]{7}\)$")
    assert all(row.search(line) for line in failed)
    assert any(re.search(r"^  Bad   █{12}  4/4  ✗ 4 failed$", line) for line in lines)
    assert any(re.search(r"^  Hold  ·{12}  0/8  2 running$", line) for line in lines)
    assert all(any(identity in line for identity in ids.values()) for line in failed)
    lines = terminal.draws(lambda lines: "(xpm why " in "\n".join(lines))
    reason = r"^⧗ 6 ready   all 2 workers are busy +\(xpm why [0-9a-f]{7}\)$"
    assert any(re.search(reason, line) for line in lines), "the server was asked"
    gate.touch()
    assert terminal.ends() == 1
    shown = [line for line in terminal.lines() if line]
    assert shown[0].startswith("desk  8 done   4 failed   in "), "nothing of the display is left above the report"


def test_display_of_a_narrow_terminal_cuts_neither_counts_nor_ids(desktop: Desktop, gate: Path) -> None:
    terminal = desktop.terminal(desktop.script("sweep.py", BUSY, options="workers=2"), columns=40)
    desktop.wait_for(Hold_0=State.RUNNING, Hold_1=State.RUNNING)
    lines = busy(terminal)
    assert len(lines) <= 12
    assert "0/12" in lines[0]
    assert "✗ 4 failed" in lines[0]
    failed = [line for line in lines if line.startswith("✗")]
    assert all(re.search(r"\(xpm show [0-9a-f]{7}\)$", line) for line in failed)
    gate.touch()
    terminal.ends()


def test_display_falls_back_to_ascii(desktop: Desktop, gate: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii", "NO_COLOR": "1"}
    terminal = desktop.terminal(desktop.script("sweep.py", BUSY, options="workers=2"), env=env)
    desktop.wait_for(Hold_0=State.RUNNING, Hold_1=State.RUNNING)
    lines = busy(terminal, "* ", "x ")
    assert all(line.isascii() and len(line) <= 80 for line in lines)
    assert lines[0].startswith("desk  ########--")
    gate.touch()
    terminal.ends()
    assert terminal.raw.isascii()
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]", terminal.raw), "no colour with NO_COLOR"


def test_display_is_coloured_on_a_terminal(desktop: Desktop) -> None:
    terminal = desktop.terminal(desktop.script("sweep.py", "Quick.C(n=tag(1)).submit()"))
    assert terminal.ends() == 0
    assert terminal.raw.count(b"\x1b[") > 3
    assert [line for line in terminal.lines() if line] == [line for line in terminal.lines() if "1 done   in" in line]


def test_terminal_that_is_closed_does_not_end_the_run(desktop: Desktop, gate: Path) -> None:
    script = desktop.script("sweep.py", "Hold.C(n=tag(1), until=Path(os.environ['GATE'])).submit()")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", sys.executable, script],  # as nohup and disown do
        cwd=desktop.folder,
        env={**os.environ, "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=slave,
    )
    os.close(slave)
    drawn = b""
    while b"Ctrl-C" not in drawn:
        drawn += os.read(master, 65536)
    os.close(master)
    gate.touch()
    assert process.wait(PATIENCE_S) == 0
    log = (desktop.workspace / "experiments/desk/latest/run.log").read_text()
    assert "desk: its progress can no longer be shown; the jobs go on" in log
    assert "desk  1 done" in log


@pytest.mark.parametrize("env", [{"TERM": "dumb"}], ids=["dumb"])
def test_terminal_that_cannot_move_gets_plain_lines(desktop: Desktop, env: dict[str, str]) -> None:
    terminal = desktop.terminal(desktop.script("sweep.py", "Quick.C(n=tag(1)).submit()"), env=env)
    assert terminal.ends() == 0
    assert b"\x1b" not in terminal.raw
    assert any(re.search(r"^desk  1/1  ✓ done      Quick n=1  [0-9a-f]{7}$", line) for line in terminal.lines())


def test_pipe_gets_a_plain_line_for_each_change_of_a_job(desktop: Desktop) -> None:
    body = "for n in range(3): Quick.C(n=tag(n)).submit()\nBad.C(n=tag(9)).submit()"
    run = desktop.run(desktop.script("sweep.py", body), code=1)
    assert "\x1b" not in run.err
    lines = [line for line in run.err.splitlines() if line.startswith("desk  ") and "/4" in line]
    for n in range(3):
        states = [line.split()[3] for line in lines if f" Quick n={n} " in line]
        assert states == ["running", "done"]
    assert any(re.search(r"● running   Bad n=9  [0-9a-f]{7}  \S+:\d$", line) for line in lines)
    assert any(re.search(r"✗ failed    Bad n=9  [0-9a-f]{7}  ValueError sweep\.py:\d+$", line) for line in lines)
    assert len(lines) == 8
    assert run.out == "", "stdout is the script's own"


def test_what_the_script_prints_meanwhile_stands_above_the_display(desktop: Desktop, gate: Path) -> None:
    """Prints of callbacks, and warnings; neither is torn or drawn over."""
    body = """
    def told(task):
        print("printed by a callback", flush=True)
        raise LookupError("clumsy me")
    Quick.C(n=tag(1)).on_completed(told).submit()
    Hold.C(n=tag(1), until=Path(os.environ["GATE"])).submit()
    """
    terminal = desktop.terminal(desktop.script("sweep.py", body))
    terminal.shows("clumsy me")
    lines = terminal.draws(lambda lines: "1/2" in "\n".join(lines))
    head = next(number for number, line in enumerate(lines) if line.startswith("desk  █"))
    above, below = lines[:head], lines[head:]
    assert "printed by a callback" in above
    assert "LookupError: clumsy me" in above
    assert len(below) == 5
    gate.touch()
    assert terminal.ends() == 0
    assert "printed by a callback" in terminal.lines()


def test_what_the_script_prints_meanwhile_goes_to_its_stdout_when_that_is_a_file(desktop: Desktop) -> None:
    body = "Quick.C(n=tag(1)).on_completed(lambda task: print('printed', flush=True)).submit()"
    script = desktop.script("sweep.py", body)
    out = desktop.folder / "out.txt"
    code = "import subprocess as s, sys; sys.exit(s.call([sys.executable, sys.argv[1]], stdout=open(sys.argv[2], 'w')))"
    terminal = desktop.terminal("-c", code, script, out)
    assert terminal.ends() == 0
    assert out.read_text() == "printed\n"
    assert "printed" not in "\n".join(terminal.lines())


def test_paused_queue_is_told_once_with_who_and_why_until_it_is_resumed(desktop: Desktop) -> None:
    body = """
    from xpm_core.store.steering.pauses import pause_queue
    pause_queue(xp.connector.client, xp.workspace.id, "default", "ann@node1", "new driver")
    Quick.C(n=tag(1)).submit()
    """
    terminal = desktop.terminal(desktop.script("sweep.py", body))
    paused = "queue default was paused by ann@node1: new driver"
    terminal.draws(lambda lines: any(line.startswith(f"⧗ 1 ready   {paused}") for line in lines))
    command = f"xpm queues resume default --workspace {desktop.workspace}"
    told = f"{paused}. Resume it: {command}".replace(" ", "")  # it may be wrapped at any of them
    wait_until(lambda: told in "".join(terminal.lines()).replace(" ", ""), show=terminal.lines)
    subprocess.run(f"exec {Path(sys.executable).parent}/{command}", shell=True, stderr=subprocess.DEVNULL, check=True)
    assert terminal.ends() == 0
    assert "".join(terminal.lines()).replace(" ", "").count(told) == 1


def test_queue_without_workers_is_told_above_the_display_in_one_piece(desktop: Desktop) -> None:
    terminal = desktop.terminal(desktop.script("sweep.py", "Quick.C(n=tag(1)).submit()", options="workers=0"))
    lines = terminal.draws(lambda lines: "no living worker serves queue default" in "\n".join(lines))
    assert any(line.startswith("⧗ 1 ready   no living worker serves queue default") for line in lines)
    command = f"xpm-worker --workspace {desktop.workspace} --queue default"
    told = f"no living worker serves it. Start one: {command}".replace(" ", "")  # it may be wrapped at any of them
    wait_until(lambda: told in "".join(terminal.lines()).replace(" ", ""), show=terminal.lines)
    bin = Path(sys.executable).parent
    worker = subprocess.Popen(f"exec {bin}/{command} --burst", shell=True, stderr=subprocess.DEVNULL)
    assert terminal.ends() == 0
    assert worker.wait(PATIENCE_S) == 0
    wait_until(lambda: not desktop.server_lives())


@pytest.mark.parametrize(
    ("options", "quiet"), [("workers=1, progress=False", ""), ("workers=1", "1"), ("workers=1", "0")]
)
def test_progress_is_switched_off_and_the_report_stays(desktop: Desktop, options: str, quiet: str) -> None:
    body = "Quick.C(n=tag(1)).submit()\nBad.C(n=tag(2)).submit()\nlogging.getLogger('xpm').warning('mind the gap')"
    script = desktop.script("sweep.py", body, options=options)
    err = desktop.run(script, code=1, env={"XPM_QUIET": quiet}).err
    lines = err.splitlines()
    assert "mind the gap" in lines
    assert any(line.startswith("desk  1 done   1 failed   in ") for line in lines)
    assert any(line.startswith("✗ ValueError: no good") for line in lines)
    assert any("● running" in line for line in lines) is (quiet == "0")
    assert any("✓ done" in line for line in lines) is (quiet == "0")


def test_quiet_script_draws_nothing_on_a_terminal(desktop: Desktop) -> None:
    terminal = desktop.terminal(desktop.script("sweep.py", "Quick.C(n=tag(1)).submit()"), env={"XPM_QUIET": "1"})
    assert terminal.ends() == 0
    assert b"\x1b" not in terminal.raw
    assert terminal.lines()[0].startswith("desk  1 done   in ")


def test_changes_between_two_waits_are_in_the_log(desktop: Desktop) -> None:
    """A callback that waits, too, does not end the display of the script."""
    body = """
    first = Quick.C(n=tag(1)).submit()
    first.on_completed(lambda task: task.wait())
    first.wait()
    second = Quick.C(n=tag(2)).submit()
    xp._run.submitter.flush()
    while second.state != "done": time.sleep(0.01)
    print("between", file=sys.stderr, flush=True)
    """
    lines = desktop.run(desktop.script("sweep.py", body)).err.splitlines()
    for n in (1, 2):
        assert [line.split()[3] for line in lines if f" Quick n={n} " in line] == ["running", "done"]
    assert "2/2  ✓ done      Quick n=2" in lines[lines.index("between") + 2]
