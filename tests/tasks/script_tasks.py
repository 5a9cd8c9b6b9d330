"""Tasks that the tests of experiments submit. They lie in a module of their own, because jobs import it.

`note` only makes the tasks of one test differ from those of another.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xpm_core import Config, Meta, Param, PathGenerator, Task, config_of, field, save


class Write(Task):
    """Writes its note."""

    note: Param[str]
    n: Param[int] = field(default=0)
    written: Meta[Path] = field(default_factory=PathGenerator("written.txt"))

    def execute(self) -> None:
        self.written.write_text(self.note)


class Copy(Task):
    """Writes what another one wrote."""

    source: Param[Write]
    n: Param[int] = field(default=0)

    def execute(self) -> None:
        Path("copy.txt").write_text(self.source.written.read_text())


class Result(Config):
    """What `Produce` leaves."""

    note: Param[str]
    file: Meta[Path] = field(default_factory=PathGenerator("result.txt"))


class Produce(Task):
    """Has a result of its own, which is what submitting it returns."""

    result: Param[Result]

    def task_outputs(self, dep: Callable[[Any], Any]) -> Any:
        return dep(self.result)

    def execute(self) -> None:
        self.result.file.write_text(self.result.note)


class Consume(Task):
    """Takes a result."""

    result: Param[Result]

    def execute(self) -> None:
        Path("consumed.txt").write_text(self.result.file.read_text())


class Keep(Task):
    """Saves the configuration of what it uses."""

    source: Param[Write]

    def execute(self) -> None:
        save(config_of(self.source), "kept")


class Fail(Task):
    """Raises, if a file is there or none is named."""

    note: Param[str]
    n: Param[int] = field(default=0)
    only_with: Meta[Path | None] = field(default=None)

    def execute(self) -> None:
        if self.only_with is None or self.only_with.exists():
            raise ValueError(f"no good: {self.note}")


class Numbered(Task):
    """Raises, each time with another message, at one line."""

    note: Param[str]
    n: Param[int]

    def execute(self) -> None:
        raise ValueError(f"step {self.n} is no good")


class Needs(Task):
    """Needs something that may fail."""

    before: Param[Fail]
    n: Param[int] = field(default=0)

    def execute(self) -> None:
        pass


class Killed(Task):
    """Ends by a signal."""

    note: Param[str]

    def execute(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Hold(Task):
    """Runs until a file appears; while it runs, `started` is in its directory."""

    note: Param[str]
    until: Meta[Path]
    n: Param[int] = field(default=0)

    def execute(self) -> None:
        Path("started").touch()
        while not self.until.exists():
            time.sleep(0.005)


class Gated(Task):
    """Raises once a file appears."""

    note: Param[str]
    until: Meta[Path]

    def execute(self) -> None:
        while not self.until.exists():
            time.sleep(0.005)
        raise ValueError(f"no good: {self.note}")


class Span(Task):
    """Runs for a moment, and writes down from when to when. With a place to meet, waits there for a second one."""

    note: Param[str]
    n: Param[int]
    meeting: Meta[Path | None] = field(default=None)

    def execute(self) -> None:
        start = time.monotonic()
        time.sleep(0.03)
        if self.meeting is not None:
            (self.meeting / str(self.n)).touch()
            while len(list(self.meeting.iterdir())) < 2:
                time.sleep(0.005)
        Path("span").write_text(f"{start} {time.monotonic()}")


class Link(Task):
    """One of a chain: counts those before it."""

    note: Param[str]
    n: Param[int]
    before: Param[Task | None] = None

    def execute(self) -> None:
        link, count = self.before, 0
        while isinstance(link, Link):
            count += 1
            assert link.n == self.n - count
            link = link.before
        Path("count.txt").write_text(str(count))


class WeakLink(Link):
    """Raises, if a file is there."""

    only_with: Meta[Path]

    def execute(self) -> None:
        if self.only_with.exists():
            raise ValueError("no good")
        super().execute()


class Gather(Task):
    """Takes the results of many."""

    note: Param[str]
    links: Param[list[Link]]

    def execute(self) -> None:
        Path("sum.txt").write_text(str(sum(link.n for link in self.links)))


class Score(Task):
    """Reports an accuracy that its seed decides; from some seed on it raises."""

    note: Param[str]
    seed: Param[int]
    spread: Param[float] = field(default=0.01)
    fails_from: Param[int] = field(default=1000)
    lr: Param[float] = field(default=0.1)
    before: Param[Task | None] = None
    unused: Meta[int] = field(default=0)

    def execute(self) -> dict[str, object]:
        if self.seed >= self.fails_from:
            raise ValueError("no luck")
        return {"accuracy": 0.9 + self.spread * (self.seed % 3 - 1), "kind": "mlp", "loss": {"test": self.seed}}
