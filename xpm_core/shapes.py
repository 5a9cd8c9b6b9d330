"""Checks of the shape of data from outside: their types, their fields, and how they are nested.

A check is a function that yields a problem for each thing that is wrong with a value. Larger checks are made of smaller
ones. No check uses the data, and none raises an error for a wrong shape.

Example:
    >>> point = record({"x": INTEGER, "y": INTEGER}, {"name": TEXT})
    >>> list(point({"x": 1, "y": "2"}, "point"))
    ["point.y: expected an integer, got '2'"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

LONGEST = 60
"""Characters of a wrong value that a problem shows."""

Problem = str
"""What is wrong and where, such as `objects[2].class: expected an integer, got 'x'`."""

Check = Callable[[Any, str], Iterator[Problem]]
"""Takes a value and its path; yields the problems of the value."""


def exactly(kind: type, words: str, optional: bool = False) -> Check:
    """A check for values of one type, and of no subclass.

    Args:
        kind: The type.
        words: The type as a problem names it, such as "an integer".
        optional: Whether None is allowed, too.
    """

    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not kind and not (optional and value is None):
            yield f"{where}: expected {words}, got {brief(value)}"

    return check


def list_of(item: Check, least: int = 0) -> Check:
    """A check for a list of at least so many items, all of one shape."""

    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not list or len(value) < least:
            yield f"{where}: expected a list, got {brief(value)}" if value != [] else f"{where}: empty"
            return
        for index, each in enumerate(value):
            yield from item(each, f"{where}[{index}]")

    return check


def sequence(*items: Check) -> Check:
    """A check for a list in which each item has a shape of its own."""

    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not list or len(value) != len(items):
            yield f"{where}: expected a list of {len(items)}, got {brief(value)}"
            return
        for index, (item, each) in enumerate(zip(items, value, strict=True)):
            yield from item(each, f"{where}[{index}]")

    return check


def map_of(item: Check) -> Check:
    """A check for a map from texts to values of one shape."""

    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not dict:
            yield f"{where}: expected a map, got {brief(value)}"
            return
        for name, each in value.items():
            yield from TEXT(name, f"{where}, a name in it")
            yield from item(each, f"{where}.{name}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """A check for a map with known fields. A field that is not known is a problem."""
    known = {**required, **optional}

    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not dict:
            yield f"{where}: expected a map, got {brief(value)}"
            return
        for name in required:
            if name not in value:
                yield f"{where}.{name}: missing"
        for name, each in value.items():
            if name in known:
                yield from known[name](each, f"{where}.{name}")
            else:
                yield f"{where}: unknown field {brief(name)}"

    return check


def brief(value: Any) -> str:
    """A value as a problem shows it: short, and without the content of a container."""
    text = repr(value) if isinstance(value, (str, bytes, int, float, type(None))) else f"a {type(value).__name__}"
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


TEXT, INTEGER, BYTES = exactly(str, "a text"), exactly(int, "an integer"), exactly(bytes, "bytes")
BOOL = exactly(bool, "true or false")
OPTIONAL_TEXT = exactly(str, "a text or nothing", optional=True)
