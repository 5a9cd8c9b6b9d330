"""A configuration with parameters of every type, and plain values of it. `from dict_samples import FULL, Learn`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum, Flag
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import pydantic

from xpm_core import Bounds, Config, Constant, Meta, Param, PathGenerator, Task, field
from xpm_core.config import InstanceConfig

T = TypeVar("T")


class Loss(Enum):
    CROSS = "cross-entropy"
    HINGE = "hinge"


class Mode(Flag):
    FAST = 1
    SAFE = 2


@dataclass
class Range:
    low: int
    high: int = 9


class Wide(pydantic.BaseModel):
    size: pydantic.PositiveInt = pydantic.Field(alias="Size")


class Optimizer(Config):
    lr: Param[float] = 0.1


class Adam(Optimizer):
    beta: Param[float] = 0.9


class Model(Config):
    @abstractmethod
    def forward(self) -> None: ...


class MLP(Model):
    layers: Param[list[int]]

    def forward(self) -> None: ...


class CNN(Model):
    width: Param[int]

    def forward(self) -> None: ...


class Loader(Config, Generic[T]):
    items: Param[list[T]]


class Part(InstanceConfig):
    size: Param[int] = 1


class Learn(Task):
    epochs: Param[int] = 1
    lr: Param[float] = 0.5
    name: Param[str] = ""
    amp: Param[bool] = False
    maybe: Param[int | None] = None
    device: Param[Literal["cpu", "cuda"]] = "cpu"
    share: Param[Annotated[float, Bounds(gt=0, lt=1)]] = 0.5
    loss: Param[Loss] = Loss.CROSS
    losses: Param[dict[Loss, float]] = field(default_factory=dict)
    mode: Param[Mode] = Mode.FAST
    layers: Param[list[int]] = field(default_factory=list)
    window: Param[tuple[int, float]] = (1, 0.5)
    names: Param[tuple[str, ...]] = ()
    folds: Param[set[int]] = field(default_factory=set)
    by_number: Param[dict[int, list[str]]] = field(default_factory=dict)
    since: Param[date | None] = None
    at: Param[datetime | None] = None
    daily: Param[time | None] = None
    span: Param[timedelta] = timedelta(seconds=1)
    key: Param[bytes] = b""
    anything: Param[Any] = None
    data: Param[Path | None] = None
    optimizer: Param[Optimizer] = field(default=Optimizer.C())
    optimizers: Param[dict[str, Optimizer]] = field(default_factory=dict)
    model: Param[MLP | CNN | None] = None
    base: Param[Model | None] = None
    loader: Param[Loader[Path] | None] = None
    range: Param[Range] = Range(1)
    wide: Param[Wide | None] = None
    either: Param[str | list[str] | dict[str, int]] = ""
    threads: Meta[int] = 1
    version: Constant[int] = 2
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))

    def execute(self) -> None: ...


FULL: dict[str, Any] = {
    "epochs": 3,
    "lr": 1e-4,
    "name": "no",
    "amp": True,
    "maybe": 4,
    "device": "cuda",
    "share": 0.25,
    "loss": "HINGE",
    "losses": {"CROSS": 0.5, "HINGE": 1.5},
    "mode": 3,
    "layers": [1, 2],
    "window": [2, 0.25],
    "names": ["a", "b"],
    "folds": [1, 2],
    "by_number": {1: ["x"], 2: []},
    "since": "2024-02-29",
    "at": "2024-02-29T12:00:00+01:00",
    "daily": "12:30:00",
    "span": {"days": 1, "seconds": 30, "microseconds": 5},
    "key": "AP8=",
    "anything": {"a": [1, None, {"b": 0.5}]},
    "data": "/data/x",
    "optimizer": {"class": "Adam", "lr": 0.3, "beta": 0.5},
    "optimizers": {"first": {"lr": 0.1}, "second": {"class": "Adam", "lr": 0.1, "beta": 0.9}},
    "model": {"class": "CNN", "width": 3},
    "base": {"class": "MLP", "layers": [3]},
    "loader": {"items": ["/a", "/b"]},
    "range": {"low": 2, "high": 5},
    "wide": {"size": 4},
    "either": ["a"],
    "threads": 8,
}
