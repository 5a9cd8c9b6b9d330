"""Rows as what chooses among them sees them: which column is meant, and how good a row is.

Owns: the order of rows by a result, and the best of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from xpm_core.errors import ResultsError
from xpm_core.results.columns import Column, key_of
from xpm_core.results.folding.cells import Cell


class Valued(Protocol):
    """A row of any table."""

    def value(self, column: Column) -> Any: ...


V = TypeVar("V", bound=Valued)


def as_names(names: str | Sequence[str]) -> Sequence[str]:
    """One name, or several, as several."""
    return (names,) if isinstance(names, str) else names


def only_metric(values: Sequence[Column], place: str) -> Column:
    """The only column of a result.

    Raises:
        ResultsError: There are several, or none.
    """
    if len(values) == 1:
        return values[0]
    names = [column.name for column in values]
    problem = f"expected the name of a result, because there are {len(names)}" if names else "there is no result"
    remedy = f"Name one of: {', '.join(names)}." if names else "Return one from execute(), or call result()."
    raise ResultsError(place, problem, remedy)


def score(value: Any) -> float | None:
    """A number to compare rows by; None if there is none."""
    number = value.mean if isinstance(value, Cell) else value
    return float(number) if isinstance(number, (int, float)) and math.isfinite(number) else None


def best_rows(rows: Iterable[V], metric: Column, by: Sequence[Column], *, lowest: bool) -> list[V]:
    """The best row of each combination of some columns. Rows that are equally good are all returned."""
    found: dict[Any, tuple[float, list[V]]] = {}
    for row in rows:
        value = score(row.value(metric))
        if value is None:
            continue
        key, value = tuple(key_of(row.value(column)) for column in by), -value if lowest else value
        best = found.get(key)
        if best is None or value > best[0]:
            found[key] = value, [row]
        elif value == best[0]:
            best[1].append(row)
    return [row for _, best in found.values() for row in best]


def sort_key(value: Any) -> tuple[int, Any] | None:
    """A value so that values of several types have an order; None if there is none."""
    if isinstance(value, Cell):
        value = value.mean
    if value is None or value != value:
        return None
    return (0, value) if isinstance(value, (bool, int, float)) else (1, str(value))


def sorted_rows(rows: Iterable[V], columns: Sequence[tuple[Column, bool]]) -> list[V]:
    """Rows in the order of some columns, each with whether it descends. Rows without a value come last."""
    found = list(rows)
    for column, descending in reversed(columns):
        keyed = [(sort_key(row.value(column)), row) for row in found]
        having = sorted(
            ((key, row) for key, row in keyed if key is not None), key=lambda pair: pair[0], reverse=descending
        )
        found = [row for _, row in having] + [row for key, row in keyed if key is None]
    return found
