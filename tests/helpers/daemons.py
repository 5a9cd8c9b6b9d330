"""Real daemons of xpm-worker, and the tasks that they run.

`from helpers.daemons import Crew`; the fixture around it is in conftest.py. Tasks are in tasks/worker_tasks.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import redis
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.config import Task
from xpm_core.identity import seal, task_id
from xpm_core.project.origin import project_name
from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.reading.workers import WorkerState
from xpm_core.server import connection
from xpm_core.states import State
from xpm_core.store.jobs import Store
from xpm_core.store.records import Submission
from xpm_core.wire import payload
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobSpec, Retries
from xpm_core.workspace.workspace import Workspace
from xpm_worker.system import kernel, marks


class Worker:
    """A daemon that a test has started."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log_file = log

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self.log_file.read_text()

    def named(self, name: str) -> list[psutil.Process]:
        """Its living descendants with that name, as `ps` shows it."""
        return [each for each in psutil.Process(self.process.pid).children(recursive=True) if alive(each, name)]

    def slots(self) -> list[psutil.Process]:
        """The processes of its slots."""
        return [child for child in psutil.Process(self.process.pid).children() if not is_starter(child)]

    def fork_server(self) -> psutil.Process:
        """Its fork server; there is none for a moment after one died."""
        return wait_until(lambda: next(filter(is_starter, psutil.Process(self.process.pid).children()), None))

    def starters(self) -> list[psutil.Process]:
        """The starters of its slots."""
        return list(filter(is_starter, self.fork_server().children()))

    def marks(self) -> set[str]:
        """The marks that its starters' descendants carry."""
        pids = {process.pid for process in self.starters()}
        return {mark for pid, mark in marks.marked() if pid in pids}

    def send(self, number: signal.Signals) -> None:
        """Send the daemon a signal."""
        self.process.send_signal(number)

    def left(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait until it has left. Returns its exit code."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the daemon has not left; its log:\n{self.log}") from None


def alive(process: psutil.Process, name: str | None = None) -> bool:
    """Whether a process runs, and has that name."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and name in (None, process.name())
    except psutil.NoSuchProcess:
        return False


def frozen(process: psutil.Process) -> bool:
    """Whether a process is stopped, as by SIGSTOP."""
    return process.status() == psutil.STATUS_STOPPED


def is_starter(process: psutil.Process) -> bool:
    """Whether a process is a starter, or a fork server."""
    return alive(process, kernel.STARTER_NAME)


class Crew:
    """Submits tasks, and starts daemons that run them."""

    def __init__(self, workspace: Workspace, url: str, folder: Path) -> None:
        self.workspace = workspace
        self.url = url
        self.client: redis.Redis = connection.open(url)
        self.store = Store(self.client, workspace.id)
        self.workers: list[Worker] = []
        self.resident: Worker | None = None
        """The daemon that stays, and runs what `run` submits."""
        self._folder = folder
        self._run = self.store.open_run("crew", "run1", {})

    def start(
        self,
        *options: str,
        lease_s: float = 10.0,
        env: dict[str, str] | None = None,
        prefix: Sequence[str] = (),
        module: str = "xpm_worker",
    ) -> Worker:
        """Start a daemon; it need not be up yet. `prefix` is a program that runs it, `module` another xpm-worker."""
        log = self._folder / f"worker{len(self.workers)}.log"
        command = [sys.executable, "-m", module, "--workspace", str(self.workspace.path), "--lease", str(lease_s)]
        with open(log, "ab") as file:
            process = subprocess.Popen(
                [*prefix, *command, *options],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd="/",
                env={**os.environ, "XPM_REDIS_URL": self.url, **(env or {})},
                start_new_session=True,
            )
        self.workers.append(Worker(process, log))
        return self.workers[-1]

    def started(self, *options: str, slots: int = 1, **more: Any) -> Worker:
        """Start a daemon, and wait until its workers are there."""
        known = {worker.name for worker in self.known()}
        worker = self.start("--slots", str(slots), *options, **more)
        wait_until(lambda: len({each.name for each in self.known()} - known) == slots, show=lambda: worker.log)
        return worker

    def known(self) -> list[WorkerState]:
        """The workers that are alive, as the server knows them."""
        workers = Reader(self.client, self.workspace.id).workers.read(server_time(self.client))
        return [worker for worker in workers if worker.alive]

    def submit(self, *tasks: Task, **options: Any) -> list[str]:
        """Submit tasks in one call; returns their identities."""
        return self.hand_in(*(self.submission(task, **options) for task in tasks))

    def hand_in(self, *jobs: Submission) -> list[str]:
        """Submit what `submission` has made of tasks; returns their identities."""
        self.store.submit("crew", self._run.started_ms, list(jobs), {})
        return [job.identity for job in jobs]

    def submission(self, task: Task, **options: Any) -> Submission:
        """What is submitted of a task; `options` may hold those of its JobSpec, as written, and its retries."""
        identity, name = seal(task), task_id(type(task))
        directory = self.workspace.directory_of(name, identity)
        data = payload.pack(task, self.workspace.path)
        written = options.pop("options", {})
        spec = JobSpec.read(identity, name, type(task).__name__, directory, data, written)
        retries = Retries(**{name: options.pop(name) for name in Retries._fields if name in options})
        return Submission(spec, project=project_name(type(task)), retries=retries, **options)

    def directory(self, task: Task) -> JobDirectory:
        """The directory of a task's job."""
        return self.workspace.job(task_id(type(task)), seal(task))

    def job(self, task: Task) -> Job:
        """A task's job, as the server knows it."""
        return Reader(self.client, self.workspace.id).jobs.read([seal(task)])[0]

    def state(self, task: Task) -> State:
        """The state of a task's job."""
        return Reader(self.client, self.workspace.id).jobs.states([seal(task)])[seal(task)][0]

    def wait(self, task: Task, state: State = State.DONE, timeout_s: float = PATIENCE_S) -> Job:
        """Wait until a task's job is in a state."""
        wait_until(lambda: self.state(task) is state, show=lambda: self.explain(task), timeout_s=timeout_s)
        return self.job(task)

    def run(self, task: Task, state: State = State.DONE, **options: Any) -> JobDirectory:
        """Submit a task, let a daemon run it, and wait until all is written. Without a resident, one is started."""
        self.submit(task, **options)
        worker = self.start("--burst") if self.resident is None else None
        self.wait(task, state)
        if worker is None:
            self.rest()
        else:
            assert worker.left() == 0
        return self.directory(task)

    def rest(self) -> None:
        """Wait until the resident has no job, and has written all there is to write of the last one."""
        wait_until(lambda: any("b" in each["flags"] for each in self.client.client_list()))  # it blocks for a job

    def record(self, task: Task) -> dict[str, Any]:
        """The record of a task's latest execution."""
        return self.directory(task).records()[-1]

    def explain(self, task: Task) -> str:
        """What is known of a task's job and of the workers, for a failing test."""
        err = self.directory(task).err
        logs = [worker.log for worker in self.workers]
        return "\n".join([f"{self.job(task)}", err.read_text() if err.exists() else "no log", *logs])

    def dismiss(self) -> None:
        """End all daemons, and what is left of them."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
        self.client.close()


def code_of(crew: Crew, task: Task, *, other_than: int = 0) -> psutil.Process:
    """Wait until the code of a task runs, in another process than that one."""
    file = crew.directory(task).path / "pid"
    wait_until(lambda: file.exists() and file.read_text() not in ("", str(other_than)), show=lambda: crew.explain(task))
    return psutil.Process(int(file.read_text()))
