"""The logs of a job are kept below a size, however much it prints: their beginning, a notice, and what came last.

The job writes straight into its files, so that printing costs what writing costs. Its starter looks at their size now
and then, and takes the middle out of one that is too large, while the job is stopped for some milliseconds: what is
written between reading the end and truncating would be lost. Owns: what is kept, and when to look.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

LOOK_S = 0.25
"""How often to look: at most what is printed in that time is on the disk beyond the limit, for that long."""

LONGEST_END = 4 * 1024 * 1024
"""Bytes of the end that are kept, at most."""

SETTLE_S, SETTLE_TRIES = 0.002, 500

_LINE = 64 * 1024
"""How far a cut is moved, to be between two lines."""


class Logs:
    """The files that a job prints into.

    Args:
        paths: The files; they need not be there.
        limit: Bytes that each may have; 0 for any number.
        still: Keeps whoever writes from doing so for a while.

    Example:
        >>> logs = Logs(directory.logs, 100 * 10**6, still)
        >>> logs.look(now)      # again at logs.due
        >>> logs.close()        # when nobody writes any more
    """

    def __init__(self, paths: Sequence[str], limit: int, still: Callable[[], AbstractContextManager[None]]) -> None:
        self._paths = paths if limit else ()
        self._limit = limit
        self._still = still
        self._files: dict[str, Log] = {}
        self.due = math.inf
        """When to look again, by the boot clock; infinite for never."""

    def start(self, now: float) -> None:
        """From now on somebody writes."""
        self.due = now + LOOK_S if self._paths else math.inf

    def look(self, now: float) -> None:
        """Shorten what is too large, if it is time."""
        if now >= self.due:
            self.due = now + LOOK_S
            self._shorten(self._still)

    def close(self) -> None:
        """Nobody writes any more: shorten what is too large, and let go of the files."""
        self.due = math.inf
        self._shorten(nullcontext)
        self.leave()

    def leave(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _shorten(self, still: Callable[[], AbstractContextManager[None]]) -> None:
        large = list(self._large())
        if large:
            with still():
                for log in large:
                    with contextlib.suppress(OSError):  # a full disk: it is tried again
                        log.shorten()

    def _large(self) -> Iterator[Log]:
        for path in self._paths:
            with contextlib.suppress(OSError):  # deleted, or out of reach: then there is nothing to be shortened
                if path not in self._files and os.lstat(path).st_size > self._limit // 2:
                    self._files[path] = Log(path, self._limit)
                if path in self._files and self._files[path].too_large():
                    yield self._files[path]


class Log:
    """A file that grows, kept open: it is shortened also when it was deleted or renamed meanwhile.

    Raises:
        OSError: It cannot be opened, or is a link or no file: what the job has put there is its own.
    """

    def __init__(self, path: str, limit: int) -> None:
        self._limit = limit
        self._left_out = 0
        self._begin: int | None = None
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise OSError(f"{path} is no file")

    def too_large(self) -> bool:
        """Whether it has more than it may have."""
        return os.fstat(self._fd).st_size > self._limit

    def shorten(self) -> None:
        """Leave out its middle. What is being written is waited for; nothing more may be."""
        size = self._settled_size()
        if self._begin is None:
            self._begin = self._line_before(self._limit // 2)
        start = self._line_after(size - min(self._limit // 4, LONGEST_END), size)
        end = os.pread(self._fd, size - start, start)
        self._left_out += start - self._begin
        os.ftruncate(self._fd, self._begin)
        notice = f"[xpm: {self._left_out / 1e6:.1f} MB are left out here, a log may have {self._limit / 1e6:g} MB]\n"
        rest = memoryview(notice.encode() + end)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def _settled_size(self) -> int:
        """Its size, once it has not grown for a moment: a call that writes goes on though its process was stopped."""
        size = -1
        for _ in range(SETTLE_TRIES):
            before, size = size, os.fstat(self._fd).st_size
            if size == before:
                break
            time.sleep(SETTLE_S)
        return size

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)

    def _line_before(self, place: int) -> int:
        """The end of a line at or before a place, or the place, if no line ends near."""
        start = max(place - _LINE, 0)
        found = os.pread(self._fd, place - start, start).rfind(b"\n")
        return place if found < 0 else start + found + 1

    def _line_after(self, place: int, size: int) -> int:
        """The same, at or after a place."""
        found = os.pread(self._fd, min(_LINE, size - place), place).find(b"\n")
        return place if found < 0 else place + found + 1
