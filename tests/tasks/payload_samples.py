"""A task whose payload has every part that a payload can have. `from payload_samples import sample`."""

from __future__ import annotations

import enum
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from xpm_core.config import (
    Config,
    LightweightTask,
    Meta,
    Param,
    PathGenerator,
    Task,
    deprecate,
    field,
    setmeta,
    state_of,
)
from xpm_core.config.dependencies import made_by
from xpm_core.identity import seal
from xpm_core.language.graph.tags import tag

T = TypeVar("T")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Span:
    """A value that is an object."""

    start: int
    end: int = 9


class New(Config):
    size: Param[int]


@deprecate(New)
class Old(Config):
    amount: Param[int]

    def __convert__(self) -> Any:
        return New.C(size=self.amount)


class Begin(LightweightTask):
    part: Param[New]

    def execute(self) -> None:
        pass


class Everything(Task):
    words: Param[list[str]]
    old: Param[Old]
    noted: Param[New | None] = None
    local: Param[Any] = None
    anything: Param[Any] = None
    span: Param[Span] = Span(1)
    before: Param[Any] = None
    data: Param[Path] = Path("/data")
    file: Meta[Path] = field(default_factory=PathGenerator("file.txt"))

    def execute(self) -> None:
        pass


def local_class() -> Any:
    """A class of a function, which uses others, a function and data of that function."""
    limit = (3, "three")

    def helper(number: int = 2, *, more: int = 1) -> int:
        return number + more

    class Box(Config, Generic[T]):
        item: Param[T]

        def helped(self) -> int:
            return helper()

    class Ints(Box[int]):
        bound: Param[Any] = limit

    @Ints.value_class()
    class LiveInts(Ints):
        pass

    assert LiveInts
    return Ints


def sample() -> Any:
    """The task, not submitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return made()


def made() -> Any:
    first = Everything.C(words=["first"], old=Old.C(amount=1))
    seal(first)
    state_of(first).submitted = SimpleNamespace(jobpath=Path("/ws/jobs/first"), where="x.py:1")
    values = [2**70, 1.5, (1, {2}, frozenset((3,))), Colour.RED, Access.READ, b"\x00", {"a": None}, Path("/x")]
    task = Everything.C(
        words=["a", "b"],
        old=Old.C(amount=2),
        noted=setmeta(New.C(size=3), True),
        local=local_class().C(item=4),
        anything=[*values, made_by(first, New.C(size=tag(5)))],
        before=first,
    )
    state_of(task).init_tasks = (Begin.C(part=New.C(size=6)),)
    return task
