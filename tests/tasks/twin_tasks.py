"""Tasks that differ only in parameters that do not count, so that two submissions can be one job."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclasses_field
from pathlib import Path
from typing import Any

from xpm_core import Config, Meta, Param, PathGenerator, Task, field


@dataclass
class Shape:
    """How large it is; the unit is only shown."""

    size: int
    unit: str = dataclasses_field(default="m", compare=False)


class Data(Config):
    """What is read."""

    name: Param[str]
    file: Param[Path | None] = None
    files: Param[list[Path]] = field(default_factory=list)
    verbose: Meta[int] = 0


class Study(Task):
    """Reads something."""

    note: Param[str]
    file: Param[Path | None] = None
    anything: Param[Any] = None
    either: Param[str | Path] = ""
    mixed: Param[dict[str, tuple[int, Path]]] = field(default_factory=dict)
    places: Param[set[tuple[int, Path]]] = field(default_factory=set)
    options: Meta[dict[str, int]] = field(default_factory=dict)
    shape: Param[Shape | None] = None
    threads: Param[int] = field(default=1, ignored=True)
    data: Param[Data | None] = None
    hidden: Meta[Data | None] = None
    result: Meta[Path] = field(default_factory=PathGenerator("result.txt"))

    def execute(self) -> None:
        self.result.write_text(self.note)


class Later(Task):
    """Needs a study."""

    study: Param[Study]

    def execute(self) -> None:
        pass


class Wrong(Study):
    """Fails."""

    def execute(self) -> None:
        raise ValueError("no good")
