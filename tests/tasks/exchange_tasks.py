"""Tasks of experiments that are exported. `from exchange_tasks import Train`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xpm_core import Param, Task
from xpm_core.config import Config


@dataclass
class Noted:
    """An object with fields that do not count."""

    start: int
    note: str = field(default="", compare=False)
    place: str = field(default="", compare=False)


class Prepare(Task):
    seed: Param[int] = 0

    def execute(self) -> None:
        Path("data.txt").write_text(f"data {self.seed}")


class Model(Config):
    layers: Param[int] = 2


class Train(Task):
    lr: Param[float]
    data: Param[Prepare]
    model: Param[Model]
    extra: Param[Any] = None

    def execute(self) -> None:
        print("training")
        Path("model.txt").write_text(f"model {self.lr} {os.environ.get('COLOUR', '')}")
