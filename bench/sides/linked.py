"""Tasks that need one another, and one with a large value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xpm_core import Param, Task


class Link(Task):
    """One task of a chain, or one of many that need one task."""

    index: Param[int]
    before: Param[Task | None] = None

    def execute(self) -> None:
        pass


class Gather(Task):
    """A task that needs many."""

    links: Param[list[Link]]

    def execute(self) -> None:
        pass


class Numbers(Task):
    """A task with a long list."""

    values: Param[list[float]]

    def execute(self) -> None:
        pass


def submitted(kind: str, count: int) -> Iterator[Any]:
    """Submit tasks of a shape, one by one."""
    last = None
    if kind == "numbers":
        yield Numbers.C(values=[index * 0.5 for index in range(count)]).submit()
    elif kind == "fan-out":
        last = Link.C(index=-1).submit()
        for index in range(count):
            yield Link.C(index=index, before=last).submit()
    elif kind == "fan-in":
        links = []
        for index in range(count):
            links.append(Link.C(index=index).submit())
            yield links[-1]
        yield Gather.C(links=links).submit()
    else:
        for index in range(count):
            last = Link.C(index=index, before=last if kind == "chain" else None).submit()
            yield last
