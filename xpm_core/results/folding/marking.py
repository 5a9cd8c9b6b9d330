"""Marks: which cells are the best, and which are not distinguishable from the best. That is what bold type means.

Owns: marks of cells. The tests are in `statistics`; p-values are corrected for all comparisons of the table.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal

from xpm_core.results.folding.cells import Cell
from xpm_core.results.statistics.comparisons import Values
from xpm_core.results.statistics.marks import marks
from xpm_core.words.text import listed

Mark = Literal["best", "alike", "untested", ""]
"""The best; not distinguishable from it; nobody can tell, because there are too few values; or worse."""


def paired_values(cell: Cell) -> Values:
    """The values of a cell by what was folded, so that equal seeds are compared; without that if a seed comes twice."""
    if len(set(cell.keys)) == len(cell.values):
        return dict(zip(cell.keys, cell.values, strict=True))
    return list(cell.values)


def marked(
    columns: Mapping[Hashable, Mapping[Hashable, Any]], *, lowest: bool, level: float
) -> dict[tuple[Hashable, Hashable], Mark]:
    """The marks of cells, by the column and the name of each.

    Args:
        columns: For each column (a data set) the cell of each name (a model). What is no cell with numbers has no mark.
        lowest: Whether the least mean is the best.
        level: The level of confidence. A cell is worse if its adjusted p is at most 1 - level.
    """
    numbers = {
        column: {name: paired_values(cell) for name, cell in cells.items() if isinstance(cell, Cell) and cell.values}
        for column, cells in columns.items()
    }
    found: dict[tuple[Hashable, Hashable], Mark] = {}
    for column, each in marks(numbers, greatest=not lowest, level=level).items():
        for name in numbers[column]:
            alike: Mark = "alike" if name in each.alike else "untested" if name in each.untested else ""
            found[column, name] = "best" if name == each.best else alike
    return found


def untested(found: Mapping[tuple[Hashable, Hashable], Mark], names: Mapping[Hashable, str]) -> list[str]:
    """A sentence that names the cells that were not tested against the best; none if there are none."""
    wanting = list(dict.fromkeys(names[name] or "all" for (_, name), mark in found.items() if mark == "untested"))
    return [f"Too few values to tell from the best: {listed(wanting)}."] if wanting else []
