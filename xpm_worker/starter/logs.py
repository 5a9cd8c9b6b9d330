"""Keeping the logs of a job below a size, however much the job prints.

A log that gets too large keeps its beginning and its end, with a notice between. The job writes straight into its
files, so that printing costs no more than writing. Its starter looks at the size of the files from time to time, and
takes the middle out of one that is too large. Meanwhile the job is frozen for some milliseconds. Otherwise text that
the job writes between the reading of the end and the truncation would be lost. Owns: what is kept, and when to look.
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
"""Seconds between two looks. A log may exceed its limit by what the job prints in this time."""

LONGEST_END = 4 * 1024 * 1024
"""How many bytes of the end are kept, at most."""

SETTLE_S, SETTLE_TRIES = 0.002, 500
"""Seconds between two checks of whether a log still grows, and how many checks there are."""

_LINE = 64 * 1024
"""How many bytes a cut is moved at most, so that it is between two lines."""


class Logs:
    """The files that a job prints into.

    Args:
        paths: The files; they need not exist.
        limit: Bytes that each may have; 0 for any number.
        paused: A context manager inside which the job does not write.

    Example:
        >>> logs = Logs(directory.logs, 100 * 10**6, paused)
        >>> logs.look(now)      # again at logs.due
        >>> logs.close()        # when the job has ended
    """

    def __init__(self, paths: Sequence[str], limit: int, paused: Callable[[], AbstractContextManager[None]]) -> None:
        self._paths = paths if limit else ()
        self._limit = limit
        self._paused = paused
        self._files: dict[str, Log] = {}
        self.due = math.inf
        """When to look again, by the boot clock; infinite for never."""

    def start(self, now: float) -> None:
        """Note that the job writes from now on.

        Args:
            now: The time, by the boot clock.
        """
        self.due = now + LOOK_S if self._paths else math.inf

    def look(self, now: float) -> None:
        """Shorten the files that are too large, if it is time to look."""
        if now >= self.due:
            self.due = now + LOOK_S
            self._shorten(self._paused)

    def close(self) -> None:
        """The job has ended: shorten the files that are too large, and close them."""
        self.due = math.inf
        self._shorten(nullcontext)
        self.close_files()

    def close_files(self) -> None:
        """Close the descriptors of the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _shorten(self, paused: Callable[[], AbstractContextManager[None]]) -> None:
        large = list(self._large())
        if large:
            with paused():
                for log in large:
                    with contextlib.suppress(OSError):  # such as a full disk: tried again at the next look
                        log.shorten()

    def _large(self) -> Iterator[Log]:
        for path in self._paths:
            with contextlib.suppress(OSError):  # the file was deleted, or cannot be reached
                if path not in self._files and os.lstat(path).st_size > self._limit // 2:
                    self._files[path] = Log(path, self._limit)
                if path in self._files and self._files[path].too_large():
                    yield self._files[path]


class Log:
    """A file that grows. It is kept open, so that it is shortened even if it was deleted or renamed meanwhile.

    Args:
        path: The file.
        limit: Bytes that it may have.

    Raises:
        OSError: It cannot be opened, or is no regular file. If the job has put a link or something else there, that is
            not touched.
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
        """Whether it has more bytes than its limit."""
        return os.fstat(self._fd).st_size > self._limit

    def shorten(self) -> None:
        """Take out its middle, after a write that is under way has ended. No other write may begin meanwhile."""
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
        """Its size, once it no longer grows: a system call that writes goes on after its process was frozen."""
        size = -1
        for _ in range(SETTLE_TRIES):
            before, size = size, os.fstat(self._fd).st_size
            if size == before:
                break
            time.sleep(SETTLE_S)
        return size

    def close(self) -> None:
        """Close its descriptor."""
        os.close(self._fd)

    def _line_before(self, position: int) -> int:
        """The end of the last line that ends at or before a position; the position itself if no line ends near it."""
        start = max(position - _LINE, 0)
        found = os.pread(self._fd, position - start, start).rfind(b"\n")
        return position if found < 0 else start + found + 1

    def _line_after(self, position: int, size: int) -> int:
        """The end of the first line that ends after a position; the position itself if no line ends near it."""
        found = os.pread(self._fd, min(_LINE, size - position), position).find(b"\n")
        return position if found < 0 else position + found + 1
