"""The parts of a filter, as the parser makes them, and how each is written.

Owns: the tree. A part that is written and parsed again gives an equal part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from xpm_core.errors import FilterError


@dataclass(frozen=True)
class Place:
    """A place in a text that somebody typed.

    Attributes:
        where: What the text is, such as `--where`.
        text: The whole text.
        column: The place in it, from 1.
    """

    where: str
    text: str
    column: int

    def error(self, problem: str, remedy: str) -> FilterError:
        """An error at this place."""
        return FilterError(self.where, self.text, problem, self.column, remedy)


@dataclass(frozen=True)
class Name:
    """A name in a filter.

    Attributes:
        text: The name without its scope.
        scope: `tag`, `param`, `result`, or empty.
        quoted: Whether it stands in quotes. A quoted name without a scope is never a field such as `state`.
        place: Where it stands.
    """

    text: str
    scope: str = ""
    quoted: bool = False
    place: Place = field(default=Place("", "", 0), compare=False, repr=False)

    def __str__(self) -> str:
        return (f"{self.scope}." if self.scope else "") + (in_quotes(self.text) if self.quoted else self.text)


@dataclass(frozen=True)
class Literal:
    """A value in a filter, which is not read as a value of any type yet.

    Attributes:
        text: The text, without quotes.
        quoted: Whether it stands in quotes. Then `*` and `?` are no wildcards, and `none` is a text.
        place: Where it stands.
    """

    text: str
    quoted: bool = False
    place: Place = field(default=Place("", "", 0), compare=False, repr=False)

    @property
    def is_none(self) -> bool:
        """Whether it means that there is no value."""
        return not self.quoted and self.text in ("None", "none", "null")

    @property
    def is_pattern(self) -> bool:
        """Whether it has wildcards."""
        return not self.quoted and ("*" in self.text or "?" in self.text)

    def __str__(self) -> str:
        return in_quotes(self.text) if self.quoted else self.text


@dataclass(frozen=True)
class Comparison:
    """A name, an operator and values. `=` means any of the values, `!=` none of them; others have one value."""

    name: Name
    operator: str
    values: tuple[Literal, ...]

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{','.join(map(str, self.values))}"


@dataclass(frozen=True)
class Not:
    """What does not match a condition."""

    inner: Condition

    def __str__(self) -> str:
        return f"not {_within(self.inner, (And, Or))}"


@dataclass(frozen=True)
class And:
    """What matches all of these conditions. Without any, everything."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(_within(part, (Or,)) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """What matches at least one of these conditions."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.parts))


Condition = Comparison | Not | And | Or


def all_of(parts: Iterable[Condition]) -> Condition:
    """The conjunction of conditions. Those that are conjunctions become part of it."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(parts: Iterable[Condition]) -> Condition:
    """The disjunction of at least one condition. Those that are disjunctions become part of it."""
    flat = [each for part in parts for each in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def in_quotes(text: str) -> str:
    """A text in quotes, which the parser reads as this text."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _within(part: Condition, kinds: tuple[type, ...]) -> str:
    return f"({part})" if isinstance(part, kinds) else str(part)
