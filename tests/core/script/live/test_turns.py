"""Who may draw in a terminal: one script, alone, in the foreground."""

from __future__ import annotations

import os
import pty
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop, Terminal, open_terminal
from helpers.waiting import wait_until

from xpm_core.script.live import turns
from xpm_core.script.live.turns import Alone, is_locked, locked, turns_in

SLOW = """
for n in range(2):
    Hold.C(n=tag(n), until=Path("gate-" + sys.argv[1] + "-" + str(n))).submit()
print("submitted by " + sys.argv[1], flush=True)
"""
"""Two jobs, each until its gate opens."""


@pytest.fixture
def shell(desktop: Desktop) -> Iterator[Terminal]:
    """A shell in a terminal, in which two scripts can be started: `sweep.py ONE`, each with a workspace of its own."""
    text = desktop.script("sweep.py", SLOW, options="workers=2").read_text()
    text = text.replace(repr(str(desktop.workspace)), "'workspace-' + sys.argv[1]").replace('"desk"', "sys.argv[1]")
    desktop.write("sweep.py", text)
    env = {"PS1": "$ ", "PYTHON": sys.executable, "HISTFILE": "/dev/null"}
    terminal = open_terminal("/bin/bash", "--norc", "-i", cwd=desktop.folder, env=env, columns=100, lines=60)
    terminal.shows("$")
    yield terminal
    terminal.kill()


def draws(lines: list[str], name: str) -> bool:
    """Whether the display of a script is on the screen."""
    return any(line.startswith((f"{name}  █", f"{name}  ·")) for line in lines)


@pytest.mark.redis
@pytest.mark.faults
def test_second_script_in_a_terminal_ends_the_drawing_until_it_has_ended(desktop: Desktop, shell: Terminal) -> None:
    shell.type("$PYTHON sweep.py one\n")
    wait_until(lambda: draws(shell.lines(), "one"), show=lambda: "\n".join(shell.lines()))
    second = desktop.write("second.sh", f"exec {sys.executable} sweep.py two < /dev/null > {shell_name(shell)} 2>&1")
    other = desktop.start("-c", "import os, sys; os.execv('/bin/sh', ['sh', sys.argv[1]])", second)
    shell.shows("● running   Hold n=1")
    assert not draws(shell.lines(), "one")
    assert not draws(shell.lines(), "two")
    for name in ("two-0", "one-0"):
        (desktop.folder / f"gate-{name}").touch()
        shell.shows(f"{name[:3]}  1/2  ✓ done      Hold n=0")
    (desktop.folder / "gate-two-1").touch()
    shell.shows("two  2 done   in ")
    assert other.ends() == 0
    wait_until(lambda: draws(shell.lines(), "one"), show=lambda: "\n".join(shell.lines()))
    (desktop.folder / "gate-one-1").touch()
    shell.shows("one  2 done   in ")
    lines = [line for line in shell.lines() if line]
    whole = re.compile(r"(one|two)  \d/2  (● running |✓ done    )  Hold n=\d  [0-9a-f]{7}(  \S+:\d)?")
    assert [line for line in lines if "Hold n=" in line and not whole.fullmatch(line)] == [], "no line is torn"
    assert "submitted by two" in lines


def shell_name(shell: Terminal) -> str:
    """The file of a terminal."""
    return os.readlink(f"/proc/{shell.pid}/fd/0")


@pytest.mark.redis
@pytest.mark.faults
def test_script_in_the_background_prints_lines_and_draws_once_it_is_in_front(desktop: Desktop, shell: Terminal) -> None:
    shell.type("$PYTHON sweep.py one &\n")
    shell.shows("one  0/2  ● running   Hold n=1")
    assert not draws(shell.lines(), "one")
    shell.type("fg\n")
    wait_until(lambda: draws(shell.lines(), "one"), show=lambda: "\n".join(shell.lines()))
    for n in range(2):
        (desktop.folder / f"gate-one-{n}").touch()
    shell.shows("one  2 done   in ")


@pytest.mark.redis
@pytest.mark.faults
def test_script_that_is_suspended_and_goes_on_in_the_background_draws_no_more(
    desktop: Desktop, shell: Terminal
) -> None:
    shell.type("$PYTHON sweep.py one\n")
    wait_until(lambda: draws(shell.lines(), "one"), show=lambda: "\n".join(shell.lines()))
    shell.type("\x1a")
    shell.shows("Stopped")
    shell.type("echo the shell is$((1)) here; bg\n")
    shell.shows("the shell is1 here")
    (desktop.folder / "gate-one-0").touch()
    shell.shows("one  1/2  ✓ done      Hold n=0")
    assert "the shell is1 here" in shell.lines(), "what the shell has printed is not erased"
    (desktop.folder / "gate-one-1").touch()
    shell.shows("one  2 done   in ")


def test_locks_show_who_is_there(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    file = locked(path)
    assert is_locked(path)
    with pytest.raises(BlockingIOError):
        locked(path)
    os.close(file)
    assert not is_locked(path)


def test_file_of_a_script_that_was_killed_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    master, slave = pty.openpty()
    mine = turns_in(slave, -1)
    (folder,) = tmp_path.glob("xpm-terminals-*/*")
    (folder / "1").touch()
    assert mine.mine()
    assert not (folder / "1").exists()
    assert is_locked(folder / "drawing")
    file = locked(folder / "2")
    assert not mine.mine()
    mine.give_up()
    assert not is_locked(folder / "drawing")
    os.close(file)
    assert mine.mine()
    mine.give_up()
    os.close(master)
    os.close(slave)


def test_folder_that_is_removed_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As systemd does with XDG_RUNTIME_DIR when its user logs out, and leaves a script running."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir()
    master, slave = pty.openpty()
    drawing, coming = turns_in(slave, -4), turns_in(slave, -5)
    assert drawing.mine()
    shutil.rmtree(tmp_path / "run")
    assert drawing.mine()
    drawing.give_up()
    assert not coming.mine()  # nobody would see it draw, so it prints lines
    os.close(master)
    os.close(slave)


def test_script_that_comes_waits_until_the_other_one_draws_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(turns, "PATIENCE_S", 0.0)
    master, slave = pty.openpty()
    first = turns_in(slave, -2)
    assert first.mine()
    asked: list[bool] = []
    monkeypatch.setattr(turns.time, "sleep", lambda s: asked.append(True) or first.give_up())  # type: ignore[func-returns-value]
    monkeypatch.setattr(turns, "PATIENCE_S", 60.0)
    turns.Turns(slave, next(tmp_path.glob("xpm-terminals-*/*")))
    assert asked == [True]
    os.close(master)
    os.close(slave)


def test_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"xpm-terminals-{os.getuid()}").symlink_to(elsewhere)
    master, slave = pty.openpty()
    found = turns_in(slave, -3)
    assert isinstance(found, Alone)
    assert found.mine()
    assert list(elsewhere.iterdir()) == []
    os.close(master)
    os.close(slave)
