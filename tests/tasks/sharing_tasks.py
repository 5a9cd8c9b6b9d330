"""Tasks whose jobs share a directory, by a partial identifier."""

from __future__ import annotations

import time
from pathlib import Path

from xpm_core import Meta, Param, PathGenerator, Task, field, param_group, partial

turn = param_group("turn")


class Turns(Task):
    """Writes when it begins and ends into a file that all its turns share; ends once a gate is there."""

    shared = partial(exclude_groups=[turn])
    other = partial(exclude_groups=[turn])

    note: Param[str]
    number: Param[int] = field(groups=[turn])
    gate: Meta[Path]
    file: Meta[Path] = field(default_factory=PathGenerator("a/turns.txt", partial=shared))
    last: Meta[Path] = field(default_factory=PathGenerator(lambda config: f"{config.note}.txt", partial=shared))
    folder: Meta[Path] = field(default_factory=PathGenerator(partial=other))

    def execute(self) -> None:
        assert self.folder.is_dir()
        self.say("begin")
        while not self.gate.exists():
            time.sleep(0.01)
        self.last.write_text(str(self.number))
        self.say("end")

    def say(self, word: str) -> None:
        with self.file.open("a") as file:
            file.write(f"{word} {self.number}\n")


class Reader(Task):
    """Reads what a task has left in the directory that it shares with others."""

    turns: Param[Turns]

    def execute(self) -> None:
        print(self.turns.last.read_text())
