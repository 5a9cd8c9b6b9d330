"""The jobs that a group lacks: seeds that other groups have, and jobs that are not done.

Owns: which those are, and the sentences that name them. A job that does not count in a cell is always a hole of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xpm_core.labels import short
from xpm_core.results.folding.cells import ABSENT, SHOWN, Hole, holes_text, plural_of
from xpm_core.results.folding.grouping import TASK, Group, Grouping, Key, Line
from xpm_core.results.formats.sheet import phrase_of
from xpm_core.states import State
from xpm_core.words.text import listed, plural

NAMED = 10_000
"""How many seeds that groups lack are named in all. Above that, the seeds are no grid, and a note says so."""

_Kind = tuple[bool, ...]
"""Whether a row is foreign, and which of the names that are folded it has not."""


def holes_of(grouping: Grouping) -> list[list[Hole]]:
    """For each group: its jobs that are not done, and the seeds that another group has and it has not.

    Seeds are compared among groups that have the same names: one that has no `seed` lacks none. Those of foreign rows
    are compared among foreign rows: jobs do not lack the seeds of somebody's old runs.
    """
    names = [column.name for column in grouping.over]
    expected = {} if _is_no_grid(grouping) else _expected(grouping)
    return [_holes(group, names, expected) for group in grouping.groups]


def _expected(grouping: Grouping) -> dict[_Kind, dict[Key, None]]:
    """The seeds that any group has, of each kind of rows."""
    found: dict[_Kind, dict[Key, None]] = {}
    for group in grouping.groups:
        for row, key in zip(group.rows, group.keys, strict=True):
            found.setdefault(_kind(row, key), {})[key] = None
    return found


def _is_no_grid(grouping: Grouping) -> bool:
    """Whether the groups lack more seeds than anybody wants to see named, as if each row had a seed of its own."""
    seeds = {key for group in grouping.groups for key in group.keys}
    if len(seeds) * len(grouping.groups) <= NAMED:
        return False
    expected = _expected(grouping)
    lacking = 0
    for group in grouping.groups:
        kinds = {_kind(row, key) for row, key in zip(group.rows, group.keys, strict=True)}
        lacking += sum(len(expected[kind]) for kind in kinds) - len(set(group.keys))
    return lacking > max(NAMED, sum(len(group.rows) for group in grouping.groups))


def _kind(row: Line, key: Key) -> _Kind:
    return row.foreign is not None, *(value is None for value in key)


def _holes(group: Group, names: Sequence[str], expected: Mapping[_Kind, Mapping[Key, None]]) -> list[Hole]:
    found = [
        Hole(at_text(names, key), key, row.state.value if row.state else "unknown", row.identity)
        for row, key in zip(group.rows, group.keys, strict=True)
        if row.state is not State.DONE
    ]
    known = set(group.keys)
    kinds = {_kind(row, key): None for row, key in zip(group.rows, group.keys, strict=True)}
    absent = {key: None for kind in kinds for key in expected.get(kind, ()) if key not in known}
    return [*found, *(Hole(at_text(names, key), key, ABSENT) for key in absent)]


def at_text(names: Sequence[str], key: Key) -> str:
    """What is folded, in words: `seed=3`. Of several names, those without a value are left out."""
    pairs = [(name.rpartition(".")[2], value) for name, value in zip(names, key, strict=True)]
    having = [(name, value) for name, value in pairs if value is not None]
    return " ".join(f"{name}={phrase_of(value)}" for name, value in having or pairs)


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
    if _is_no_grid(grouping):
        yield f"The values of {over} differ so much between groups that those which a group lacks are not named."
    if grouping.along:
        columns = listed([column.name for column in grouping.along])
        also = " and ".join([*names, grouping.along[0].name])
        yield (
            f"No two jobs differ in {over} alone: {columns} differs, too. If that is no other configuration, "
            f"fold over both: {also}."
        )
    yield from _unfolded(grouping)
    if grouping.unknown:
        identities = listed([short(identity) for identity in grouping.unknown], SHOWN)
        yield f"Each stands alone, because its parameters are not known: {identities}."
    for column, none, absent in grouping.unlike:
        yield (
            f"Rows without {column.name} are of two kinds: it is None, as in {short(none)}, or the job has no such "
            f"{'tag' if column.kind == 'tag' else 'parameter'}, as {short(absent)}."
        )
    if grouping.together:
        columns = listed([column.key for column in grouping.together])
        yield f"Folded together with {over}, because its value is the same in each job: {columns}."
    for group in grouping.groups:
        yield from _twice(grouping, group, names)
    yield from _foreign(grouping)
    yield from _versions(grouping, "code", "versions of the code")
    yield from _versions(grouping, "packages", "lists of packages")


def _unfolded(grouping: Grouping) -> Iterator[str]:
    """Parameters such as `train.seed` that rows have in place of `seed`, which is folded: so these rows are not."""
    for place, column in enumerate(grouping.columns):
        having = [group for group in grouping.groups if group.values[place] is not None]
        for at, over in enumerate(grouping.over):
            is_like = column.kind == "param" and column.key.endswith(f".{over.key.rpartition('.')[2]}")
            if is_like and having and all(key[at] is None for group in having for key in group.keys):
                yield (
                    f"{column.name} is not folded, and the jobs that have it have no {over.name}. "
                    f"Fold over both: {over.name} and {column.name}."
                )


def pooled(grouping: Grouping, names: Sequence[str]) -> list[str]:
    """A sentence if runs of several data sets or the like are in one cell: t takes all runs as independent."""
    for group in grouping.groups:
        outer = {key[:-1] for key in group.keys}
        if 1 < len(outer) < len(set(group.keys)):
            few, asked = " and ".join(names[:-1]), " and ".join(names)
            return [
                f"Intervals and tests take all runs as independent. If runs of one {few} are alike, these are too "
                f"narrow: fold over {names[-1]} alone, or aggregate over {asked} in Python."
            ]
    return []


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
            place = f"{grouping.name(group)} {at_text(names, key)}".strip()
            yield f"{place}: {plural(len(jobs), 'job')} differ in nothing else, and all count: {listed(jobs, SHOWN)}."


def _foreign(grouping: Grouping) -> Iterator[str]:
    """Foreign rows that are folded together with jobs, and those of the same task that are not, and why."""
    mixed: list[Group] = []
    own: list[Group] = []
    others: list[Group] = []
    for group in grouping.groups:
        count = sum(row.foreign is not None for row in group.rows)
        (own if count == 0 else others if count == len(group.rows) else mixed).append(group)
    if mixed:
        names = [grouping.name(group) or "all" for group in mixed]
        yield f"Jobs and foreign rows that differ in no tag and parameter are folded together: {listed(names, SHOWN)}."
    places = [at for at, column in enumerate(grouping.columns) if column == TASK]
    for tasks in {tuple(group.values[at] for at in places): None for group in others}:
        ours = [group for group in [*own, *mixed] if tuple(group.values[at] for at in places) == tasks]
        theirs = [group for group in others if tuple(group.values[at] for at in places) == tasks]
        lacking = [
            column.name
            for at, column in enumerate(grouping.columns)
            if ours and all(group.values[at] is None for group in theirs)
        ]
        if lacking:
            count = sum(len(group.rows) for group in theirs)
            name = theirs[0].rows[0].task
            yield (
                f"{plural(count, 'foreign row')} of {name} {'is' if count == 1 else 'are'} folded apart from jobs, "
                f"because they do not say {listed(lacking)}. If it was the same, import them with it."
            )


def _versions(grouping: Grouping, fact: str, what: str) -> Iterator[str]:
    """Groups whose done jobs ran with several versions of something."""
    mixed = []
    for group in grouping.groups:
        versions = {str(getattr(row, fact)) for row in group.rows if row.state is State.DONE and getattr(row, fact)}
        if len(versions) > 1:
            name = grouping.name(group) or "all"
            mixed.append(f"{name} ({', '.join(sorted(versions)[:SHOWN])})")
    if mixed:
        yield f"Jobs of one group ran with several {what}: {listed(mixed, SHOWN)}."
