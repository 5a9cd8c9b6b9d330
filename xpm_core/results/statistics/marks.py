"""Which groups of a table are not distinguishable from the best one: what bold type means.

Owns: the choice of the best, and the marks. May import comparisons.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple, TypeVar

from xpm_core.errors import ResultsError
from xpm_core.results.statistics.arguments import checked_level
from xpm_core.results.statistics.comparisons import Comparison, Values, compare, with_holm
from xpm_core.results.statistics.numbers import as_floats, moments, not_finite

C = TypeVar("C", bound=Hashable)
G = TypeVar("G", bound=Hashable)


class Marks(NamedTuple):
    """What is marked in one column of a table.

    Attributes:
        best: The group with the best mean, the first of several; None if no group has a mean.
        alike: The groups that are not distinguishable from the best, and the best itself.
        untested: The groups that nobody can tell: they, or the best, have too few values, or values that are no
            numbers. They are not in `alike`, and they are not worse either: a caption must name them.
        comparisons: Of each other group with the best one: best less group.
    """

    best: Hashable | None
    alike: frozenset[Hashable]
    untested: frozenset[Hashable]
    comparisons: Mapping[Hashable, Comparison]


def marks(columns: Mapping[C, Mapping[G, Values]], *, greatest: bool = True, level: float = 0.95) -> dict[C, Marks]:
    """For each column of a table: the best group, and the groups that are not distinguishable from it.

    p-values are corrected by Holm's method for all comparisons of the table. A group is distinguishable if its adjusted
    p is at most 1 - level.

    Args:
        columns: For each column (a data set, a metric) the values of each group (a model).
        greatest: Whether the greatest mean is the best, or the least.
        level: The level of confidence, such as 0.95.

    Raises:
        ResultsError: The level is no number between 0 and 1.
    """
    checked_level(level)
    chosen = {column: _best(groups, greatest) for column, groups in columns.items()}
    pairs = [
        (column, group, compare(groups[best], values, level))
        for column, groups in columns.items()
        if (best := chosen[column]) is not None
        for group, values in groups.items()
        if group != best
    ]
    adjusted = with_holm([comparison for _, _, comparison in pairs])
    found: dict[C, dict[Hashable, Comparison]] = {column: {} for column in columns}
    for (column, group, _), comparison in zip(pairs, adjusted, strict=True):
        found[column][group] = comparison
    return {
        column: _marks(chosen[column], groups, found[column], 1 if greatest else -1, level)
        for column, groups in columns.items()
    }


def not_distinguishable(groups: Mapping[G, Values], best: G, level: float = 0.95) -> set[G]:
    """The groups that are not distinguishable from the best one, and the best itself, in one column of a table.

    Groups that could not be tested are not in it; `marks` names them, and corrects for several columns.

    Raises:
        ResultsError: No group has the name `best`, or the level is no number between 0 and 1.
    """
    checked_level(level)
    if best not in groups:
        names = ", ".join(map(repr, groups)) or "none"
        raise ResultsError("best", f"no group has the name {best!r}", f"There are: {names}.")
    others = [group for group in groups if group != best]
    tested = with_holm([compare(groups[best], groups[group], level) for group in others])
    found = dict(zip(others, tested, strict=True))
    return {best} | {group for group in others if _alike(found[group], level)}


def _alike(comparison: Comparison, level: float) -> bool:
    return comparison.adjusted is not None and comparison.adjusted > 1 - level


def _best(groups: Mapping[G, Values], greatest: bool) -> G | None:
    means = {}
    for group, values in groups.items():
        numbers = as_floats(values.values() if isinstance(values, Mapping) else values)
        if numbers and not not_finite(numbers):
            means[group] = moments(numbers)[0] * (1 if greatest else -1)
    return max(means, key=lambda group: means[group], default=None)


def _marks(
    best: Hashable | None, groups: Mapping[G, Values], found: Mapping[Hashable, Comparison], sign: int, level: float
) -> Marks:
    """The marks of a column. A group is never worse if the runs that it shares with the best say that it is better."""
    if best is None:
        return Marks(None, frozenset(), frozenset(groups), {})
    alike = {
        group
        for group, comparison in found.items()
        if _alike(comparison, level) or (comparison.adjusted is not None and sign * comparison.difference <= 0)
    }
    untested = {group for group, comparison in found.items() if comparison.adjusted is None}
    return Marks(best, frozenset(alike | {best}), frozenset(untested), found)
