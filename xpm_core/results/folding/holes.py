"""The jobs that a group lacks: seeds that other groups have, and jobs that are not done.

Owns: which those are, and the sentences that name them. A job that does not count in a cell is always a hole of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from xpm_core.labels import short
from xpm_core.results.columns import Column, told
from xpm_core.results.folding.cells import ABSENT, SHOWN, Hole, holes_text, plural_of
from xpm_core.results.folding.grouping import Group, Grouping, Key
from xpm_core.states import State
from xpm_core.words.text import listed, plural


def holes_of(grouping: Grouping) -> list[list[Hole]]:
    """For each group: its jobs that are not done, and the seeds that another group has and it has not.

    Seeds are compared among groups that have the same names: one that has no `seed` lacks none.
    """
    names = [column.name for column in grouping.over]
    expected: dict[tuple[bool, ...], dict[Key, None]] = {}
    for group in grouping.groups:
        for key in group.keys:
            expected.setdefault(_pattern(key), {})[key] = None
    return [_holes(group, names, expected) for group in grouping.groups]


def _pattern(key: Key) -> tuple[bool, ...]:
    return tuple(value is None for value in key)


def _holes(group: Group, names: Sequence[str], expected: dict[tuple[bool, ...], dict[Key, None]]) -> list[Hole]:
    found = [
        Hole(at_text(names, key), key, row.state.value if row.state else "unknown", row.identity)
        for row, key in zip(group.rows, group.keys, strict=True)
        if row.state is not State.DONE
    ]
    known = set(group.keys)
    for pattern in {_pattern(key): None for key in group.keys}:
        absent = [key for key in expected[pattern] if key not in known]
        found += [Hole(at_text(names, key), key, ABSENT) for key in absent]
    return found


def at_text(names: Sequence[str], key: Key) -> str:
    """What is folded, in words: `seed=3`."""
    return " ".join(f"{name.rpartition('.')[2]}={told(value)}" for name, value in zip(names, key, strict=True))


def group_text(columns: Sequence[Column], values: Sequence[Any]) -> str:
    """A group in words, by what it is told by: `model=bm25 lr=0.1`."""
    return " ".join(
        f"{column.name}={told(value)}" for column, value in zip(columns, values, strict=True) if value is not None
    )


def unit_of(names: Sequence[str]) -> str:
    """What is counted when some names are folded."""
    return plural_of(names[0]) if len(names) == 1 else "runs"


def sentence(group: str, keys: Sequence[Key], holes: Sequence[Hole], unit: str) -> str:
    """The holes of a group in a sentence: `lr=0.1: 3 of 5 seeds (1 running, 1 failed: xpm show 3f2a91c).`

    Args:
        group: The group in words.
        keys: What was folded, of each job that counts.
        holes: Its holes.
        unit: What is counted.
    """
    of = len({*keys, *(hole.key for hole in holes)})
    return f"{group}: " * bool(group) + f"{len(set(keys))} of {of} {unit} ({holes_text(holes)})."


def said_of(grouping: Grouping, names: Sequence[str]) -> Iterator[str]:
    """What else a reader must know of the groups: jobs that differ in nothing, and jobs of other code or packages."""
    over = " and ".join(names)
    if grouping.along:
        columns = listed([column.name for column in grouping.along])
        also = ", ".join(f'"{name}"' for name in [*names, grouping.along[0].name])
        yield (
            f"No two jobs differ in {over} alone: {columns} differs, too. If that is no other configuration, "
            f"fold both: .over({also})."
        )
    if grouping.unknown:
        identities = listed([short(identity) for identity in grouping.unknown], SHOWN)
        yield f"Each stands alone, because its parameters are not known: {identities}."
    if grouping.together:
        columns = listed([column.key for column in grouping.together])
        yield f"Folded together with {over}, because its value is the same in each job: {columns}."
    for group in grouping.groups:
        yield from _twice(grouping, group, names)
    yield from _versions(grouping, "code", "versions of the code")
    yield from _versions(grouping, "packages", "lists of packages")


def _twice(grouping: Grouping, group: Group, names: Sequence[str]) -> Iterator[str]:
    """Jobs of a group that have the same seed, and are done."""
    if len(set(group.keys)) == len(group.keys):
        return
    by_key: dict[Key, list[str]] = {}
    for row, key in zip(group.rows, group.keys, strict=True):
        if row.state is State.DONE:
            by_key.setdefault(key, []).append(short(row.identity))
    for key, jobs in by_key.items():
        if len(jobs) > 1:
            where = group_text([*grouping.columns], group.values)
            place = f"{where} {at_text(names, key)}".strip()
            yield f"{place}: {plural(len(jobs), 'job')} differ in nothing else, and all count: {listed(jobs, SHOWN)}."


def _versions(grouping: Grouping, fact: str, what: str) -> Iterator[str]:
    """Groups whose done jobs ran with several versions of something."""
    mixed = []
    for group in grouping.groups:
        versions = {str(getattr(row, fact)) for row in group.rows if row.state is State.DONE and getattr(row, fact)}
        if len(versions) > 1:
            name = group_text(grouping.columns, group.values) or "all"
            mixed.append(f"{name} ({', '.join(sorted(versions)[:SHOWN])})")
    if mixed:
        yield f"Jobs of one group ran with several {what}: {listed(mixed, SHOWN)}."
