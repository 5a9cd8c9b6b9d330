"""The mark of a starter's descendants: which processes bear it, and which are swept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from helpers.waiting import PATIENCE_S

from xpm_worker.system import kernel, marks

MARK = os.urandom(16).hex()
"""Not a fixed one: the tests of another run on this machine sweep theirs away, with the processes that have it."""


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


def test_a_fork_server_that_is_about_to_start_is_not_swept() -> None:
    process = sleeper(marks.BLANK_MARK)
    try:
        marks.sweep_orphans()
        assert process.poll() is None
    finally:
        end({"process": process})


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
