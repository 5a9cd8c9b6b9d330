"""The forms of a grid in YAML: `{grid: [1, 2, 3]}`, `{range: [0, 10, 2]}`, `{logspace: [1e-5, 1e-1, 5]}`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from xpm_core.errors import ExperimentFileError
from xpm_core.language.dict_form.dict_reader import SourceLines
from xpm_core.scalars import is_number, is_whole
from xpm_core.tracebacks.callsite import CodeLine, format_line

GRID, RANGE, LOGSPACE = "grid", "range", "logspace"
FORMS = (GRID, RANGE, LOGSPACE)

LONGEST = 10_000
"""How many values one grid can have, and how many combinations an experiment's file."""

DIGITS = 12
"""Significant digits of the numbers of a `logspace`, so that 1e-4 is 0.0001 and not 0.00010000000000000002."""


class Option(NamedTuple):
    """One of the values of a grid.

    Attributes:
        plain: The value, as YAML has it.
        place: Its line.
        name: Its name, if the grid gives names; else None.
    """

    plain: Any
    place: CodeLine
    name: str | None = None


def is_grid(value: Any) -> bool:
    """Whether a value has the form of a grid: a dict with one entry of that name."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in FORMS


def options(form: dict[str, Any], lines: SourceLines, where: str) -> list[Option]:
    """The values of a grid, in order.

    Args:
        form: The grid.
        lines: The lines of the file.
        where: The path of the parameter.

    Raises:
        ExperimentFileError: The form is wrong, or has no value, or too many.
    """
    ((name, given),) = form.items()
    place = lines.place(form, name)

    def refuse(wrong: str, remedy: str) -> ExperimentFileError:
        return ExperimentFileError(f"{format_line(place)}: {where}", f"{name}: {wrong}", remedy)

    found = _named(given, lines) if name == GRID and isinstance(given, dict) else None
    if found is None:
        found = [Option(value, at) for value, at in _LISTS[name](given, lines, place, refuse)]
    if not found:
        raise refuse("it has no values", "Give at least one.")
    if len(found) > LONGEST:
        raise refuse(f"it has {len(found)} values, {LONGEST} are allowed", "Give fewer.")
    return found


Refuse = Callable[[str, str], ExperimentFileError]
Values = Iterator[tuple[Any, CodeLine]]


def _named(given: dict[Any, Any], lines: SourceLines) -> list[Option]:
    return [Option(value, lines.place(given, name), str(name)) for name, value in given.items()]


def _listed(given: Any, lines: SourceLines, place: CodeLine, refuse: Refuse) -> Values:
    if not isinstance(given, list):
        raise refuse(
            f"expected a list of values, or values by name, got {given!r}", f"Write {{{GRID}: [{given!r}, ...]}}."
        )
    return ((value, lines.place(given, index)) for index, value in enumerate(given))


def _ranged(given: Any, lines: SourceLines, place: CodeLine, refuse: Refuse) -> Values:
    """The whole numbers of a range, as Python has it: without the end."""
    if not isinstance(given, list) or not 1 <= len(given) <= 3 or not all(is_whole(each, -math.inf) for each in given):
        wrong = f"expected [END], [START, END] or [START, END, STEP] in whole numbers, got {given!r}"
        raise refuse(wrong, f"Write other numbers as {{{GRID}: [...]}}.")
    if len(given) == 3 and given[2] == 0:
        raise refuse("the step is 0", "Give another one.")
    numbers = range(*given)
    if numbers[LONGEST : LONGEST + 1]:  # `len` takes no very large range
        raise refuse(f"it has more than {LONGEST} values", "Give fewer.")
    return ((number, place) for number in numbers)


def _logarithmic(given: Any, lines: SourceLines, place: CodeLine, refuse: Refuse) -> Values:
    """Numbers at equal ratios, from the first to the last, both included."""
    wrong = f"expected [FIRST, LAST, COUNT] with FIRST and LAST above 0 and COUNT from 2 to {LONGEST}, got {given!r}"
    if not isinstance(given, list) or len(given) != 3 or not is_whole(given[2], 2, LONGEST):
        raise refuse(wrong, f"Write {{{LOGSPACE}: [1e-5, 1e-1, 5]}}.")
    first, last, count = given
    if not all(is_number(end, 0) and end > 0 for end in (first, last)):
        raise refuse(wrong, f"Write {{{LOGSPACE}: [1e-5, 1e-1, 5]}}.")
    numbers = logspace(first, last, count)
    return ((number, place) for number in numbers)


def logspace(first: float, last: float, count: int) -> list[float]:
    """Numbers at equal ratios. The ends are exact; the others have `DIGITS` significant digits.

    If both ends are ints, and all numbers are whole, they are ints: 1, 10, 100.
    """
    start, width = math.log10(first), math.log10(last) - math.log10(first)
    exponents = [start + width * step / (count - 1) for step in range(1, count - 1)]
    inner = [float(f"{10**exponent:.{DIGITS}g}") for exponent in exponents]
    if isinstance(first, int) and isinstance(last, int) and all(number.is_integer() for number in inner):
        return [first, *map(int, inner), last]
    return [float(first), *inner, float(last)]


_LISTS: dict[str, Callable[[Any, SourceLines, CodeLine, Refuse], Values]] = {
    GRID: _listed,
    RANGE: _ranged,
    LOGSPACE: _logarithmic,
}
