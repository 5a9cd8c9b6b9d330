"""Marks: which cells are the best, and which are not distinguishable from the best. That is what bold type means.

Owns: marks of cells. The tests are in `statistics`; p-values are corrected for all comparisons of the table.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any, Literal

from xpm_core.results.folding.cells import Cell
from xpm_core.results.statistics.comparisons import Values
from xpm_core.results.statistics.intervals import LEAST
from xpm_core.results.statistics.marks import marks
from xpm_core.words.text import listed

ALIKE = "Bold: the best{}, and what is not distinguishable from it by t tests with Holm's correction."
"""A sentence for captions; for tables with several best values, it takes what each of them is the best of."""

Mark = Literal["best", "alike", "untested", ""]
"""The best; not distinguishable from it; nobody can tell, because values are too few or not finite; or worse."""


def paired_values(cell: Cell) -> Values:
    """The values of a cell by what was folded, so that equal seeds are compared; without that if a seed comes twice."""
    if len(set(cell.keys)) == len(cell.values):
        return dict(zip(cell.keys, cell.values, strict=True))
    return list(cell.values)


def marked(
    columns: Mapping[Hashable, Mapping[Hashable, Any]], *, lowest: Collection[Hashable] = (), level: float
) -> dict[tuple[Hashable, Hashable], Mark]:
    """The marks of cells, by the column and the name of each.

    If the cell with the best mean can be tested against no other one, nobody can tell which is the best: none is. The
    only cell of a column is its best, unless it has too few values.

    Args:
        columns: For each column (a data set) the cell of each name (a model). What is no cell with numbers has no mark.
        lowest: The columns in which the least mean is the best.
        level: The level of confidence. A cell is worse if its adjusted p is at most 1 - level.
    """
    numbers = {
        column: {
            name: _negative(paired_values(cell)) if column in lowest else paired_values(cell)
            for name, cell in cells.items()
            if isinstance(cell, Cell) and cell.values
        }
        for column, cells in columns.items()
    }
    found: dict[tuple[Hashable, Hashable], Mark] = {}
    for column, each in marks(numbers, level=level).items():
        is_known = len(each.untested) + 1 < len(numbers[column])
        if len(numbers[column]) == 1:  # nothing to be compared with
            is_known = all(len(values) >= LEAST for values in numbers[column].values())
        for name in numbers[column]:
            mark: Mark = "untested" if name in each.untested or not is_known else "alike" if name in each.alike else ""
            found[column, name] = "best" if name == each.best and is_known else mark
    return found


def _negative(values: Values) -> Values:
    """The values with the other sign, so that the least is the greatest."""
    if isinstance(values, Mapping):
        return {key: -value for key, value in values.items()}
    return [-value for value in values]


def untested(
    found: Mapping[tuple[Hashable, Hashable], Mark],
    names: Mapping[Hashable, str],
    columns: Mapping[Hashable, str],
) -> list[str]:
    """A sentence that names the cells of which nobody can tell; none if there are none.

    Args:
        found: The marks.
        names: What the names of cells are called.
        columns: The same of columns.
    """
    wanting: dict[Hashable, list[Hashable]] = {}
    for (column, name), mark in found.items():
        if mark == "untested":
            wanting.setdefault(name, []).append(column)
    if not wanting:
        return []
    said = []
    for name, some in wanting.items():
        everywhere = len(some) == sum(other == name for _, other in found)
        where = listed([text for column in some if (text := columns.get(column, ""))])
        said.append((names[name] or "all") + (f" ({where})" if where and not everywhere else ""))
    needs = f"a test needs {LEAST} values on each side, and no nan or infinity"
    return [f"Not told from the best, because {needs}: {listed(said)}."]
