"""Our side: scripts and workers as users start them.

Tasks of the benches use live code: their root would be the whole repository of xpm. bench/code.py measures snapshots.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import idling
import linked
import trials
from side import main

from xpm_core import experiment
from xpm_core.identity import seal, task_id
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.server import connection
from xpm_core.states import Event, State
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import WorkerId
from xpm_core.workspace.workspace import Workspace

EXPERIMENT = "bench"


def submit(url: str, folder: str, jobs: int) -> dict[str, Any]:
    """Submit different tasks, built one by one, until the server has all. No worker runs."""
    with experiment(folder, EXPERIMENT, redis=url, workers=0, code="live") as xp:
        began = time.perf_counter()
        for number in range(jobs):
            trials.train(number).submit()
        xp._run.submitter.flush()
        _answer({"seconds": time.perf_counter() - began})


def link(url: str, folder: str, kind: str, count: int, slots: int = 0) -> dict[str, Any]:
    """Submit tasks that need one another: until the server has all or, with slots to run them, until all are done."""
    with experiment(folder, EXPERIMENT, redis=url, workers=slots, code="live") as xp:
        began = time.perf_counter()
        for _ in linked.submitted(kind, count):
            pass
        xp._run.submitter.flush()
        if not slots:
            _answer({"seconds": time.perf_counter() - began})
        assert xp.wait()
        return {"seconds": time.perf_counter() - began}


def queue(
    url: str, folder: str, jobs: int, kind: str = "Nothing", demand: str = "", path: str = "", live: bool = True
) -> dict[str, Any]:
    """Submit jobs for a worker that starts later; their project may lie in a folder `path`."""
    sys.path[:0] = [path] if path else []
    cls = _kind(kind)
    with experiment(folder, EXPERIMENT, redis=url, workers=0, code="live" if live else "snapshot") as xp:
        token = xp.connector.createtoken(demand, 1) if demand else None
        for index in range(jobs):
            task = cls.C(index=index)
            if token is not None:
                task.add_dependencies(token.dependency(1))
            task.submit()
        xp._run.submitter.flush()
        _answer({"jobs": jobs})


def drain(url: str, direct: str, folder: str, jobs: int, slots: int = 1, bytecode: bool = True) -> dict[str, Any]:
    """Let a worker run all queued jobs: from the start of the first job to the end of the last."""
    command = [sys.executable, "-m", "xpm_worker", "--workspace", folder, "--slots", str(slots), "--burst"]
    environment = {**os.environ, "XPM_REDIS_URL": url, "PYTHONDONTWRITEBYTECODE": "" if bytecode else "1"}
    log = f"{folder}.log"
    with open(log, "ab") as file:
        subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    client, w = connection.open(direct), Workspace.open(folder).id
    started, done, cursor = [], [], "0-0"
    while records := Reader(client, w).events.after(cursor):
        started += [record.at_s for record in records if record.event is Event.STARTED]
        done += [record.at_s for record in records if record.event is Event.DONE]
        cursor = records[-1].cursor
    assert len(done) == jobs, f"{len(done)} of {jobs} jobs are done: see {log}"
    return {"seconds": max(done) - min(started)}


def prepare(url: str, folder: str, jobs: int) -> dict[str, Any]:
    """Make jobs done: their directories say so, and the server knows it."""
    workspace = Workspace.open(folder)
    for number in range(jobs):
        task = trials.train(number)
        directory = workspace.job(task_id(type(task)), seal(task))
        execution = new_execution_id()
        directory.prepare(1)
        directory.write_record(1, execution, {"reason": "done", "exit_code": 0})
        directory.write_marker("done", execution)
    with experiment(folder, EXPERIMENT, redis=url, workers=0, code="live") as xp:
        for number in range(jobs):
            trials.train(number).submit()
        xp.wait()
    return {"jobs": jobs}


def resubmit(url: str, folder: str, jobs: int) -> dict[str, Any]:
    """Submit done jobs, until `xp.wait()` returns."""
    with experiment(folder, EXPERIMENT, redis=url, workers=0, code="live") as xp:
        began = time.perf_counter()
        for number in range(jobs):
            trials.train(number).submit()
        assert xp.wait()
        return {"seconds": time.perf_counter() - began}


def identities(folder: str, jobs: int) -> dict[str, Any]:
    """Build the same tasks, seal them, and look once at each whether it is done."""
    base = os.path.realpath(folder)
    began = time.perf_counter()
    for number in range(jobs):
        task = trials.train(number)
        os.stat(f"{base}/jobs/trials.train/{seal(task)}/.xpm/done")
    return {"seconds": time.perf_counter() - began}


def snapshot(folder: str, path: str, module: str) -> dict[str, Any]:
    """Take the snapshot of a project, as a script does at its first submission."""
    from xpm_core.snapshot.taking.snapshotter import Snapshotter

    sys.path[:0] = [path]
    task = import_module(module).Work
    began = time.perf_counter()
    taken = Snapshotter(Workspace.open(folder).path).current([task])
    assert taken is not None
    return {"seconds": time.perf_counter() - began, "files": taken.files, "new": taken.new}


def start(url: str, folder: str, stamps: str, jobs: int) -> dict[str, Any]:
    """Submit jobs one at a time to an idle worker; how long each takes from there to its first line."""
    os.makedirs(stamps)
    found = []
    with experiment(folder, EXPERIMENT, redis=url, workers=0, code="live") as xp, _worker(url, folder):
        _when_alive(xp.connector.client, xp.workspace.id)
        for index in range(jobs):
            began = time.monotonic()
            trials.Stamp.C(index=index, folder=Path(stamps)).submit()
            xp._run.submitter.flush()
            found.append(_stamp(Path(stamps) / str(index)) - began)
            xp.wait()
            time.sleep(0.02)
    return {"seconds": found}


def claims(url: str, folder: str, stamps: str, jobs: int, path: str = "", live: bool = True) -> dict[str, Any]:
    """From the moment that an idle worker has claimed a job to its first line; and, after them, bare forks.

    The task may be the one of a project in a folder `path`.
    """
    os.makedirs(stamps)
    claimed = Path(stamps) / "claimed"
    sys.path[:0] = [path] if path else []
    stamp, code, found = _kind("Stamp") if path else trials.Stamp, "live" if live else "snapshot", []
    with (
        experiment(folder, EXPERIMENT, redis=url, workers=0, code=code) as xp,
        _worker(url, folder, claimed=claimed),
    ):
        _when_alive(xp.connector.client, xp.workspace.id)
        for index in range(jobs):
            stamp.C(index=index, folder=Path(stamps)).submit()
            xp._run.submitter.flush()
            first_line = _stamp(Path(stamps) / str(index))
            xp.wait()
            found.append(first_line - float(claimed.read_text().splitlines()[index]))
        forks = [float(line) for line in subprocess.check_output([sys.executable, "-c", BARE_FORK]).split()]
    return {"claim_to_first_line": found, "bare_fork": forks}


BARE_FORK = """
import os, time
from xpm_worker.starter.fork_server import _warm
_warm()
for _ in range(200):
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    print(time.monotonic() - began)
"""
"""The least that a process costs: fork, exit and wait, in an interpreter that has loaded what a job's has."""

WATCHED = """
import sys, time
from xpm_core.store.jobs import Store
claim, stamps = Store.claim, sys.argv.pop(1)
def watched(*args, **more):
    answer = claim(*args, **more)
    if answer.lease is not None:
        with open(stamps, "a") as file:
            file.write(repr(time.monotonic()) + "\\n")
    return answer
Store.claim = watched
from xpm_worker.cli import main
main()
"""
"""A daemon that says when it has claimed something."""


def callbacks(url: str, folder: str, jobs: int) -> dict[str, Any]:
    """From the server's answer that a job is done to the script's callback. Also, how long a PING takes."""
    called: dict[int, float] = {}
    ended: list[float] = []
    with experiment(folder, EXPERIMENT, redis=url, workers=0, code="live") as xp:
        w, client = xp.workspace.id, xp.connector.client
        for index in range(jobs):
            task = idling.Nothing.C(index=index)
            task.on_completed(lambda done: called.__setitem__(done.index, time.monotonic()))
            task.submit()
        xp._run.submitter.flush()
        finisher = [sys.executable, __file__, "finish", f'{{"url": "{url}", "w": "{w}", "jobs": {jobs}}}']
        with subprocess.Popen(finisher, stdout=subprocess.PIPE, text=True) as process:
            assert xp.wait()
            assert process.stdout is not None
            ended = [float(line) for line in process.stdout.read().splitlines()[:-1]]
        pings = [_ping(client) for _ in range(1000)]
    return {"done_to_callback": [called[index] - ended[index] for index in range(jobs)], "ping": pings}


def finish(url: str, w: str, jobs: int) -> dict[str, Any]:
    """Act as a worker: end one job after the other, with a pause between."""
    store, worker = Store(connection.open(url), w), WorkerId("bench", "bench")
    for _ in range(jobs):
        lease = store.claim(worker, new_execution_id()).lease
        assert lease is not None
        time.sleep(0.02)
        store.finish(worker, lease, State.DONE)
        print(time.monotonic())
    return {}


def _ping(client: Any) -> float:
    began = time.monotonic()
    client.ping()
    return time.monotonic() - began


class _worker:
    """A daemon with one slot, as long as the script runs."""

    def __init__(self, url: str, folder: str, claimed: Path | None = None) -> None:
        how = ["-m", "xpm_worker"] if claimed is None else ["-c", WATCHED, str(claimed)]
        self._command = [sys.executable, *how, "--workspace", folder]
        self._environment = {**os.environ, "XPM_REDIS_URL": url}
        self._log = f"{folder}.log"

    def __enter__(self) -> subprocess.Popen[bytes]:
        with open(self._log, "ab") as file:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _when_alive(client: Any, w: str) -> None:
    deadline = time.monotonic() + 60
    while not any(worker.alive for worker in Reader(client, w).workers.read(server_time(client))):
        assert time.monotonic() < deadline, "no worker came up"
        time.sleep(0.01)
    time.sleep(0.2)


def _stamp(path: Path) -> float:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.001)
    return float(path.read_text())


def _kind(name: str) -> Any:
    if name in ("Learn", "LearnAlone"):
        import learning

        return getattr(learning, name)
    if name in ("Study", "Stamp"):
        return getattr(import_module("study.task"), name)
    return idling.Nothing


def _answer(answer: dict[str, Any]) -> None:
    """Answer, and end without waiting for jobs that nobody will run."""
    import json

    print(json.dumps(answer), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(submit, link, queue, drain, prepare, resubmit, identities, snapshot, start, claims, callbacks, finish)
