"""The tasks of our side."""

from __future__ import annotations

import time
from pathlib import Path

from xpm_core import Config, Meta, Param, Task


class Model(Config):
    """A nested configuration, as real tasks have."""

    layers: Param[int]
    width: Param[int]
    dropout: Param[float]


class Train(Task):
    """The task that is submitted where submission is measured."""

    model: Param[Model]
    epochs: Param[int]
    rate: Param[float]
    seed: Param[int]

    def execute(self) -> None:
        pass


class Stamp(Task):
    """Notes when its first line ran, by the clock that all processes of a machine share."""

    index: Param[int]
    folder: Meta[Path]

    def execute(self) -> None:
        now = time.monotonic()
        (self.folder / f"{self.index}.part").write_text(repr(now))
        (self.folder / f"{self.index}.part").rename(self.folder / str(self.index))


def train(number: int) -> Train:
    """One of many different tasks."""
    model = Model.C(layers=2 + number % 7, width=64, dropout=0.1)
    train: Train = Train.C(model=model, epochs=10, rate=0.001 * (1 + number % 5), seed=number)
    return train
