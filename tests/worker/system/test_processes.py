"""What the operating system is asked for: clocks, signals, descendants and marks."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from helpers.waiting import PATIENCE_S, wait_until

from xpm_worker.system import clock, kernel, marks, processes, signals

MARK = "ab" * 16
OTHER = "cd" * 16


def sleeper(mark: str, name: str = "") -> subprocess.Popen[bytes]:
    """A process with that mark, and that name."""
    naming = f"kernel.set_name({name!r})" if name else ""
    code = f"import time; from xpm_worker.system import kernel; {naming}; print(); time.sleep(600)".replace("; ;", ";")
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, marks.MARK_VARIABLE: mark}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> dict[str, subprocess.Popen[bytes]]:
    """An orphan, a starter and what it runs; in a variable in which no daemon of another test looks for orphans."""
    monkeypatch.setattr(marks, "MARK_VARIABLE", "XPM_MARK_OF_THIS_TEST")
    return {"orphan": sleeper(MARK), "starter": sleeper(OTHER, kernel.STARTER_NAME), "job": sleeper(OTHER)}


def end(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in processes.values():
        process.kill()
        process.communicate()


def test_only_what_has_no_living_starter_is_swept(marked: dict[str, subprocess.Popen[bytes]]) -> None:
    try:
        assert marks.sweep_orphans() == 1
        assert marked["orphan"].wait(PATIENCE_S) == -signal.SIGKILL
        assert marked["starter"].poll() is None
        assert marked["job"].poll() is None
        marked["starter"].kill()
        marked["starter"].wait()
        marks.sweep_orphans()
        assert marked["job"].wait(PATIENCE_S) == -signal.SIGKILL
    finally:
        end(marked)


def test_no_mark_sweeps_nothing() -> None:
    process = sleeper("")
    try:
        assert marks.sweep("") == 0
        assert process.poll() is None
    finally:
        end({"process": process})


def test_a_mother_that_is_about_to_start_is_not_swept() -> None:
    process = sleeper(marks.BLANK_MARK)
    try:
        marks.sweep_orphans()
        assert process.poll() is None
    finally:
        end({"process": process})


def test_an_alarm_wakes_a_poll_at_its_moment_and_not_before() -> None:
    alarm = clock.Alarm()
    alarm.set(clock.boot_time() + 0.05)
    assert not select.select([alarm], [], [], 0)[0]
    assert select.select([alarm], [], [], 10)[0]
    alarm.set(None)
    assert not select.select([alarm], [], [], 0)[0]
    alarm.set(clock.boot_time() - 1)
    assert select.select([alarm], [], [], 10)[0]
    alarm.close()


def test_signals_and_rings_wake_a_poll() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    pipe = signals.SignalPipe(signal.SIGUSR1)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_until(lambda: select.select([pipe], [], [], 0)[0])
        assert pipe.read() == [signal.SIGUSR1]
        pipe.ring()
        assert select.select([pipe], [], [], 0)[0]
        assert pipe.read() == []
    finally:
        pipe.close()
        signal.signal(signal.SIGUSR1, before)


def test_descendants_are_found_at_any_depth() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    found = set(processes.descendants(os.getpid()))
    (grandchild,) = psutil.Process(process.pid).children()
    assert {process.pid, grandchild.pid} <= found
    process.communicate()


def test_the_mark_in_the_environment_of_a_process_is_replaced_where_proc_shows_it() -> None:
    code = (
        "from xpm_worker.system import marks; import os; "
        f"shown = '{marks.MARK_VARIABLE}={MARK}\\0'; "
        f"print(marks.set_mark({MARK!r}), open('/proc/self/environ').read().count(shown), "
        f"os.environ['{marks.MARK_VARIABLE}'] == {MARK!r}, marks.set_mark('short'))"
    )
    env = {**os.environ, marks.MARK_VARIABLE: marks.BLANK_MARK}
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert result.stdout == "True 1 True False\n"


def test_a_directory_that_is_held_open_is_known_to_be_removed(tmp_path: Path) -> None:
    place = tmp_path / "workspace"
    place.mkdir()
    held = kernel.hold_directory(place)
    try:
        place.rename(tmp_path / "moved")
        place.mkdir()
        assert not kernel.is_removed(held), "another of its name is there; it lives on"
        (tmp_path / "moved").rmdir()
        assert kernel.is_removed(held)
    finally:
        os.close(held)


def test_that_a_directory_cannot_be_looked_at_proves_nothing() -> None:
    assert not kernel.is_removed(-1)
