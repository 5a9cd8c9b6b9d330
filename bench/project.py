"""A project of 30 files that imports NumPy, as researchers have one, with a task that does next to nothing.

Most of the time of a short job there goes into the import of its modules. Both sides get the same files: one of them
has our task, another one has the function that RQ calls.
"""

from __future__ import annotations

from pathlib import Path

FILES = 30
NAME = "study"

PART = '''"""Part {number} of a study."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

import numpy as np
{before}

@dataclass
class Settings{number}:
    """What this part can be told."""

    rate: float = 0.1
    layers: list[int] = field(default_factory=lambda: [64, 64])
    names: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps({{"rate": self.rate, "layers": self.layers, **self.names}})


def scaled(values: np.ndarray, settings: Settings{number}) -> np.ndarray:
    """Values times a rate."""
    if not len(values):
        raise ValueError("no values")
    return values * settings.rate + math.sqrt({number})


def summary(values: np.ndarray) -> dict[str, float]:
    """What is printed of values."""
    return {{"mean": float(values.mean()), "least": float(values.min()), "most": float(values.max())}}
'''

USED = "import numpy as np\n\nfrom study import {parts}\n"

TASK = """

import time
from pathlib import Path

from xpm_core import Meta, Param, Task


class Study(Task):
    index: Param[int]

    def execute(self) -> None:
        part0.scaled(np.ones(10), part0.Settings0())


class Stamp(Task):
    index: Param[int]
    folder: Meta[Path]

    def execute(self) -> None:
        now = time.monotonic()
        (self.folder / f"{self.index}.part").write_text(repr(now))
        (self.folder / f"{self.index}.part").rename(self.folder / str(self.index))
"""

FUNCTION = """

def study(index: int) -> None:
    part0.scaled(np.ones(10), part0.Settings0())
"""


def write(folder: Path) -> str:
    """Write the project; return the folder from which it is imported. It is the root of a snapshot."""
    package = folder / NAME
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text('[project]\nname = "study"\nversion = "1"\n')
    parts = FILES - 3
    for number in range(parts):
        before = f"from study import part{number - 1}  # noqa: F401\n" if number else ""
        (package / f"part{number}.py").write_text(PART.format(number=number, before=before))
    used = USED.format(parts=", ".join(f"part{number}" for number in range(parts)))
    (package / "task.py").write_text(used + TASK)
    (package / "function.py").write_text(used + FUNCTION)
    return str(folder)
