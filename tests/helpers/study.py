"""A study whose jobs are in every state, for tests of what can be seen. `from helpers.study import Study`.

It was submitted by a real experiment, and real workers have run it. Then nothing moves any more.
"""

from __future__ import annotations

from pathlib import Path

from helpers.playground import Stage
from helpers.waiting import wait_until
from script_tasks import Fail, Hold, Needs, Write

from xpm_core import tag
from xpm_core.config import Task
from xpm_core.identity import seal
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store.tokens import create_token

NAME = "study"
OTHER = "other"


class Study:
    """The study.

    Attributes:
        stage: Where it was run.
        tasks: The tasks by a short name: done0, done1, failed, blocked, running, waiting, ready, cancelled, other.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.tasks: dict[str, Task] = {}
        self._gate = stage.folder / "gate"
        create_token(stage.client, "gpu", 1)
        with stage.broken(OTHER) as xp:
            self.tasks["other"] = Write.C(note="other").submit()
            xp.wait()
        with stage.broken(NAME) as xp:
            self._submit(xp.connector.createtoken("gpu", 1))
            self._settle()
        stage.store.cancel(self.identity("cancelled"))

    def _submit(self, gpu: object) -> None:
        for n in range(2):
            self.tasks[f"done{n}"] = Write.C(note="w", n=tag(n)).submit()
        failed = self.tasks["failed"] = Fail.C(note="f", n=tag(3)).submit()
        self.tasks["blocked"] = Needs.C(before=failed, n=4).submit()  # it has the tag of the job that it needs
        hold = Hold.C(note="h", until=self._gate, n=tag(5))
        hold.add_dependencies(gpu.dependency(1))  # type: ignore[attr-defined]
        running = self.tasks["running"] = hold.submit()
        later = Hold.C(note="later", until=self._gate, n=tag(6))
        later.add_dependencies(gpu.dependency(1))  # type: ignore[attr-defined]
        waiting = Write.C(note="after", n=tag(7))
        waiting.add_dependencies(running)
        self.tasks["waiting"] = waiting.submit()
        self.tasks["ready"] = later.submit()
        self.tasks["cancelled"] = Write.C(note="cancelled", n=tag(8)).submit(queue="nobody")

    def _settle(self) -> None:
        wanted = {
            "done0": State.DONE, "done1": State.DONE, "failed": State.FAILED, "blocked": State.BLOCKED,
            "running": State.RUNNING, "waiting": State.WAITING, "ready": State.READY, "cancelled": State.READY,
        }  # fmt: skip
        wait_until(lambda: self.states(*wanted) == wanted, show=lambda: self.states(*wanted))
        wait_until((self.stage.directory(self.tasks["running"]).path / "started").exists)

    def identity(self, name: str) -> str:
        """The identity of a task."""
        return seal(self.tasks[name])

    def states(self, *names: str) -> dict[str, State]:
        """How these tasks stand, by name; without names, all of them."""
        names = names or tuple(self.tasks)
        found = Reader(self.stage.client, self.stage.workspace.id).jobs.states([self.identity(name) for name in names])
        return {name: found[self.identity(name)][0] for name in names if self.identity(name) in found}

    def names(self, identities: list[str]) -> list[str]:
        """The short names of jobs."""
        known = {self.identity(name): name for name in self.tasks}
        return [known[identity] for identity in identities]

    def finish(self) -> None:
        """Let the running job end."""
        Path(self._gate).touch()
