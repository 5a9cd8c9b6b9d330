"""The values and configurations whose bytes and identities are pinned in encodings.json and identities.json.

Their classes have names of their own, so that this file may move.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

from xpm_core.config import (
    Config,
    Constant,
    InstanceConfig,
    LightweightTask,
    Meta,
    Param,
    Task,
    field,
    setmeta,
    state_of,
)


class Colour(enum.Enum):
    __xpmid__ = "golden.colour"
    RED = 1


class Access(enum.Flag):
    __xpmid__ = "golden.access"
    READ = 1
    WRITE = 2


class Model(Config):
    __xpmid__ = "golden.model"
    layers: Param[int]
    dropout: Param[float] = 0.5
    name: Meta[str] = "plain"


class Part(InstanceConfig):
    __xpmid__ = "golden.part"
    size: Param[int] = 1


class Ensemble(Config):
    __xpmid__ = "golden.ensemble"
    parts: Param[list[Part]]
    table: Param[dict[str, Part]] = field(default_factory=dict)


class Learn(Task):
    __xpmid__ = "golden.learn"
    model: Param[Model]
    epochs: Param[int] = 100
    seed: Param[int] = field(default=0, ignore_default=True)
    version: Constant[str] = "1"
    data: Param[Path] = Path("/data")
    options: Param[dict[str, Any]] = field(default_factory=dict)

    def execute(self) -> None: ...


class Load(LightweightTask):
    __xpmid__ = "golden.load"
    model: Param[Model]

    def execute(self) -> None: ...


VALUES: dict[str, Any] = {
    "None": None,
    "False": False,
    "True": True,
    "0": 0,
    "127": 127,
    "128": 128,
    "256": 256,
    "65536": 65536,
    "2**32": 2**32,
    "2**64 - 1": 2**64 - 1,
    "2**64": 2**64,
    "-1": -1,
    "-33": -33,
    "-2**63": -(2**63),
    "-2**63 - 1": -(2**63) - 1,
    "0.0": 0.0,
    "-0.0": -0.0,
    "1.0": 1.0,
    "inf": math.inf,
    "nan": math.nan,
    "''": "",
    "'a' * 32": "a" * 32,
    "'a' * 256": "a" * 256,
    "'\\u00e9'": "\u00e9",
    "'e\\u0301'": "e\u0301",
    "'\\ud800'": "\ud800",
    "b''": b"",
    "[]": [],
    "[1, 'a']": [1, "a"],
    "()": (),
    "(1, 'a')": (1, "a"),
    "set()": set(),
    "{3, 1, 2}": {3, 1, 2},
    "frozenset({1})": frozenset({1}),
    "{}": {},
    "{'b': 1, 'a': 2, 1: 3}": {"b": 1, "a": 2, 1: 3},
    "Colour.RED": Colour.RED,
    "Access.READ | Access.WRITE": Access.READ | Access.WRITE,
    "datetime": datetime(2026, 1, 2, 3, 4, 5, 6),
    "datetime with zone": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1))),
    "date": date(2026, 1, 2),
    "time": time(3, 4, 5),
    "timedelta": timedelta(days=1, seconds=2, microseconds=3),
    "Path('/a/b')": Path("/a/b"),
}


def made_by_a_task() -> Config:
    model = Model.C(layers=3)
    state_of(model).source = learn = Learn.C(model=Model.C(layers=1))
    from xpm_core.identity import seal

    seal(learn)
    return model


def with_initial_tasks() -> Task:
    model = Model.C(layers=1)
    learn = Learn.C(model=model)
    state_of(learn).init_tasks = (Load.C(model=model), Load.C(model=Model.C(layers=2)))
    return learn


def instances(*which: int) -> Config:
    parts = [Part.C(), Part.C(), Part.C(size=2)]
    return Ensemble.C(parts=[parts[number] for number in which], table={"x": parts[which[0]]})


CONFIGURATIONS: dict[str, Callable[[], Config]] = {
    "a configuration": lambda: Model.C(layers=3),
    "with a parameter that does not count": lambda: Model.C(layers=3, name="other"),
    "a nested one": lambda: Learn.C(model=Model.C(layers=3)),
    "with an ignored default changed": lambda: Learn.C(model=Model.C(layers=3), seed=1),
    "in a value": lambda: Learn.C(model=Model.C(layers=3), options={"a": [Model.C(layers=1)], "b": {"c": None}}),
    "with one that does not count": lambda: Learn.C(
        model=Model.C(layers=3), options={"a": [setmeta(Model.C(layers=1), True)]}
    ),
    "made by a task": made_by_a_task,
    "with initial tasks": with_initial_tasks,
    "one instance twice": lambda: instances(0, 0),
    "two equal instances": lambda: instances(0, 1),
    "different instances": lambda: instances(0, 2),
}
