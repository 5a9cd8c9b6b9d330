"""Payloads: a task reaches another process as it was, and what was tampered with does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xpm_core import payload
from xpm_core.identity import seal
from xpm_core.config import Config, Meta, Param, PathGenerator, Task, field
from xpm_core.errors import PayloadError, TaskImportError


class Model(Config):
    layers: Param[int]
    cache: Meta[Path] = field(default_factory=PathGenerator("cache"))


class Learn(Task):
    model: Param[Model]
    other: Param[Model]
    rates: Param[dict[str, float]] = field(default_factory=dict)
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))

    def execute(self) -> None:
        pass


def learn() -> Learn:
    model = Model.C(layers=3)
    return Learn.C(model=model, other=model, rates={"b": 1, "a": 0.5})


def loaded(task: Task, tmp_path: Path) -> Task:
    data = payload.pack(task, tmp_path)
    return payload.load(data, workspace=tmp_path, identity=seal(task), jobpath=tmp_path / "jobs" / "x")


def test_task_comes_back_as_it_was(tmp_path: Path) -> None:
    task = loaded(learn(), tmp_path)
    assert isinstance(task, Learn)
    assert task.model.layers == 3
    assert list(task.rates.items()) == [("b", 1.0), ("a", 0.5)]
    assert task.model is task.other, "what was shared is shared"
    assert task.checkpoint == tmp_path / "jobs/x/model.bin"
    assert task.model.cache == tmp_path / "jobs/x/out/model/cache"


def test_payload_of_another_identity_is_refused(tmp_path: Path) -> None:
    data = payload.pack(learn(), tmp_path)
    with pytest.raises(PayloadError, match="its identity is"):
        payload.load(data, workspace=tmp_path, identity="0" * 64, jobpath=tmp_path)
