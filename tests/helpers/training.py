"""Configurations of a training, for tests of what any configuration can do.

`from helpers.training import Model, Optimiser, Train, train`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xpm_core.config import Config, Meta, Param, PathGenerator, field


class Optimiser(Config):
    learning_rate: Param[float]


class Model(Config):
    layers: Param[int]
    widths: Param[list[int]] = field(default_factory=list)
    path: Meta[Path] = field(default_factory=PathGenerator("model.bin"))


class Train(Config):
    model: Param[Model]
    optim: Param[Optimiser]
    seed: Param[int] = 0
    notes: Param[Any] = None


def train() -> Train:
    """Return a training that is not sealed."""
    return Train.C(model=Model.C(layers=3), optim=Optimiser.C(learning_rate=0.1))
