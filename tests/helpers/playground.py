"""One place for the experiments of many tests: one workspace, one server, and workers that wait for jobs.

`from helpers.playground import Stage`; the fixture around it is in conftest.py. What a test submits carries a note of
its own.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from helpers.private_server import PrivateServer
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core import experiment
from xpm_core.config import Task
from xpm_core.errors import FailedExperiment
from xpm_core.identity import seal, task_id
from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.reading.workers import WorkerState
from xpm_core.server import connection
from xpm_core.store import keys
from xpm_core.store.jobs import Store
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace


class BrokenError(Exception):
    """Raised at the end of a block."""


class Failing:
    """An experiment, and what it says of its failures once it is left."""

    xp: experiment
    report: str = ""


class Stage:
    """A workspace with workers that serve it."""

    def __init__(self, folder: Path, server: PrivateServer) -> None:
        self.workspace = Workspace.open(folder / "workspace")
        self.url = server.url
        self.folder = folder
        self.client: redis.Redis = connection.open(self.url)
        self.store = Store(self.client, self.workspace.id)
        self._counter = itertools.count()
        self._daemons: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start_workers(self, *options: str) -> None:
        """Start a daemon of two workers, and wait until they are there."""
        log = self.folder / f"workers{len(self._daemons)}.log"
        known = len(self.workers())
        command = [sys.executable, "-m", "xpm_worker", "--workspace", str(self.workspace.path), "--slots", "2"]
        with open(log, "ab") as file:
            process = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd="/",
                env={**os.environ, "XPM_REDIS_URL": self.url},
                start_new_session=True,
            )
        self._daemons.append((process, log))
        wait_until(lambda: len(self.workers()) == known + 2, show=log.read_text)

    def workers(self) -> list[WorkerState]:
        """The workers that are alive."""
        now = server_time(self.client)
        return [worker for worker in Reader(self.client, self.workspace.id).workers.read(now) if worker.alive]

    def wipe(self) -> None:
        """Lose all that is in Redis; idle workers are woken, for they would learn of it only some seconds later."""
        names = [worker.name for worker in self.workers()]
        self.client.flushall()
        for name in names:
            self.client.lpush(keys.wake(self.workspace.id, name), "")
        wait_until(lambda: len(self.workers()) >= len(names))

    def note(self) -> str:
        """A text that no other test has."""
        return f"note {next(self._counter)}"

    def name(self) -> str:
        """A name for an experiment that no other test has."""
        return f"experiment-{next(self._counter)}"

    def experiment(self, name: str | None = None, **options: Any) -> experiment:
        """An experiment on this stage, by default with no workers of its own."""
        given = {"redis": self.url, "workers": 0, **options}
        return experiment(self.workspace.path, name or self.name(), **given)

    @contextmanager
    def failing(self, name: str | None = None, **options: Any) -> Iterator[Failing]:
        """An experiment that is to fail."""
        failing = Failing()
        try:
            with self.experiment(name, **options) as failing.xp:
                yield failing
        except FailedExperiment as error:
            failing.report = str(error)
        assert failing.report, "the experiment did not fail"

    @contextmanager
    def broken(self, name: str | None = None, **options: Any) -> Iterator[experiment]:
        """An experiment whose block ends with an error: its jobs are not waited for."""
        try:
            with self.experiment(name, **options) as xp:
                yield xp
                raise BrokenError
        except BrokenError:
            pass

    def directory(self, task: Task) -> JobDirectory:
        """The directory of a task's job."""
        return self.workspace.job(task_id(type(task)), seal(task))

    def runs(self, task: Task) -> int:
        """How often a task was run, by its directory."""
        return len(self.directory(task).records())

    def job(self, task: Task) -> Job:
        """A task's job, as the server knows it."""
        return Reader(self.client, self.workspace.id).jobs.read([seal(task)])[0]

    def close(self) -> None:
        """End the workers."""
        self.client.close()
        for process, _ in self._daemons:
            process.terminate()
            process.wait(PATIENCE_S)
