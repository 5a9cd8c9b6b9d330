"""Tasks that are run in the foreground. A process that debugs imports this module."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import xpm_core
from xpm_core import Config, Meta, Param, PathGenerator, ResumableTask, Task, cache, field, partial, tqdm


class Prepared(Task):
    """What another job needs."""

    seed: Param[int] = 1
    data: Meta[Path] = field(default_factory=PathGenerator("data.txt"))

    def execute(self) -> None:
        self.data.write_text("data")


class Net(Config):
    """A configuration with a cache, whose outputs are registered."""

    width: Param[int] = 3
    weights: Meta[Path] = field(default_factory=PathGenerator("weights.bin"))

    @cache("table.txt")
    def table(self, path: Path) -> str:
        found = path.read_text() if path.exists() else "no table"
        path.write_text("another table")
        return found

    def saved(self, dep: Any, step: int, where: Path) -> None: ...


class Trained(Task):
    """Writes wherever a job can write, and says what it finds."""

    everything = partial()

    x: Param[int]
    data: Param[Prepared]
    net: Param[Net] = field(default=Net.C())
    result: Meta[Path] = field(default_factory=PathGenerator("result.txt"))
    best: Meta[Path] = field(default_factory=PathGenerator("best.txt", partial=everything))

    def execute(self) -> None:
        print("data:", self.data.data.read_text(), "in", self.data.data.parent)
        print("table:", self.net.table())
        print("best:", self.best.read_text() if self.best.exists() else "none")
        print(
            "variables:", *(f"{name}={os.environ[name]}" for name in sorted(os.environ) if name[:3] in ("XPM", "LAB"))
        )
        print("modules:", sorted({"redis", "rq", "click", "rich"} & set(sys.modules)))
        for step in tqdm(range(3), desc="epoch"):
            self.net.weights.write_text(str(step))
        self.net.register_task_output(self.net.saved, 2, self.net.weights)
        self.best.write_text("better")
        self.result.write_text("42")
        print("folder:", Path.cwd(), xpm_core.job.running.remaining_time())


class Failing(Task):
    """Ends in the way that it is told to."""

    x: Param[int]
    how: Param[str] = "raise"

    def execute(self) -> None:
        self.step()

    def step(self) -> None:
        if self.how == "hang":
            print("hangs")
            time.sleep(600)
        if self.how == "stop":
            breakpoint()
            return
        if self.how == "leave":
            sys.exit(0)
        if self.how == "quit":
            sys.exit("no more")
        raise ValueError(f"{self.x} is bad")


class Resumed(ResumableTask):
    """Goes on from what is there."""

    x: Param[int] = 1

    def execute(self) -> None:
        found = Path("checkpoint.txt")
        print("found:", found.read_text() if found.exists() else "nothing", sorted(os.listdir()))
        found.write_text("later")
