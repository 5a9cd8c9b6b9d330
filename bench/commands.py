"""How long commands of `xpm` take, as people type them: help, and what looks at a workspace of 100,000 jobs."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import peers
from harness import PAIRS, ROOT, Limit, Row, Size
from place import Place

from xpm_core.index.entries import End
from xpm_core.index.writers import EndWriter, IndexedJob, SubmissionWriter
from xpm_core.server import connection
from xpm_core.states import State
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import Submission, WorkerId
from xpm_core.workspace.job_spec import JobSpec
from xpm_core.workspace.workspace import Workspace

TITLE = "Commands"
PROGRAM = "import sys; from xpm_cli import main; sys.argv[0] = 'xpm'; main()"
COUNTED = """
import sys
from redis.connection import AbstractConnection
send, connect = AbstractConnection.send_packed_command, AbstractConnection.connect
calls, connecting = [0], [False]
def counted(self, *args, **more):
    calls[0] += not connecting[0]
    return send(self, *args, **more)
def connected(self, *args, **more):
    connecting[0] = True
    try:
        return connect(self, *args, **more)
    finally:
        connecting[0] = False
AbstractConnection.send_packed_command, AbstractConnection.connect = counted, connected
from xpm_cli import main
sys.argv[0] = "xpm"
try:
    main()
finally:
    print(calls[0], file=sys.stderr)
"""
"""Says how often a command has sent something to the server once it was connected, at the end of its errors."""

COMPLETED = """
import os, sys
os.environ.update(_XPM_COMPLETE="bash_complete", COMP_LINE="xpm show 3f2")
from xpm_cli import main
main()
"""
"""What a shell starts when somebody presses Tab after the first characters of a job."""

BATCH, EXPERIMENT, TASK = 200, "sweep", "trials:Train"
FAILED, RUNNING, READY = 0.01, 8, 0.02


Times = dict[str, dict[str, list[float]]]
"""By command, and by what was measured of it: seconds, one value a turn."""


class Taken(NamedTuple):
    """What a process took: seconds of CPU time, and seconds until it had ended."""

    cpu_s: float
    wall_s: float


def rows(size: Size) -> list[Row]:
    """The sides take turns. Each is started once before, so that its modules are compiled and its cache is written."""
    jobs = size.of(100_000, 20_000)
    helped = _in_turn({"xpm": _xpm("--help"), "click": _python("import click")}, {})
    with Place() as place:
        folder = place.folder("workspace")
        Filled(place.url, folder).fill(jobs)
        environment = {
            "XPM_WORKSPACE": folder, "XPM_REDIS_URL": place.url, "XDG_CACHE_HOME": place.folder("cache")
        }  # fmt: skip
        listing = _xpm("jobs", "--limit", "50", "--where", "param.rate>0.003 and depth=4")
        _run(_python(f"from xpm_core.completion.known_names import build_alone; build_alone({folder!r})"), environment)
        commands = {"status": _xpm("status"), "redis": _python("import redis"), "jobs": listing}
        looked = _in_turn({**commands, "completed": _python(COMPLETED)}, environment)
        trips = _round_trips(["status"], environment)
    return [
        *_compared(helped, looked, jobs),
        Row("xpm status: round trips", unit="", ours=[trips], limit=Limit("<=", 3)),
    ]


def _compared(helped: Times, looked: Times, jobs: int) -> list[Row]:
    """The limits are those of CPU time, which depends least on what else the machine does."""
    found = []
    for kind, unit in (("CPU time", "s"), ("until it ends", "s")):
        redis = [1.5 * each + 0.1 for each in looked["redis"][kind]]
        limits = (Limit("<=", most) if kind == "CPU time" else None for most in (2, 1, 1, 1.3))
        help_most, status_most, jobs_most, completed_most = limits
        status, listed = looked["status"][kind], looked["jobs"][kind]
        found += [
            Row(f"xpm --help, {kind}", "import click", unit, helped["xpm"][kind], helped["click"][kind], help_most),
            Row(
                f"xpm status of {jobs} jobs, {kind}", "1.5 times import redis + 0.1 s", unit, status, redis, status_most
            ),
            Row(f"xpm jobs, a filter on two of 10 parameters, 50 of {jobs}, {kind}", "", unit, listed, limit=jobs_most),
            Row(
                f"completion of a job of {jobs}, {kind}", "import redis", unit, looked["completed"][kind],
                looked["redis"][kind], completed_most,
            ),
        ]  # fmt: skip
    return found


class Filled:
    """A workspace with many jobs: their records in the server and their lines in the index, but no directories.

    They reach the server through the same scripts as all jobs. Most are submitted with the marker of an execution, as
    if their directories said that they are done. So no worker has to run them.
    """

    def __init__(self, url: str, folder: str) -> None:
        self.workspace = Workspace.open(folder)
        self.store = Store(connection.open(url), self.workspace.id)
        self.directory = self.workspace.experiment(EXPERIMENT)
        self.run = self.store.open_run(EXPERIMENT, "run", {})
        self.submitted = SubmissionWriter(self.directory, "run")

    def fill(self, count: int) -> None:
        """Submit jobs: those that will fail or run first, then those that are done, then those that wait."""
        failed, ready = round(count * FAILED), round(count * READY)
        self._submit(range(failed + RUNNING))
        worker = WorkerId("host.1", "host")
        ended = EndWriter(self.workspace.path, worker.name)
        for _ in range(failed):
            lease = self.store.claim(worker, new_execution_id()).lease
            assert lease is not None
            error = {"type": "ValueError", "message": f"no data for {lease.identity[:3]}", "file": "t.py", "line": 3}
            self.store.finish(worker, lease, State.FAILED, error=error)
            ended.add(lease.identity, self._end(State.FAILED, lease.execution, error))
        for number in range(RUNNING):
            slot = WorkerId(f"host.{number + 2}", "host", lease_s=3600)
            self.store.join(slot, pid=1, path=str(self.workspace.path), version="0")
            self.store.claim(slot, new_execution_id())
        done = range(failed + RUNNING, count - ready)
        for number, execution in self._submit(done, done=True):
            ended.add(identity_of(number), self._end(State.DONE, execution, {}))
        self._submit(range(count - ready, count))

    def _submit(self, numbers: range, *, done: bool = False) -> list[tuple[int, str]]:
        executions = [(number, new_execution_id() if done else "") for number in numbers]
        for start in range(0, len(executions), BATCH):
            batch = executions[start : start + BATCH]
            jobs = [job_of(number, execution) for number, execution in batch]
            self.store.submit(EXPERIMENT, self.run.started_ms, jobs, {})
            self.submitted.add(
                IndexedJob(job.identity, TASK, job.tags, partial(params_of, number))
                for (number, _), job in zip(batch, jobs, strict=True)
            )
        return executions

    def _end(self, state: State, execution: str, error: dict[str, Any]) -> End:
        now_s = time.time()
        return End(state, now_s, now_s - 60, "host", "host.1", execution, 1, error)


def identity_of(number: int) -> str:
    """The identity of a job."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def params_of(number: int) -> dict[str, Any]:
    """Its parameters: a nested configuration, and what its script sweeps over."""
    return {
        "model": "Model", "model.layers": 2 + number % 7, "model.width": 64, "model.dropout": 0.1,
        "optim": "Adam", "optim.rate": 0.001 * (1 + number % 5), "depth": number % 11, "epochs": 10, "seed": number,
        "data": {"path": f"/data/{number % 3}"},
    }  # fmt: skip


def job_of(number: int, execution: str) -> Submission:
    """A job on its way to the server; with an execution, it is done."""
    identity = identity_of(number)
    spec = JobSpec(identity, TASK, "Train", f"jobs/trials.train/{identity}", os.urandom(400))
    return Submission(spec, tags={"seed": number, "depth": number % 11}, marker=execution, project="bench")


def _xpm(*arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *arguments]


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _in_turn(commands: dict[str, list[str]], environment: dict[str, str]) -> Times:
    """CPU and wall time of each command, turn by turn."""
    found: Times = {name: {"CPU time": [], "until it ends": []} for name in commands}
    for turn in range(PAIRS + 1):
        for name, command in commands.items():
            taken = _taken(command, environment)
            if turn:
                found[name]["CPU time"].append(taken.cpu_s)
                found[name]["until it ends"].append(taken.wall_s)
    return found


def _taken(command: Sequence[str], environment: dict[str, str]) -> Taken:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    _run(command, environment)
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall_s)


def _round_trips(arguments: Sequence[str], environment: dict[str, str]) -> int:
    return int(_run([sys.executable, "-c", COUNTED, *arguments], environment).stderr.split()[-1])


def _run(command: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name not in peers.FOREIGN}
    return subprocess.run(
        command, env={**own, "PYTHONPATH": str(ROOT), **environment}, stdin=subprocess.DEVNULL, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
