"""The value of a group in a column: a cell, or what all of its jobs have in common.

Owns: which jobs count. They are done, and have reported a number (a bool counts as 0 or 1).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

from xpm_core.results.columns import Column, key_of
from xpm_core.results.folding.cells import Cell, Hole
from xpm_core.results.folding.grouping import Group, Key, Line
from xpm_core.results.folding.holes import at_text
from xpm_core.results.folding.settings import Settings
from xpm_core.results.statistics.aggregates import aggregate
from xpm_core.results.statistics.intervals import summary
from xpm_core.results.statistics.numbers import as_floats, counted
from xpm_core.states import State
from xpm_core.words.text import listed


def value_of(group: Group, column: Column, holes: Sequence[Hole], settings: Settings) -> Any:
    """The value of a group in a column.

    Returns:
        A cell; a text that all jobs have reported alike; None if no job has a value, and none is to come.
    """
    counting: list[tuple[Line, Key, Any]] = []
    missing = list(holes)
    for row, key in zip(group.rows, group.keys, strict=True):
        if row.state is not State.DONE:
            continue
        value = row.value(column)
        if value is None:
            missing.append(Hole(at_text(settings.names, key), key, f"without {column.name}", row.identity))
        else:
            counting.append((row, key, value))
    values = [value for _, _, value in counting]
    other = [value for value in values if not isinstance(value, (int, float))]
    if other and len({key_of(value) for value in values}) == 1:
        return values[0]
    jobs, keys = tuple(row.identity for row, _, _ in counting), tuple(key for _, key, _ in counting)
    unit = settings.unit if len(set(keys)) == len(keys) else "runs"
    if other:
        note = _no_numbers(values, other)
        return Cell(math.nan, None, len(values), None, "", jobs, unit, tuple(missing), note, (), keys)
    if settings.interval == "stratified":
        return _aggregated(as_floats(values), jobs, keys, unit, tuple(missing), settings)
    found = summary(values, settings.interval, settings.level, settings.range, settings.seed)
    note = ". ".join(filter(None, [found.note, _two_kinds(values)]))
    return Cell(
        found.mean, found.sd, found.n, found.interval, found.method, jobs, unit, tuple(missing), note,
        tuple(as_floats(values)), keys,
    )  # fmt: skip


def _two_kinds(values: Sequence[Any]) -> str:
    """What to say of truth values among numbers; empty if all are of one kind."""
    count = sum(isinstance(value, bool) for value in values)
    if count in (0, len(values)):
        return ""
    verb = "is" if count == 1 else "are"
    return f"{count} of {counted(len(values), 'value')} {verb} true or false, which counts as 1 or 0"


def _no_numbers(values: Sequence[Any], other: Sequence[Any]) -> str:
    kinds = len({repr(value) for value in other})
    if len(other) == len(values):
        return f"{kinds} different values, none of which is a number"
    return f"{len(other)} of {counted(len(values), 'value')} {'is' if len(other) == 1 else 'are'} no number"


def _aggregated(
    values: Sequence[float],
    jobs: tuple[str, ...],
    keys: tuple[Key, ...],
    unit: str,
    missing: tuple[Hole, ...],
    settings: Settings,
) -> Cell:
    """One number for several tasks: all names but the last tell tasks from each other."""
    found = aggregate(scores_of(values, keys), settings.statistic, settings.level, settings.seed)
    note = ". ".join(filter(None, [found.note, _tasks_without_runs(keys, missing, settings.names)]))
    return Cell(
        found.value, None, found.n, found.interval, found.method, jobs, unit, missing, note, tuple(values), keys
    )


def _tasks_without_runs(keys: Sequence[Key], missing: Sequence[Hole], names: Sequence[str]) -> str:
    """What to say if an aggregate lacks whole tasks that other ones have: then it is not comparable with them."""
    known = {key[:-1] for key in keys}
    lacking = {hole.key[:-1]: None for hole in missing if hole.key[:-1] not in known}
    if not lacking or not known:
        return ""
    told = listed([at_text(names[:-1], key) for key in lacking], 3)
    return (
        f"not comparable with aggregates of all tasks, because {told} {'has' if len(lacking) == 1 else 'have'} no run"
    )


def scores_of(values: Sequence[float], keys: Sequence[Key]) -> dict[Hashable, list[float]]:
    """The values of each task: all names but the last that were folded tell tasks from each other."""
    scores: dict[Hashable, list[float]] = {}
    for key, value in zip(keys, values, strict=True):
        scores.setdefault(key[:-1], []).append(value)
    return scores
