"""A table with one value in each place: rows by some columns, columns by others.

Owns: the places, and the error for two rows that would share one. Nothing is ever averaged here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from xpm_core.errors import ResultsError, UnknownColumnError
from xpm_core.results.columns import Column, key_of
from xpm_core.results.folding.cells import notes_of
from xpm_core.results.folding.choosing import Valued
from xpm_core.results.folding.marking import ALIKE, Mark, marked, untested
from xpm_core.results.formats.sheet import Sheet, Span, named, phrase_of
from xpm_core.results.formats.written import Written
from xpm_core.words.text import listed, plural


class PivotRow(Mapping[str, Any]):
    """A row of a pivot: a mapping from the names of its columns to values and cells.

    Attributes:
        name: What tells it from other rows: `model=bm25`.
        marks: The mark of each cell that has one, by the name of its column: "best", "alike" for what is not
            distinguishable from the best, "untested" for what cannot be tested.

    Example:
        >>> row["model"], row["cranfield"].mean, row.marks["cranfield"]
        ('bm25', 0.41, 'best')
    """

    __slots__ = ("_columns", "_values", "marks", "name")

    def __init__(self, name: str, columns: Sequence[Column], values: Mapping[Column, Any]) -> None:
        self.name, self._columns, self._values = name, columns, values
        self.marks: dict[str, Mark] = {}

    def __getitem__(self, name: str) -> Any:
        for column in self._columns:
            if column.name == name:
                return self._values.get(column)
        names = listed([column.name for column in self._columns], 10)
        raise UnknownColumnError("pivot", f"no column {name!r}", f"There are: {names}.")

    def __iter__(self) -> Iterator[str]:
        return (column.name for column in self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def value(self, column: Column) -> Any:
        """The value of a column; None if the place is empty."""
        return self._values.get(column)


class Pivot(Written, Sequence[PivotRow]):
    """A table with one value in each place: `table.over("seed").pivot("model", "dataset", "accuracy")`.

    Attributes:
        columns: Its columns: first those of the rows, then one for each combination of the others.
        places: The latter.
        value: The column whose values stand in the places.
        across: The columns whose combinations became its places.
        notes: What one should know of it, each a sentence.
        caption: A sentence for its caption; empty if nothing was folded.
        untested: A sentence that names the cells of which nobody can tell whether they are worse than the best.
        sources: The jobs of each place that has any, by the numbers of its row and of its column.
        codes: The code of each job, the first digits of its digest.
    """

    def __init__(
        self, rows: Sequence[PivotRow], columns: Sequence[Column], places: Sequence[Column], value: Column
    ) -> None:
        self._rows, self.columns, self.places, self.value = rows, columns, places, value
        self.across: Sequence[Column] = ()
        self.notes: list[str] = []
        self.caption = ""
        self.untested: list[str] = []
        self.sources: dict[tuple[int, int], tuple[str, ...]] = {}
        self.codes: dict[str, str] = {}

    @overload
    def __getitem__(self, at: int) -> PivotRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[PivotRow]: ...
    def __getitem__(self, at: int | slice) -> PivotRow | Sequence[PivotRow]:
        return self._rows[at]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[PivotRow]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"<{plural(len(self), 'row')} of {self.value.name} with {listed([each.name for each in self.columns])}>"

    def mark(self, *, lowest: bool, level: float) -> None:
        """Set the marks of the rows: the best of each column, and what is not distinguishable from it."""
        names: dict[Hashable, str] = {at: row.name for at, row in enumerate(self)}
        cells: dict[Hashable, dict[Hashable, Any]] = {
            place: {at: row.value(place) for at, row in enumerate(self)} for place in self.places
        }
        found = marked(cells, lowest=cells.keys() if lowest else (), level=level)
        for place in self.places:
            for at, row in enumerate(self):
                if mark := found.get((place, at), ""):
                    row.marks[place.name] = mark
        self.untested = untested(found, names, {place: place.name for place in self.places})
        self.notes += self.untested

    def sheet(self, bold: str | Sequence[str] = (), within: str | Sequence[str] = ()) -> Sheet:
        """The table as every form of output gets it (`to_latex()` and the like).

        Raises:
            ResultsError: A column is named. Each of a pivot's columns has its best.
        """
        if bold or within:
            raise ResultsError(
                "bold", "the best of each column is bold already", "Leave it out, or pivot(lowest=True)."
            )
        rows = [[row.value(column) for column in self.columns] for row in self]
        best = {
            (at, place)
            for at, row in enumerate(self)
            for place, column in enumerate(self.columns)
            if row.marks.get(column.name) in ("best", "alike")
        }
        first = len(self.columns) - len(self.places)
        is_named = len(self.across) == 1 and all("=" not in column.name for column in self.places)
        said = [
            self.caption or f"Values are those of {self.value.name}.",
            ALIKE.format(" of each column") if best else "",
            *self.untested,
        ]
        return Sheet(
            headings=[column.name for column in self.columns],
            rows=rows,
            labels=first,
            spans=[Span(self.across[0].name, first, len(self.columns) - 1)] if is_named and self.places else [],
            names=[row.name for row in self],
            sources=self.sources,
            codes=self.codes,
            bold=best,
            caption=" ".join(filter(None, said)),
            notes=[
                *(note for note in self.notes if note not in self.untested),
                *notes_of((row.name, column.name, row.value(column)) for row in self for column in self.places),
            ],
        )


def pivoted(
    rows: Iterable[Valued], by: Sequence[Column], across: Sequence[Column], value: Column, differing: Sequence[Column]
) -> Pivot:
    """Place each row where its columns say.

    Args:
        rows: The rows.
        by: The columns that tell the rows of the pivot from each other.
        across: The columns whose combinations become columns.
        value: The column whose value is placed.
        differing: All columns in which rows differ, besides what was folded.

    Raises:
        ResultsError: Two rows have one place.
    """
    if not by or not across:
        raise ResultsError("pivot", "expected the names of rows and of columns", 'Write pivot("model", "dataset").')
    rows, silent = _reporting(list(rows), value)
    taken: dict[tuple[Any, Any], list[Valued]] = {}
    lines: dict[Any, tuple[Any, ...]] = {}
    heads: dict[Any, tuple[Any, ...]] = {}
    for row in rows:
        line, head = _key(row, by), _key(row, across)
        lines.setdefault(line, tuple(row.value(column) for column in by))
        heads.setdefault(head, tuple(row.value(column) for column in across))
        taken.setdefault((line, head), []).append(row)
    rest = [column for column in differing if column not in by and column not in across]
    for (line, head), found in taken.items():
        if len(found) > 1:
            place = f"{named(by, lines[line])} {named(across, heads[head])}"
            raise _shared(place, found, rest)
    places = {head: Column(name, "result", name) for head, name in _heads(across, heads, by).items()}
    columns = [*by, *places.values()]
    made = []
    for line, values in lines.items():
        row_values = dict(zip(by, values, strict=True)) | {
            column: taken[line, head][0].value(value) for head, column in places.items() if (line, head) in taken
        }
        made.append(PivotRow(named(by, values), columns, row_values))
    pivot = Pivot(made, columns, list(places.values()), value)
    pivot.across = across
    rows_at, columns_at = ({key: at for at, key in enumerate(keys)} for keys in (lines, heads))
    for (line, head), found in taken.items():
        jobs = found[0].lines
        pivot.sources[rows_at[line], len(by) + columns_at[head]] = tuple(job.identity for job in jobs)
        pivot.codes.update({job.identity: job.code for job in jobs if job.code})
    unseen = [column.name for column in rest if len({key_of(row.value(column)) for row in rows}) > 1]
    if unseen and len(taken) > 1:
        pivot.notes.append(f"Places differ in what is not shown, too: {listed(unseen)}.")
    if silent:
        pivot.notes.append(f"Left out, because they do not report {value.name}: {listed(silent)}.")
    return pivot


def _reporting(rows: Sequence[Valued], value: Column) -> tuple[Sequence[Valued], list[str]]:
    """The rows of tasks that report a result, whether these rows have it or not; and the names of the other tasks."""
    tasks = {line.job.task for row in rows for line in row.lines if line.value(value) is not None}
    if not tasks:
        return rows, []
    kept = [row for row in rows if any(line.job.task in tasks for line in row.lines)]
    lines = (line for row in rows for line in row.lines)
    return kept, list(dict.fromkeys(line.task for line in lines if line.job.task not in tasks))


def _key(row: Valued, columns: Sequence[Column]) -> tuple[Any, ...]:
    return tuple(key_of(row.value(column)) for column in columns)


def _heads(across: Sequence[Column], heads: Mapping[Any, tuple[Any, ...]], by: Sequence[Column]) -> dict[Any, str]:
    """The names of the columns: the value alone where that is no name yet."""
    if len(across) == 1:
        names = {head: phrase_of(values[0]) for head, values in heads.items()}
        others = {column.name for column in by}
        if len(set(names.values())) == len(names) and not others & set(names.values()):
            return names
    full = {head: named(across, values) for head, values in heads.items()}
    if len(set(full.values())) == len(full):
        return full
    return {
        head: " ".join(f"{column.name}={value!r}" for column, value in zip(across, values, strict=True))
        for head, values in heads.items()
    }


def _shared(place: str, rows: Sequence[Valued], rest: Sequence[Column]) -> ResultsError:
    """The error for two rows in one place: in what they differ, and what can be done."""
    differing = []
    for column in rest:
        values = {key_of(row.value(column)): row.value(column) for row in rows}
        if len(values) > 1:
            differing.append((column.name, listed([phrase_of(each) for each in values.values()], 3)))
    problem = f"{len(rows)} rows have the place {place}"
    if not differing:
        return ResultsError("pivot", f"{problem}, and differ in no tag or parameter", "Leave all but one out.")
    differ = "; ".join(f"{name} ({values})" for name, values in differing[:3])
    first = differing[0][0]
    remedy = f'Fold it: .over("{first}").pivot(...); or choose: .where("{first}=..."); or add it to the rows.'
    return ResultsError("pivot", f"{problem}, and differ in {differ}", remedy)
