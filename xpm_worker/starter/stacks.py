"""Where the main thread of a job is, asked just before the job is killed.

Python's faulthandler writes the stacks of all threads when a signal comes, even while the main thread runs C code and
holds the interpreter's lock. The fork server sets its handler, and the process of each job inherits it, so no job has
to set it. The stacks are written into the job's log, where people read them, too. Owns: the signal, and the reading of
what faulthandler writes. Imports nothing heavy, because processes of jobs use it.
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

from xpm_core.tracebacks.user_frames import is_user_file, is_xpm_file
from xpm_worker.job import standby
from xpm_worker.system import clock, kernel

SIGNAL = signal.SIGRTMIN + 9 if hasattr(signal, "SIGRTMIN") else 0
"""Nothing else uses this signal; 0 where there is none (macOS). It is never sent to a process without the handler."""

WAIT_S = 2.0
"""How long a process may take to write its stacks, seconds. Most processes take a millisecond."""

PAUSE_S = 0.002
LARGEST = 1024 * 1024
"""How many bytes of the log are searched for the stack."""

_FRAME = re.compile(r'  File "(.+)", line (\d+) in (.+)')
_ESCAPE = re.compile(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}")
_MAIN = "Current thread 0x"


def listen() -> None:
    """Let this process, and all that are forked from it, write their stacks when the signal comes."""
    if SIGNAL and kernel.LINUX:
        faulthandler.register(SIGNAL, file=2, all_threads=True)


def ask(pid: int, log: str, why: str, until: float) -> list[dict[str, Any]]:
    """Return the frames of a process's main thread, the outermost first; empty if the process does not answer.

    Args:
        pid: The job's process.
        log: The file that its standard error goes to.
        why: Why it is asked, which is written into the log before the stacks.
        until: How long to wait at most, by the boot clock. It never waits longer than `WAIT_S`.
    """
    if not _can_answer(pid):
        return []
    with contextlib.suppress(OSError), _opened(log) as file:
        if not os.path.samestat(os.fstat(file), os.stat(f"/proc/{pid}/fd/2")):
            return []  # the job's code has sent its standard error elsewhere
        os.write(file, f"[xpm: {why}. Here it stood:]\n".encode("utf-8", "backslashreplace"))
        start = os.fstat(file).st_size
        os.kill(pid, SIGNAL)
        return _read(file, start, min(until, clock.boot_time() + WAIT_S))
    return []


def _can_answer(pid: int) -> bool:
    """Whether a process has the handler, and is not stopped. A stopped process would answer when it is continued."""
    with contextlib.suppress(OSError, ValueError, KeyError), open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        bit = 1 << (SIGNAL - 1) if SIGNAL else 0
        caught, blocked = int(fields["SigCgt"], 16), int(fields["SigBlk"], 16)
        return bool(caught & ~blocked & bit) and fields["State"][0] in "RSD"
    return False


@contextlib.contextmanager
def _opened(log: str) -> Iterator[int]:
    """Open a log for reading and appending.

    Raises:
        OSError: It is no regular file. If the job has put something else there, that is not touched.
    """
    file = os.open(log, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError("no file")
        yield file
    finally:
        os.close(file)


def _read(file: int, start: int, until: float) -> list[dict[str, Any]]:
    """The frames that are written into a file from a position on. It waits until they are complete, or the time is up.

    Args:
        file: The file's descriptor.
        start: The position.
        until: When the time is up, by the boot clock.
    """
    pause_s = PAUSE_S
    while True:
        frames, whole = parse(os.pread(file, LARGEST, start).decode("utf-8", "replace"))
        if whole or clock.boot_time() + pause_s >= until:
            return frames
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 0.1)


def parse(text: str) -> tuple[list[dict[str, Any]], bool]:
    """Read the frames of the main thread from the text that faulthandler writes.

    Faulthandler writes the innermost frame first. Meanwhile other threads, and programs that the job has started, may
    write into the same log.

    Args:
        text: The text, which may still be growing.

    Returns:
        The frames without xpm's own, the outermost first; and whether they are complete.
    """
    frames: list[dict[str, Any]] = []
    for line in text.partition(_MAIN)[2].split("\n")[1:-1]:  # the last line may be incomplete
        found = _FRAME.fullmatch(line)
        if line.strip() in ("", "...") or (found and found[1] == standby.__file__):
            return frames[::-1], True
        if found and not is_xpm_file(found[1]):
            file, function = _unescaped(found[1]), _unescaped(found[3])
            own = is_user_file(file)
            frames.append({"file": file, "line": int(found[2]), "function": function, "code": "", "own": own})
    return frames[::-1], False


def _unescaped(text: str) -> str:
    """A name with its own characters. Faulthandler writes ASCII only, and escapes all others."""
    return _ESCAPE.sub(lambda found: chr(int(found[0][2:], 16)), text)
