"""Columns to show and keys to sort by, named as in filters: `--columns id,state,lr`, `--sort -started,lr`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from xpm_core.filters.fields import STATES, field_value, is_field
from xpm_core.filters.parser import parse_names
from xpm_core.filters.row import Absent, Row, Unknown
from xpm_core.filters.syntax import Name
from xpm_core.filters.values import kind_and_value, plain
from xpm_core.filters.vocabulary import Vocabulary
from xpm_core.labels import bare_class

_KINDS_IN_ORDER = ("bool", "number", "duration", "date", "text", "path", "enum", "list", "set", "map")


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Column:
    """A column of a table of jobs.

    Attributes:
        name: Its name, as it was typed.
        value: A job's value: a plain one, or UNKNOWN, or ABSENT.
        is_result: Whether it is what jobs have reported, so that nobody copies all digits of a number.
    """

    name: str
    value: Callable[[Row], Any]
    is_result: bool = False


@dataclass(frozen=True)
class Order:
    """An order of jobs.

    Attributes:
        keys: The columns to sort by, the most important one first, each with whether the order is descending.
    """

    keys: tuple[tuple[Column, bool], ...]

    def sorted(self, rows: Iterable[R]) -> list[R]:
        """The jobs in this order. Jobs that have no value, or an unknown one, come last in both directions."""
        found = list(rows)
        for column, descending in reversed(self.keys):
            valued: list[R] = []
            values: list[Any] = []
            last: list[R] = []
            for row in found:
                value = column.value(row)
                if value is None or isinstance(value, (Absent, Unknown)):
                    last.append(row)
                else:
                    values.append(value)
                    valued.append(row)
            ranks = _ranks(column.name, values)
            order = sorted(range(len(ranks)), key=ranks.__getitem__, reverse=descending)
            found = [valued[index] for index in order] + last
        return found


def field_of(name: str | Name, vocabulary: Vocabulary) -> Callable[[Row], Any]:
    """A function that returns a job's value of a name: a field, a tag, a parameter or a result.

    The value is a plain one: a path is a text, a tuple a list, a member of an Enum its name. It is UNKNOWN if the fact
    is not known, and ABSENT if the job has no such value.

    Args:
        name: The name, such as `lr`, `tag.model` or `started`.
        vocabulary: What is known.

    Raises:
        FilterError: Nothing has that name, or several parameters have it.
    """
    if isinstance(name, str):
        [(_, name)] = parse_names(name, "name")
    if is_field(name):
        return field_value(name.text)
    get = vocabulary.resolve(name).getter()

    def value(row: Row) -> Any:
        found = get(row)
        return found if isinstance(found, (Absent, Unknown)) else plain(found)

    return value


def parse_columns(text: str, vocabulary: Vocabulary, where: str = "--columns") -> list[Column]:
    """The columns that a text names, such as `id,state,lr`.

    Raises:
        FilterError: The text is no list of names, or one of them is unknown.
    """
    names = [name for _, name in parse_names(text, where)]
    return [Column(str(name), field_of(name, vocabulary), _is_result(name, vocabulary)) for name in names]


def parse_sort(text: str, vocabulary: Vocabulary, where: str = "--sort") -> Order:
    """The order that a text names, such as `-started,lr`: `-` means descending. A name counts where it stands first.

    Raises:
        FilterError: The text is no list of names, or one of them is unknown.
    """
    names: dict[Name, str] = {}
    for sign, name in parse_names(text, where, signs="+-"):
        names.setdefault(name, sign)
    return Order(tuple((Column(str(name), field_of(name, vocabulary)), sign == "-") for name, sign in names.items()))


def _is_result(name: Name, vocabulary: Vocabulary) -> bool:
    return not is_field(name) and bool(vocabulary.resolve(name).result)


def _ranks(name: str, values: list[Any]) -> list[Any]:
    """What values are sorted by. States have the order of a job's life; tasks that of their bare names."""
    if name == "state":
        return [STATES.index(value) for value in values]
    if name == "task":
        return [(bare_class(value), value) for value in values]
    types = set(map(type, values))
    if types == {str} or (types <= {int, float} and all(value == value for value in values)):
        return values  # fast, for many jobs
    return list(map(_rank, values))


def _rank(value: Any) -> Any:
    """What a value is sorted by among values of all kinds. NaN comes before all other numbers."""
    kind, found = kind_and_value(value)
    if kind == "number":
        return _KINDS_IN_ORDER.index(kind), found == found, found if found == found else 0
    return _KINDS_IN_ORDER.index(kind), True, repr(found) if kind in ("list", "set", "map") else found
