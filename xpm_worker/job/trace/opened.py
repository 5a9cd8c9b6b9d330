"""What was in the files that a job has read: their digests, taken once the job's code has ended.

Owns: how much is read for that, and which files cannot be told any more. Imports nothing heavy.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Mapping
from hashlib import sha256

from xpm_core.fingerprints.ran import OpenedFile
from xpm_worker.job.trace.places import Places

LARGEST = 16_000_000
"""Bytes of a file that is read once more. Of a larger one, size and time are noted."""
MOST_BYTES = 128_000_000
"""Bytes that are read for all files together."""
MOST_S = 5.0
"""Seconds that this may take. A file system may be slow, and the job waits for it."""

_CHUNK = 1 << 20

Stamp = tuple[int, ...]
"""What says that a file is another one than before: its number, size and times; empty if there was no file."""


def stamp(path: str) -> Stamp:
    """The stamp of a file that is just being opened.

    A handler of a signal may raise an error of its own while this runs. That one belongs to the job's code.
    """
    try:
        return stamp_of(os.stat(path))
    except OSError as error:
        if error.filename != path:
            raise
        return ()


def stamp_of(about: os.stat_result) -> Stamp:
    """The stamp of a file of which this is known."""
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


class Digests:
    """Looks at files.

    Args:
        places: The files of the job's code.
        written: Files that the job has opened for writing.

    Example:
        >>> Digests(places, ()).of({"/tmp/xpm-1000/code/8c1f.../digits/data/train.csv": stamp})
        [OpenedFile(tree='digits', path='data/train.csv', state='digest', digest='ab12...', ...)]
    """

    def __init__(self, places: Places, written: Iterable[str]) -> None:
        self._places, self._written = places, frozenset(written)
        self._left = MOST_BYTES
        self._until = time.monotonic() + MOST_S

    def of(self, opened: Mapping[str, Stamp]) -> list[OpenedFile]:
        """What was in each of some files. Folders, devices and pipes are left out.

        Args:
            opened: By path, what the file was when it was opened first. A live file that has changed since then may
                have had another content when it was read.
        """
        return [found for path, before in opened.items() if (found := self._one(path, before)) is not None]

    def _one(self, path: str, before: Stamp) -> OpenedFile | None:
        place = self._places.place(path)
        if place is None:
            return None
        live = True
        try:
            live = not (self._places.is_copy(path) and self._places.is_copy(os.path.realpath(path)))
            about = os.stat(path)
            if not stat.S_ISREG(about.st_mode):
                return None
            if path in self._written or (live and stamp_of(about) != before):
                return OpenedFile(*place, "unknown", live=live)
            if about.st_size > min(LARGEST, self._left):
                return OpenedFile(*place, "large", "", about.st_size, about.st_mtime_ns, live)
            digest = self._digest(path, about.st_size)
        except (FileNotFoundError, NotADirectoryError):
            is_known = path not in self._written and not (live and before)
            return OpenedFile(*place, "absent" if is_known else "unknown", live=live)
        except (OSError, ValueError):
            return OpenedFile(*place, "unknown", live=live)
        return OpenedFile(*place, "digest" if digest else "unknown", digest, live=live)

    def _digest(self, path: str, size: int) -> str:
        """The SHA-256 of a file; empty if that takes too long, or if it is just being written to."""
        found, read = sha256(), 0
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while read <= size and time.monotonic() < self._until:
                data = os.read(descriptor, _CHUNK)
                if not data:
                    return found.hexdigest() if read == size else ""
                found.update(data)
                read += len(data)
                self._left -= len(data)
        finally:
            os.close(descriptor)
        return ""
