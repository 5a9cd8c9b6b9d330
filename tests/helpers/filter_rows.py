"""Jobs as filters see them. `from helpers.filter_rows import JobRow`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from xpm_core.states import State

NOW = 1_800_000_000.0
"""The time at which the tests ask, in epoch seconds."""


@dataclass(frozen=True)
class JobRow:
    """A row of a job that failed an hour after it was submitted; each fact can be given, or be None: unknown."""

    identity: str = "3f2a91c" + "0" * 57
    task: str | None = "sweep:Study.Train"
    name: str | None = "Train"
    state: State | None = State.FAILED
    tags: Mapping[str, Any] | None = field(default_factory=lambda: {"model": "bm25"})
    params: Mapping[str, Any] | None = field(default_factory=lambda: {"optim": "Adam", "optim.lr": 0.1, "epochs": 10})
    results: Mapping[str, Any] | None = field(default_factory=lambda: {"accuracy": 0.93, "loss.test": 0.2})
    experiments: Collection[str] | None = ("digits",)
    queue: str | None = "default"
    demand: Mapping[str, int] | None = field(default_factory=lambda: {"gpu": 1})
    worker: str | None = "gpu-a.1"
    host: str | None = "gpu-a"
    error_type: str | None = "torch.cuda.OutOfMemoryError"
    code: str | None = "8c1f2e0a1b2c"
    commit: str | None = "1a2b3c4d5e6f+"
    packages: str | None = "06838f4e392e"
    attempts: int | None = 2
    submitted_s: float | None = NOW - 7200
    started_s: float | None = NOW - 5400
    ended_s: float | None = NOW - 3600
