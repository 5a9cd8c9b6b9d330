"""Compare what a job has written with what is in its directory.

Owns: which files count, and what is said of two that differ. The path of the folder itself, which a job may write into
its files, is no difference; nor is which execution has reported a result, when, and how often it was resumed
(reported.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

from xpm_core.reproduction.reported import Parting, are_metrics, are_same_metrics, counting, parted, relative

Result = Literal["equal", "differs", "missing", "new"]

MOST_BYTES = 64 * 1024 * 1024
"""Of larger files, it is only said whether they are equal."""

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf)(?!\w)", re.IGNORECASE)


class Written(NamedTuple):
    """A file, or a link.

    Attributes:
        size: Bytes; of a link, the length of its target.
        digest: The SHA-256 of the content, 64 hexadecimal digits; of a link, of its target.
    """

    size: int
    digest: str


class Compared(NamedTuple):
    """A file then and now.

    Attributes:
        path: Its path in the folder.
        result: Whether it is equal, differs, is missing now, or is new.
        then: The file in the job's directory; None if it is not there.
        now: The file that was written now; None if it is not there.
        relative: If two texts differ in numbers only: the largest relative difference of two of them; else None.
        parting: Of metrics that differ, the first place where they do; else None.
    """

    path: str
    result: Result
    then: Written | None
    now: Written | None
    relative: float | None = None
    parting: Parting | None = None


def compare(then: Path, now: Path, without: Collection[str] = ()) -> list[Compared]:
    """Compare two folders, file by file.

    Args:
        then: The job's directory.
        now: The folder in which the job was run again.
        without: Names in the folders that do not count: logs and records.

    Returns:
        The files of both, sorted by path.

    Raises:
        OSError: A file cannot be read.

    Example:
        >>> [each.path for each in compare(then, now) if each.result != "equal"]
        ['metrics.json']
    """
    before, after = dict(_files(then, without)), dict(_files(now, without))
    return [_compared(path, before.get(path), after.get(path), then, now) for path in sorted({*before, *after})]


def _compared(path: str, then: str | None, now: str | None, old: Path, new: Path) -> Compared:
    before, after = _written(then), _written(now)
    if before is None or after is None:
        return Compared(path, "new" if before is None else "missing", before, after)
    if before == after or (then and now and os.path.islink(then) != os.path.islink(now)):
        return Compared(path, "equal" if before == after else "differs", before, after)
    assert then is not None
    assert now is not None
    if max(before.size, after.size) > MOST_BYTES:
        return Compared(path, "equal" if are_same_metrics(path, old, new) else "differs", before, after)
    first, second = _content(then), _content(now).replace(os.fsencode(new), os.fsencode(old))
    if are_metrics(path, first, second):
        metrics = parted(old, new)
        result: Result = "equal" if metrics.first is None else "differs"
        return Compared(path, result, before, after, metrics.relative, metrics.first)
    first, second = counting(path, first), counting(path, second)
    if first == second:
        return Compared(path, "equal", before, after)
    return Compared(path, "differs", before, after, relative_difference(first, second))


def relative_difference(first: bytes, second: bytes) -> float | None:
    """The largest relative difference between the numbers of two texts; None if more than numbers differs.

    Example:
        >>> relative_difference(b'{"loss": 0.50}', b'{"loss": 0.51}')
        0.0196...
    """
    try:
        texts = [first.decode(), second.decode()]
    except UnicodeDecodeError:
        return None
    if "\0" in texts[0] or _NUMBER.split(texts[0]) != _NUMBER.split(texts[1]):
        return None
    numbers = zip(*(map(float, _NUMBER.findall(text)) for text in texts), strict=True)
    return max((relative(a, b) for a, b in numbers), default=None)


def _files(folder: Path, without: Collection[str]) -> Iterator[tuple[str, str]]:
    """The files and links below a folder, by their paths in it. Links are not followed."""
    waiting = [("", str(folder))]
    while waiting:
        prefix, place = waiting.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                if not prefix and entry.name in without:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{prefix}{entry.name}/", entry.path))
                elif entry.is_symlink() or entry.is_file():
                    yield prefix + entry.name, entry.path


def _written(path: str | None) -> Written | None:
    if path is None:
        return None
    if os.path.islink(path):
        target = _content(path)
        return Written(len(target), sha256(target).hexdigest())
    digest, size = sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    return Written(size, digest.hexdigest())


def _content(path: str) -> bytes:
    """The content of a file; of a link, its target."""
    if os.path.islink(path):
        return os.fsencode(os.readlink(path))
    with open(path, "rb") as file:
        return file.read()
