"""Two groups of jobs, compared within each combination of what they have in common.

Owns: which cells are compared. A configuration that only one group has is named, and compared with nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, overload

from xpm_core.errors import ResultsError, UnknownColumnError
from xpm_core.results.columns import Column, key_of
from xpm_core.results.digits import fixed
from xpm_core.results.folding.cells import Cell, Hole, notes_of
from xpm_core.results.folding.grouping import Group, Grouping
from xpm_core.results.folding.holes import at_text, holes_of, pooled, said_of, sentence
from xpm_core.results.folding.marking import paired_values
from xpm_core.results.folding.settings import Settings
from xpm_core.results.folding.values import scores_of, value_of
from xpm_core.results.formats.sheet import Sheet, named, phrase_of
from xpm_core.results.formats.written import Written
from xpm_core.results.statistics.aggregates import probability_of_improvement
from xpm_core.results.statistics.comparisons import Comparison, compare, with_holm
from xpm_core.results.statistics.numbers import percent
from xpm_core.states import State
from xpm_core.words.text import listed, plural

_FIELDS = ("a", "b", "difference", "p", "adjusted", "exact_p", "test")
_COLUMNS = [Column(name, "result", name) for name in _FIELDS]


class ComparedRow(Mapping[str, Any]):
    """Two cells, and the difference of the first from the second: a mapping from the names of columns to values.

    Attributes:
        name: What both have in common: `dataset=cranfield`; empty if there is only one comparison.
        comparison: The test: its interval, p-values and notes.

    Example:
        >>> row["dataset"], row["difference"].mean, row["p"], row["adjusted"], row.comparison.test
        ('cranfield', 0.012, 0.004, 0.008, 'paired t')
    """

    __slots__ = ("_columns", "_values", "comparison", "name")

    def __init__(
        self, columns: Sequence[Column], common: Sequence[Any], cells: tuple[Cell, Cell], test: Comparison, level: float
    ) -> None:
        self._columns, self.comparison = columns, test
        self.name = named(columns[: len(common)], common)
        numbers = (test.p, test.adjusted, test.exact_p, test.test or None)
        values = (*common, *cells, _difference(cells, test, level), *numbers)
        self._values = dict(zip(columns, values, strict=True))

    def __getitem__(self, name: str) -> Any:
        for column, value in self._values.items():
            if column.name == name:
                return value
        names = listed([column.name for column in self._columns], 20)
        raise UnknownColumnError("compare", f"no column {name!r}", f"There are: {names}.")

    def __iter__(self) -> Iterator[str]:
        return (column.name for column in self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __str__(self) -> str:
        test = self.comparison
        said = [str(self["difference"])]
        if test.p is not None:
            said.append(f"p={fixed(test.p, None)}, Holm {fixed(test.adjusted or 0.0, None)}")
        if test.exact_p is not None:
            said.append(f"{test.exact_test} p={fixed(test.exact_p, None)}")
        return f"{self.name}: " * bool(self.name) + ", ".join([*said, *([test.note] if test.note else [])])

    def value(self, column: Column) -> Any:
        """The value of a column."""
        return self._values.get(column)


class Comparisons(Written, Sequence[ComparedRow]):
    """The differences of two groups of jobs: `table.compare("model=bm25", "model=dense", over="seed")`.

    Attributes:
        columns: What both groups have in common, then `a`, `b` (cells), `difference` (a cell: a less b), `p`,
            `adjusted` (p by Holm's method for all rows), `exact_p`, `test`.
        a: The filter of the first group.
        b: The filter of the second group.
        notes: What one should know of it, each a sentence.
        codes: The code of each job, the first digits of its digest.
    """

    def __init__(self, rows: Sequence[ComparedRow], columns: Sequence[Column], filters: tuple[str, str]) -> None:
        self._rows, self.columns = rows, columns
        self.a, self.b = filters
        self.notes: list[str] = []
        self.codes: dict[str, str] = {}

    @overload
    def __getitem__(self, at: int) -> ComparedRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[ComparedRow]: ...
    def __getitem__(self, at: int | slice) -> ComparedRow | Sequence[ComparedRow]:
        return self._rows[at]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[ComparedRow]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"<{plural(len(self), 'comparison')} of {self.a} with {self.b}>"

    def sheet(self, bold: str | Sequence[str] = (), within: str | Sequence[str] = ()) -> Sheet:
        """The table as every form of output gets it (`to_latex()` and the like).

        Raises:
            ResultsError: A column is named whose best values are to be bold.
        """
        if bold or within:
            raise ResultsError("bold", "a difference is no better than another one", "Leave it out.")
        columns = [column for column in self.columns if any(row.value(column) is not None for row in self)]
        methods = listed(sorted({row["difference"].method or "no interval" for row in self}))
        said = f"Differences are a ({self.a}) less b ({self.b}): {methods}. Adjusted: p by Holm's method for all rows."
        return Sheet(
            headings=[column.name for column in columns],
            rows=[[row.value(column) for column in columns] for row in self],
            labels=len([column for column in columns if column not in _COLUMNS]),
            names=[row.name for row in self],
            codes=self.codes,
            caption=said,
            notes=[*self.notes, *notes_of((row.name, "difference", row["difference"]) for row in self)],
        )


class Two(NamedTuple):
    """Two groups of jobs.

    Attributes:
        grouping: The jobs of both, by what they differ in.
        filters: The filters that found them.
        first: The identities of the jobs of the first group.
    """

    grouping: Grouping
    filters: tuple[str, str]
    first: Collection[str]

    def sides(self) -> tuple[Sequence[Group], Sequence[Group]]:
        """The configurations of each group.

        Raises:
            ResultsError: One has no job.
        """
        sides = _side(self.grouping, self.first, True), _side(self.grouping, self.first, False)
        for side, filter in zip(sides, self.filters, strict=True):
            if not side:
                remedy = "Write a filter that finds some jobs of the table."
                raise ResultsError("compare", f"no job has {filter}", remedy)
        return sides


def compared(two: Two, metric: Column, settings: Settings) -> Comparisons:
    """Compare two groups within each combination of what they have in common.

    Args:
        two: The groups.
        metric: The result.
        settings: What was folded, and the level of confidence.

    Raises:
        ResultsError: A group has no job, or nothing in common with the other.
    """
    grouping, filters, sides = two.grouping, two.filters, two.sides()
    common = _common(grouping, sides)
    first_by_key, other_by_key = ({_key(group, common): group for group in side} for side in sides)
    both = [key for key in first_by_key if key in other_by_key]
    if not both:
        raise _nothing_in_common(grouping, sides, filters, common)
    divided = replace(grouping, groups=[group for side in sides for group in side])
    holes = {id(group): found for group, found in zip(divided.groups, holes_of(divided), strict=True)}
    cells = [
        [_cell(group, metric, holes[id(group)], settings) for group in (first_by_key[key], other_by_key[key])]
        for key in both
    ]

    def named(key: Any) -> str:
        return at_text(settings.names, key)

    tests = [compare(paired_values(a), paired_values(b), settings.level, named) for a, b in cells]
    columns = [*(grouping.columns[at] for at in common), *_COLUMNS]
    rows = [
        ComparedRow(columns, [first_by_key[key].values[at] for at in common], (pair[0], pair[1]), test, settings.level)
        for key, pair, test in zip(both, cells, with_holm(tests), strict=True)
    ]
    found = Comparisons(rows, columns, filters)
    found.codes = {row.identity: row.code for group in divided.groups for row in group.rows if row.code}
    found.notes = [
        *_several(grouping, sides, common),
        *said_of(grouping, settings.names),
        *pooled(divided, settings.names),
        *_holes(divided, settings),
        *_alone(grouping, (first_by_key, other_by_key)),
    ]
    return found


def improved(two: Two, metric: Column, settings: Settings) -> Cell:
    """The probability that a run of the first group has a greater result than a run of the second, on the same task.

    All names but the last that are folded tell tasks from each other.

    Raises:
        ResultsError: A group has no job, or several configurations; or they do not have the same tasks.
    """
    grouping, sides = two.grouping, two.sides()
    for side, filter in zip(sides, two.filters, strict=True):
        if len(side) > 1:
            names = [
                column.name
                for at, column in enumerate(grouping.columns)
                if len({key_of(group.values[at]) for group in side}) > 1
            ]
            problem = f"{filter} has {len(side)} configurations, which differ in {listed(names)}"
            raise ResultsError("improvement", problem, "Narrow the filter to one, or fold over what tells tasks apart.")
    divided = replace(grouping, groups=[side[0] for side in sides])
    a, b = (
        _cell(group, metric, holes, settings) for group, holes in zip(divided.groups, holes_of(divided), strict=True)
    )
    scores = [scores_of(cell.values, cell.keys) for cell in (a, b)]
    found = probability_of_improvement(scores[0], scores[1], settings.level, settings.seed)
    # Both groups have the same seeds, so a key says of which group it is.
    keys = [(side, *key) for side, cell in enumerate((a, b)) for key in cell.keys]
    missing = [hole._replace(key=(side, *hole.key)) for side, cell in enumerate((a, b)) for hole in cell.missing]
    return Cell(
        found.value, None, found.n, found.interval, found.method, (*a.jobs, *b.jobs), "runs", tuple(missing),
        found.note, (*a.values, *b.values), tuple(keys),
    )  # fmt: skip


def _side(grouping: Grouping, first: Collection[str], inside: bool) -> list[Group]:
    """The groups of one side. A group that has jobs of both is divided."""
    found = []
    for group in grouping.groups:
        pairs = [pair for pair in zip(group.rows, group.keys, strict=True) if (pair[0].identity in first) is inside]
        if pairs:
            found.append(Group(group.values, [row for row, _ in pairs], [key for _, key in pairs]))
    return found


def _common(grouping: Grouping, sides: Sequence[Sequence[Group]]) -> list[int]:
    """The places of the columns in which configurations of both groups must be alike.

    A column in which each group has one value, and the groups differ, is what is compared.
    """
    found = []
    for at in range(len(grouping.columns)):
        values = [{key_of(group.values[at]) for group in side} for side in sides]
        if len(values[0]) > 1 or len(values[1]) > 1 or values[0] == values[1]:
            found.append(at)
    return found


def _key(group: Group, common: Sequence[int]) -> tuple[Any, ...]:
    return tuple(key_of(group.values[at]) for at in common)


def _cell(group: Group, metric: Column, holes: Sequence[Hole], settings: Settings) -> Cell:
    found = value_of(group, metric, holes, settings)
    if isinstance(found, Cell) and not found.values and found.n:
        raise ResultsError("compare", f"{metric.name} is no number: {found.note}", "Name a result that is a number.")
    if not isinstance(found, Cell):
        raise ResultsError("compare", f"{metric.name} is no number: {found!r}", "Name a result that is a number.")
    return found


def _difference(cells: tuple[Cell, Cell], test: Comparison, level: float) -> Cell:
    a, b = cells
    jobs = [
        job
        for cell, other in ((a, b), (b, a))
        for job, key in zip(cell.jobs, cell.keys, strict=True)
        if not test.paired or key in other.keys
    ]
    method = f"{percent(level)} {test.test}" if test.test else ""
    unit = "pairs" if test.paired else "runs"
    return Cell(test.difference, None, test.n, test.interval, method, tuple(jobs), unit, (), test.note)


def _several(grouping: Grouping, sides: Sequence[Sequence[Group]], common: Sequence[int]) -> Iterator[str]:
    """A sentence for groups that differ in more than one column."""
    differing = [
        f"{column.name} ({phrase_of(sides[0][0].values[at])}, {phrase_of(sides[1][0].values[at])})"
        for at, column in enumerate(grouping.columns)
        if at not in common
    ]
    if len(differing) > 1:
        yield f"The two groups differ in {listed(differing, 10)}."


def _nothing_in_common(
    grouping: Grouping, sides: Sequence[Sequence[Group]], filters: tuple[str, str], common: Sequence[int]
) -> ResultsError:
    """The error for two groups none of whose configurations can be compared."""
    apart = []
    for at in common:
        values = [{key_of(group.values[at]): group.values[at] for group in side} for side in sides]
        if not values[0].keys() & values[1].keys():
            lists = [listed([phrase_of(each) for each in side.values()], 3) for side in values]
            apart.append(f"{grouping.columns[at].name} is {lists[0]} in {filters[0]}, and {lists[1]} in {filters[1]}")
    problem = f"{filters[0]} and {filters[1]} have no configuration in common"
    return ResultsError(
        "compare",
        ": ".join([problem, *(["; ".join(apart)] if apart else [])]),
        "Narrow the filters to one value of it.",
    )


def _holes(grouping: Grouping, settings: Settings) -> Iterator[str]:
    for group, holes in zip(grouping.groups, holes_of(grouping), strict=True):
        if holes:
            done = [key for row, key in zip(group.rows, group.keys, strict=True) if row.state is State.DONE]
            yield sentence(grouping.name(group), done, holes, settings.unit)


def _alone(grouping: Grouping, by_key: Sequence[Mapping[Any, Group]]) -> Iterator[str]:
    """A sentence for the configurations that only one group has."""
    alone = [
        grouping.name(group)
        for side, other in (by_key, by_key[::-1])
        for key, group in side.items()
        if key not in other
    ]
    if alone:
        yield f"Compared with nothing, because the other group has no such configuration: {listed(alone)}."
