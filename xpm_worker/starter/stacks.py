"""Where a job's process stands, seen just before it is killed.

Python's faulthandler writes the stacks of all threads when a signal comes, also while the main thread is in C code and
keeps the interpreter's lock. The mother of starters sets its handler, and each job's process inherits that: so no job
pays for it. It writes to the job's log, where people read it, too. Owns: the signal, and reading what was written.
Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import signal
import stat
import time
from collections.abc import Iterator
from typing import Any

from xpm_worker.job import failure, standby
from xpm_worker.system import clock, kernel

SIGNAL = signal.SIGRTMIN + 9 if hasattr(signal, "SIGRTMIN") else 0
"""Nothing else uses it; 0 where there is none (macOS). A process without the handler never gets it."""

WAIT_S = 2.0
"""How long a process may take to write where it stands. Most take a millisecond."""

PAUSE_S = 0.002
LARGEST = 1024 * 1024
"""Bytes of a log in which the stack is looked for."""

_FRAME = re.compile(r'  File "(.+)", line (\d+) in (.+)')
_ESCAPE = re.compile(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}")
_MAIN = "Current thread 0x"


def listen() -> None:
    """From now on this process, and all that are forked from it, can be asked where they stand."""
    if SIGNAL and kernel.LINUX:
        faulthandler.register(SIGNAL, file=2, all_threads=True)


def ask(pid: int, log: str, why: str, until: float) -> list[dict[str, Any]]:
    """The frames of a process's main thread, the outermost first; empty if it does not answer.

    Args:
        pid: The job's process.
        log: The file that its standard error goes to.
        why: Written into the log before them.
        until: By the boot clock: no longer than that is waited, nor longer than `WAIT_S`.
    """
    if not _answers(pid):
        return []
    with contextlib.suppress(OSError), _opened(log) as file:
        if not os.path.samestat(os.fstat(file), os.stat(f"/proc/{pid}/fd/2")):
            return []  # the job's code has sent it elsewhere
        os.write(file, f"[xpm: {why}. Here it stood:]\n".encode("utf-8", "backslashreplace"))
        start = os.fstat(file).st_size
        os.kill(pid, SIGNAL)
        return _read(file, start, min(until, clock.boot_time() + WAIT_S))
    return []


def _answers(pid: int) -> bool:
    """Whether a process has the handler, and is not stopped: a stopped one would answer when it is continued."""
    with contextlib.suppress(OSError, ValueError, KeyError), open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        bit = 1 << (SIGNAL - 1) if SIGNAL else 0
        caught, blocked = int(fields["SigCgt"], 16), int(fields["SigBlk"], 16)
        return bool(caught & ~blocked & bit) and fields["State"][0] in "RSD"
    return False


@contextlib.contextmanager
def _opened(log: str) -> Iterator[int]:
    """A log that is a file, as it was made.

    Raises:
        OSError: It is none: what the job has put there is its own.
    """
    file = os.open(log, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError("no file")
        yield file
    finally:
        os.close(file)


def _read(file: int, start: int, until: float) -> list[dict[str, Any]]:
    """What is written into a file from a place on, as soon as it is enough, or until that moment."""
    pause_s = PAUSE_S
    while True:
        frames, whole = parse(os.pread(file, LARGEST, start).decode("utf-8", "replace"))
        if whole or clock.boot_time() + pause_s >= until:
            return frames
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 0.1)


def parse(text: str) -> tuple[list[dict[str, Any]], bool]:
    """The frames of the main thread in what faulthandler writes, without ours, and whether no other can follow.

    They come one by one, the innermost first; other threads, and programs that the job has started, write meanwhile.
    """
    frames: list[dict[str, Any]] = []
    for line in text.partition(_MAIN)[2].split("\n")[1:-1]:  # the last one is not written to its end
        found = _FRAME.fullmatch(line)
        if line.strip() in ("", "...") or (found and found[1] == standby.__file__):
            return frames[::-1], True
        if found and not failure.is_ours(found[1]):
            file, function = _unescaped(found[1]), _unescaped(found[3])
            own = failure.is_own(file)
            frames.append({"file": file, "line": int(found[2]), "function": function, "code": "", "own": own})
    return frames[::-1], False


def _unescaped(text: str) -> str:
    """A name as it is: faulthandler writes ASCII only."""
    return _ESCAPE.sub(lambda found: chr(int(found[0][2:], 16)), text)
