"""Bounds of numbers, and of the lengths of texts and lists, as annotations declare them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial as bind
from typing import Any


class Bounds:
    """Bounds of a number, or of the length of a text or list.

    The objects of the package annotated_types have the same attributes, and can be used instead.

    Args:
        gt: Values are greater than this.
        ge: Values are greater than this, or equal.
        lt: Values are less than this.
        le: Values are less than this, or equal.
        multiple_of: Values are multiples of this.
        min_length: The smallest length, in items or characters.
        max_length: The greatest length, in items or characters.

    Example:
        >>> class Learn(Task):
        ...     rate: Param[Annotated[float, Bounds(ge=0, lt=1)]]
    """

    __slots__ = ("ge", "gt", "le", "lt", "max_length", "min_length", "multiple_of")

    def __init__(
        self,
        *,
        gt: Any = None,
        ge: Any = None,
        lt: Any = None,
        le: Any = None,
        multiple_of: Any = None,
        min_length: int | None = None,
        max_length: int | None = None,
    ) -> None:
        self.gt, self.ge, self.lt, self.le, self.multiple_of = gt, ge, lt, le, multiple_of
        self.min_length, self.max_length = min_length, max_length


RELATIONS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "gt": ("> {}", lambda bound, value: value > bound),
    "ge": (">= {}", lambda bound, value: value >= bound),
    "lt": ("< {}", lambda bound, value: value < bound),
    "le": ("<= {}", lambda bound, value: value <= bound),
    "multiple_of": ("that is a multiple of {}", lambda bound, value: value % bound == 0),
    "min_length": ("with at least {} items", lambda bound, value: len(value) >= bound),
    "max_length": ("with at most {} items", lambda bound, value: len(value) <= bound),
}
"""By the name of each bound: its words in messages, and its test."""


def bounds_in(metadata: Any) -> list[tuple[str, Callable[[Any], bool]]]:
    """The bounds that an object in an `Annotated` sets: each in words, and as a test of a value.

    Args:
        metadata: The object: a `Bounds`, one of annotated_types, or any other, which sets none.
    """
    found: list[tuple[str, Callable[[Any], bool]]] = []
    for name, (text, relation) in RELATIONS.items():
        bound = getattr(metadata, name, None)
        if bound is not None and not callable(bound):
            found.append((text.format(bound), bind(relation, bound)))
    return found
