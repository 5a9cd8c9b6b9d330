"""The file of the names of a workspace, in the user's cache: the names first, then a line for each job, sorted.

A job's line is found by its first characters without reading the others, so that the file may have many.

Owns: the form of the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from xpm_core.index.folders import memory_file

VERSION = 3


class Stored(NamedTuple):
    """What the file says before its lines.

    Attributes:
        names: The names (see `Names.data`).
        seen: How far each file of the index was read: its inode, and the end of the last line, by its path.
        removals: How many bytes the files had that say which jobs were removed. These jobs are left out.
    """

    names: Mapping[str, Any]
    seen: Mapping[str, tuple[int, int]]
    removals: int


def names_file(workspace: Path) -> Path:
    """The file of a workspace."""
    return memory_file(workspace).with_suffix(".names")


def write(workspace: Path, stored: Stored, jobs: Mapping[str, str]) -> None:
    """Write the file.

    Args:
        workspace: The workspace.
        stored: What comes first.
        jobs: The titles of all jobs, by the start of their identities.

    Raises:
        OSError: It cannot be written.
    """
    path = names_file(workspace)
    head = {"version": VERSION, "workspace": os.fspath(workspace), **stored._asdict()}
    lines = [json.dumps(head), *(f"{identity}\t{jobs[identity]}" for identity in sorted(jobs))]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write("\n".join([*lines, ""]).encode("utf-8", "backslashreplace"))
    os.replace(temporary, path)


def read(workspace: Path) -> Stored | None:
    """Read what comes first; None if there is no such file, or it is of another version."""
    try:
        with open(names_file(workspace), "rb") as file:
            head = json.loads(file.readline())
        if head["version"] == VERSION and head["workspace"] == os.fspath(workspace):
            seen = {path: (inode, end) for path, (inode, end) in head["seen"].items()}
            return Stored(head["names"], seen, head["removals"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def jobs_from(workspace: Path, prefix: str, most: int) -> list[tuple[str, str]]:
    """Return the jobs whose identities begin so, each with its title, sorted.

    Args:
        workspace: The workspace.
        prefix: The first characters.
        most: How many jobs to return at most.
    """
    wanted = prefix.encode()
    found: list[tuple[str, str]] = []
    try:
        with open(names_file(workspace), "rb") as file:
            for row in _lines_from(file, wanted):
                if not row.startswith(wanted) or len(found) == most:
                    break
                identity, _, title = row.decode("utf-8", "replace").rstrip("\n").partition("\t")
                found.append((identity, title))
    except OSError:
        pass
    return found


def _lines_from(file: BinaryIO, wanted: bytes) -> Iterator[bytes]:
    """The lines of the jobs, from the first one that is not smaller than the wanted bytes."""
    file.readline()
    low, high = file.tell(), os.fstat(file.fileno()).st_size
    while low < high:  # the line that is looked for begins at low, or later, and at high at the latest
        middle = (low + high) // 2
        file.seek(middle - 1)
        file.readline()  # the rest of a line; nothing but the end of the line before, if a line begins at middle
        start = file.tell()
        if start >= high or file.readline() >= wanted:
            high = middle
        else:
            low = file.tell()
    file.seek(low)
    return iter(file)
