"""Tasks that stand still at a known place."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from xpm_core.config import Param, Task
from xpm_core.job.running import TaskCancelled


class Stand(Task):
    """Says that it is ready, and stands still in one of `WAYS`, deaf to being told to end."""

    how: Param[str]

    def execute(self) -> None:
        Path("ready").touch()
        while True:
            try:
                standing_ürgently(WAYS[self.how])
            except TaskCancelled:
                continue


def standing_ürgently(way: Callable[[], object]) -> None:
    way()  # here it stands


def keep_the_lock() -> None:
    """In C, with the interpreter's lock, so that no other thread of Python runs."""
    ctypes.PyDLL(None).sleep(1000)


def wait_for_thread() -> None:
    thread = threading.Thread(target=time.sleep, args=(1000,), daemon=True)
    thread.start()
    thread.join()


def be_deep(depth: int = 90) -> None:
    if depth:
        be_deep(depth - 1)
    else:
        time.sleep(1000)


def be_stopped() -> None:
    """As by Ctrl-Z, or a debugger."""
    os.kill(os.getpid(), signal.SIGSTOP)


def be_silent() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    time.sleep(1000)


def be_another() -> None:
    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(1000)"])


WAYS: dict[str, Callable[[], object]] = {
    "sleep": lambda: time.sleep(1000),
    "lock": keep_the_lock,
    "thread": wait_for_thread,
    "deep": be_deep,
    "stopped": be_stopped,
    "silent": be_silent,
    "another": be_another,
}
