"""What this machine remembers of the index of a workspace: `~/.cache/xpm/index/`. It can be deleted at any time.

Jobs of one task that have the same tags, parameters and results form a group. The values of a group lie in columns.

Owns: the file, and what makes it out of date.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgpack

from xpm_core.index.columns import Cells, Columns
from xpm_core.index.entries import End, Entry
from xpm_core.index.folders import memory_file
from xpm_core.states import State

_END = [each.name for each in fields(End) if each.name not in ("state", "results")]
"""What is kept of ends, a list each. Results lie in columns."""
VERSION = [6, *_END]
"""Version of the file and of the rules by which ends are compared, and what the file has of the end of a job. A file of
another version is not read."""


@dataclass
class Seen:
    """How far a file of the index was read: its inode, and the end of the last whole line."""

    inode: int
    offset: int


@dataclass
class Memory:
    """What was read of an index.

    Attributes:
        entries: The entries, by identity.
        seen: How far each file was read, by its path.
        damaged: How many lines cannot be understood, by file.
        removals: How many bytes the files had that say which jobs were removed. Its lines are left out of the entries.
    """

    entries: dict[str, Entry]
    seen: dict[str, Seen]
    damaged: dict[str, int]
    removals: int = 0


def recall(workspace: Path, files: set[str], removals: int = 0) -> Memory:
    """What was read before; nothing if a file has gone, was replaced, or is shorter than it was, or jobs were removed.

    Args:
        workspace: The workspace.
        files: The paths of the files that its index has now.
        removals: How many bytes the files have that say which jobs were removed.
    """
    try:
        data = msgpack.unpackb(memory_file(workspace).read_bytes(), strict_map_key=False)
        if data["version"] == VERSION and data["workspace"] == os.fspath(workspace):
            seen = {path: Seen(inode, offset) for path, (inode, offset) in data["seen"].items()}
            if data.get("removals", 0) == removals and all(
                path in files and goes_on(path, each) for path, each in seen.items()
            ):
                return Memory(_entries(data), seen, dict(data["damaged"]), removals)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, msgpack.UnpackException):
        pass
    return Memory({}, {}, {}, removals)


def remember(workspace: Path, memory: Memory) -> None:
    """Write what was read. If it cannot be written, the index has to be read again, which is enough."""
    with contextlib.suppress(OSError, ValueError, TypeError, OverflowError):
        data = msgpack.packb({
            "version": VERSION,
            "workspace": os.fspath(workspace),
            "seen": {path: (each.inode, each.offset) for path, each in memory.seen.items()},
            "damaged": memory.damaged,
            "removals": memory.removals,
            **_groups(memory.entries),
        })  # fmt: skip
        path = memory_file(workspace)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        os.replace(temporary, path)


def goes_on(path: str, seen: Seen) -> bool:
    """Whether a file is the one that was read, and has at most grown since."""
    try:
        about = os.stat(path)
    except OSError:
        return False
    return about.st_ino == seen.inode and about.st_size >= seen.offset


def _groups(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """Entries as the file has them; `places` says where each entry of the groups, one after the other, comes."""
    groups: dict[tuple[Any, ...], list[tuple[int, Entry]]] = {}
    for place, entry in enumerate(entries.values()):
        results = entry.end.results if entry.end is not None else ()
        groups.setdefault((entry.task, *entry.tags, None, *entry.params, None, *results), []).append((place, entry))
    places = [place for group in groups.values() for place, _ in group]
    return {"places": places, "groups": [_group([entry for _, entry in group]) for group in groups.values()]}


def _group(entries: list[Entry]) -> dict[str, Any]:
    ended = [entry.end for entry in entries if entry.end is not None]
    return {
        "task": entries[0].task,
        "identities": [entry.identity for entry in entries],
        "tags": Columns.of([entry.tags for entry in entries]).data(),
        "params": Columns.of([entry.params for entry in entries]).data(),
        "experiments": [entry.experiments for entry in entries],
        "submitted": [entry.submitted_s for entry in entries],
        "described": [entry.described_s for entry in entries],
        "ended": [entry.end is not None for entry in entries],
        "results": Columns.of([end.results for end in ended]).data(),
        "ends": [[end.state.value for end in ended], *([getattr(end, name) for end in ended] for name in _END)],
    }


def _entries(data: Mapping[str, Any]) -> dict[str, Entry]:
    found: list[Entry] = []
    for group in data["groups"]:
        found += _entries_of(group)
    places = data["places"]
    if len(data["groups"]) > 1:
        found = [entry for _, entry in sorted(zip(places, found, strict=True), key=itemgetter(0))]
    return {entry.identity: entry for entry in found}


def _entries_of(group: Mapping[str, Any]) -> Iterable[Entry]:
    tags, params, states = (
        Columns.read(group["tags"]),
        Columns.read(group["params"]),
        {each.value: each for each in State},
    )
    columns, results = group["ends"], Columns.read(group["results"])
    reported = map(Cells, repeat(results), range(len(columns[0])))
    ends = map(End, map(states.__getitem__, columns[0]), *columns[1:], reported)
    numbers = range(len(group["identities"]))
    return map(
        Entry, group["identities"], repeat(group["task"]), map(Cells, repeat(tags), numbers),
        map(Cells, repeat(params), numbers), group["experiments"], group["submitted"], group["described"],
        [next(ends) if ended else None for ended in group["ended"]],
    )  # fmt: skip
