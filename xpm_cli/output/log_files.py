"""The log files of jobs as they grow: read from where one was, whole lines if they are mixed with those of others.

Owns: following a file that is shortened, or replaced by the next attempt; and which part of a log an attempt has.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xpm_core.errors import UnknownAttemptError
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State

BLOCK = 1 << 16
OUT, ERR = "out", "err"
"""The two logs of a job."""


def parts_of(
    records: Sequence[Mapping[str, Any]], attempt: int | None, row: JobRow
) -> dict[str, tuple[int, int | None]]:
    """Return where the output of an attempt begins and ends in each log, bytes; all of it without an attempt.

    Args:
        records: The records of the job's attempts that have ended.
        attempt: The number of the attempt, from 1.
        row: The job.

    Raises:
        UnknownAttemptError: There was no such attempt.
    """
    whole: dict[str, tuple[int, int | None]] = {OUT: (0, None), ERR: (0, None)}
    if attempt is None:
        return whole
    ended = max((record.get("number", 0) for record in records), default=0)
    if attempt > ended + (row.state is State.RUNNING):
        raise UnknownAttemptError(row.identity, attempt, ended)
    ends: dict[int, list[int]] = {record["number"]: record["log_to"] for record in records if record.get("log_to")}
    before = next((ends[number] for number in range(attempt - 1, 0, -1) if number in ends), [0, 0])
    after = ends.get(attempt)
    return {kind: (before[at], after[at] if after else None) for at, kind in enumerate((OUT, ERR))}


class LogFile:
    """A log file that is read bit by bit. It need not exist yet.

    Args:
        path: The file.
        start: Where to begin, bytes.
        stop: Where to end, bytes; None for the end of the file, however much it grows.
    """

    def __init__(self, path: Path, start: int = 0, stop: int | None = None) -> None:
        self.path = path
        self._at, self._stop = start, stop
        self._inode: int | None = None
        self._rest = b""

    def exists(self) -> bool:
        """Whether there is such a file."""
        return self.path.is_file()

    def read(self) -> Iterator[bytes]:
        """Return what was written since the last call, in blocks.

        If the file is another one, or is shorter than it was, it is read from its beginning.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            about = os.fstat(file.fileno())
            if self._inode is not None and (about.st_ino != self._inode or about.st_size < self._at):
                self._at = 0
            self._inode = about.st_ino
            file.seek(self._at)
            while data := file.read(self._room()):
                self._at += len(data)
                yield data

    def _room(self) -> int:
        return BLOCK if self._stop is None else max(min(BLOCK, self._stop - self._at), 0)

    def lines(self, *, rest: bool = False) -> Iterator[bytes]:
        """Return the lines that were finished since the last call, without their ends.

        Args:
            rest: Whether to return also a last line without an end.
        """
        for data in self.read():
            *whole, self._rest = (self._rest + data).split(b"\n")
            yield from whole
        if rest and self._rest:
            yield self._rest
            self._rest = b""


def last_lines(path: Path, count: int, stop: int | None = None) -> int:
    """Return where the last lines of a file begin, bytes. 0 if the file has no more lines, or does not exist.

    Args:
        path: The file.
        count: How many lines.
        stop: Where to end; None for the end of the file.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return 0
    with file:
        end = at = os.fstat(file.fileno()).st_size if stop is None else stop
        if not count:
            return end
        found = 0
        while at > 0:
            step = min(BLOCK, at)
            at -= step
            file.seek(at)
            data = file.read(step)
            place = len(data)
            while (place := data.rfind(b"\n", 0, place)) >= 0:
                found += at + place != end - 1  # the end of the last line begins no other
                if found == count:
                    return at + place + 1
        return 0
