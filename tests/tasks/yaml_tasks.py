"""Configurations that YAML files of experiments fill, and tasks made of them."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

from xpm_core import Bounds, Config, Param, Task, field


class Scheduler(Enum):
    CONSTANT = 1
    COSINE = 2


class Optimizer(Config):
    lr: Param[float]
    "How large a step is"


class Momentum(Optimizer):
    momentum: Param[float] = field(default=0.9)


class Settings(Config):
    """What most files fill."""

    optimizer: Param[Optimizer]
    epochs: Param[Annotated[int, Bounds(ge=1)]]
    name: Param[str] = field(default="first")
    amp: Param[bool] = field(default=False)


class Many(Config):
    """A parameter of each type that has a form of its own in a schema."""

    widths: Param[list[int]] = field(default_factory=list)
    pair: Param[tuple[int, str]] = field(default=(1, "a"))
    several: Param[tuple[float, ...]] = field(default=())
    names: Param[set[str]] = field(default_factory=set)
    sizes: Param[dict[str, int]] = field(default_factory=dict)
    scheduler: Param[Scheduler] = field(default=Scheduler.CONSTANT)
    mode: Param[Literal["fast", "slow", 3]] = field(default="fast")
    maybe: Param[int | None] = field(default=None)
    either: Param[int | str] = field(default=1)
    short: Param[Annotated[str, Bounds(max_length=3)]] = field(default="a")
    file: Param[Path] = field(default=Path("a"))
    day: Param[date] = field(default=date(2024, 2, 29))
    span: Param[timedelta] = field(default=timedelta(days=1))
    anything: Param[Any] = field(default=None)


class Checked(Config):
    low: Param[int]
    high: Param[int] = field(default=9)

    def __validate__(self) -> None:
        assert self.low < self.high, "low is not below high"


class Learn(Task):
    lr: Param[float]
    epochs: Param[int] = field(default=1)
    name: Param[str] = field(default="a")

    def execute(self) -> None:
        print("learn", self.lr)


class Whole(Task):
    settings: Param[Settings]

    def execute(self) -> None:
        pass
