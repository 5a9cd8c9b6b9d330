"""A storm: workers run jobs with tokens and dependencies, and everything that can be killed is killed.

    python tests/helpers/storm.py --seconds 60 --seed 7

A script's tracker follows the jobs and lives through all of it. Then a checker reads the events, the directories, and
the traces that the jobs left, and checks the promises: a job's effects happen once, no job is lost, tokens are counted
exactly, nothing deadlocks, events are in order and come at least once. If the server lost something with the power, it
counts as not having happened.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "tasks"))

from helpers.daemons import Crew, Worker, alive
from helpers.invariants import check_everything
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until
from storm_tasks import Stormy

from xpm_core.index.writers import EndWriter, UnreportedEnds
from xpm_core.reading.events import Record, position
from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.script.follow.follower import Follower
from xpm_core.script.follow.outage import Outage
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.server import connection
from xpm_core.server.binary import find_server
from xpm_core.server.connection import OUTAGES
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.jobs import Store
from xpm_core.store.records import Submission
from xpm_core.store.tokens import create_token
from xpm_core.workspace.workspace import Workspace
from xpm_worker.system import kernel

LEASE_S = 1.0
TOKEN, CAPACITY = "storm", 3
SETTLE_S = 120.0
GUSTS_S = (0.05, 0.4)
"""How long it is calm between two deeds."""


class Storm:
    """Jobs, daemons, and a dice that says what happens next.

    Args:
        server: Its own server, with AOF, which may be killed.
        folder: Where its workspace and logs go.
        seed: Of the dice.
        jobs: How many.
        daemons: How many, each with two slots.
    """

    def __init__(self, server: PrivateServer, folder: Path, seed: int, *, jobs: int = 150, daemons: int = 2) -> None:
        self.server, self.dice = server, random.Random(seed)
        self.workspace = Workspace.open(folder / "workspace")
        self.crew = Crew(self.workspace, server.url, folder)
        self.deeds: Counter[str] = Counter()
        self.jobs: list[str] = []
        self.seen: list[Record] = []
        self.weighed = 0
        self._stopped: list[tuple[float, psutil.Process]] = []
        self._over = threading.Event()
        self._reading = threading.Lock()
        self._daemons = daemons
        blocking = connection.open(server.url, blocking=True)
        self.tracker = Tracker("0-0", Outage("storm", blocking))
        store = Store(connection.open(server.url), self.workspace.id)
        ends = UnreportedEnds(self.workspace, EndWriter(self.workspace.path, "run-storm"))
        self.follower = Follower(self.tracker, store, blocking, LEASE_S, ends)
        self.follower.start()
        create_token(self.crew.client, TOKEN, CAPACITY)
        self.more_jobs(jobs)

    def more_jobs(self, count: int) -> None:
        """Submit more jobs: every third needs two earlier ones, every other one asks for the token."""
        for number in range(len(self.jobs), len(self.jobs) + count):
            task = Stormy.C(number=number, seconds=self.dice.uniform(0.0, 0.4), fails_first=number % 11 == 0)
            needs = self.dice.sample(self.jobs[-30:], 2) if number % 3 == 0 and len(self.jobs) > 2 else []
            demand = {TOKEN: self.dice.randint(1, CAPACITY)} if number % 2 else {}
            options: dict[str, Any] = {"max_retries": 1, "max_losses": 1000, "backoff_s": 0.1}
            self._submit(self.crew.submission(task, needs=needs, demand=demand, **options))

    def _submit(self, job: Submission) -> None:
        directory = self.workspace.job_at(job.spec.directory)
        tracked = TrackedJob(self.tracker, job.identity, job.spec.name, directory, ("", 0), job.queue)
        self.tracker.add(tracked)
        (answer,) = self.crew.store.submit("crew", 0, [job], {})
        self.tracker.answered([(tracked, answer)])
        self.jobs.append(job.identity)

    # -- the weather -----------------------------------------------------------------------------------------------

    def blow(self, seconds: float) -> None:
        """Let it blow for a while; then wait until all jobs have ended."""
        with self._watched():
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self._keep_daemons()
                self._one_deed()
                self._let_go(time.monotonic())
                if self._open_jobs() < 20:
                    self.more_jobs(50)
                self._over.wait(self.dice.uniform(*GUSTS_S))
            self._let_go(float("inf"))
            wait_until(self._settled, show=self._explain, timeout_s=SETTLE_S, poll_s=0.2)
            wait_until(self._script_settled, show=self._explain_script, timeout_s=SETTLE_S, poll_s=0.1)
            wait_until(lambda: self.seen and self.seen[-1].cursor == self._last(), show=lambda: len(self.seen))

    def _one_deed(self) -> None:
        deeds: list[Callable[[Worker], None]] = [
            self.kill_slot, self.kill_slot, self.stop_slot, self.stop_slot, self.kill_starter, self.kill_fork_server,
            self.kill_job, self.kill_job, self.kill_daemon, self.drop_connections, self.restart_server, self.cut_power,
        ]  # fmt: skip
        deed = self.dice.choice(deeds)
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
            deed(self.dice.choice([worker for worker in self.crew.workers if worker.process.poll() is None]))
            self.deeds[deed.__name__] += 1

    def kill_slot(self, worker: Worker) -> None:
        self._one_of(worker.slots(), signal.SIGKILL)

    def stop_slot(self, worker: Worker) -> None:
        stopped = self._one_of(worker.slots(), signal.SIGSTOP)
        if stopped is not None:
            self._stopped.append((time.monotonic() + self.dice.uniform(0.1, 3 * LEASE_S), stopped))

    def kill_starter(self, worker: Worker) -> None:
        self._one_of(self._of(worker, kernel.STARTER_NAME), signal.SIGKILL)

    def kill_fork_server(self, worker: Worker) -> None:
        servers = [each for each in psutil.Process(worker.process.pid).children() if alive(each, kernel.STARTER_NAME)]
        self._one_of(servers, signal.SIGKILL)

    def kill_job(self, worker: Worker) -> None:
        self._one_of(self._of(worker, kernel.JOB_NAME), signal.SIGKILL)

    def kill_daemon(self, worker: Worker) -> None:
        worker.process.kill()
        worker.process.wait()

    def drop_connections(self, worker: Worker) -> None:
        with contextlib.suppress(*OUTAGES), self.server.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def restart_server(self, worker: Worker) -> None:
        self.server.kill()
        self._over.wait(self.dice.uniform(0.0, 1.5 * LEASE_S))
        self.server.start()

    def cut_power(self, worker: Worker) -> None:
        """All that runs here but the script ends at one moment, and what was acknowledged lately is lost."""
        self.server.note()
        self._over.wait(self.dice.uniform(0.0, 1.0))
        daemons = [psutil.Process(each.process.pid) for each in self.crew.workers if each.process.poll() is None]
        processes = [*daemons, *(child for daemon in daemons for child in daemon.children(recursive=True))]
        self.server.cut_power()
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes)
        with self._reading:
            self.server.start()
            last = position(self._last())
            self.seen = [record for record in self.seen if position(record.cursor) <= last]

    def _one_of(self, processes: list[psutil.Process], number: signal.Signals) -> psutil.Process | None:
        if not processes:
            return None
        chosen = self.dice.choice(sorted(processes, key=lambda process: process.pid))
        chosen.send_signal(number)
        return chosen

    def _of(self, worker: Worker, name: str) -> list[psutil.Process]:
        return [each for each in psutil.Process(worker.process.pid).children(recursive=True) if alive(each, name)]

    def _let_go(self, until: float) -> None:
        for at, process in list(self._stopped):
            if at <= until:
                self._stopped.remove((at, process))
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)

    def _keep_daemons(self) -> None:
        living = [worker for worker in self.crew.workers if worker.process.poll() is None]
        for _ in range(self._daemons - len(living)):
            self.crew.start("--slots", "2", lease_s=LEASE_S)

    # -- what is watched meanwhile ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        with ThreadPoolExecutor(2) as pool:
            watching = [pool.submit(self._subscribe), pool.submit(self._weigh)]
            try:
                yield
            finally:
                self._over.set()
        for watch in watching:
            watch.result()

    def _subscribe(self) -> None:
        """Follow the events as a script does: after an outage, on from the last one seen."""
        with self.server.client(socket_timeout=5) as client:
            while not self._over.is_set():
                with contextlib.suppress(*OUTAGES), self._reading:
                    cursor = self.seen[-1].cursor if self.seen else "0-0"
                    self.seen += Reader(client, self.workspace.id).events.after(cursor, block_s=0.2)

    def _weigh(self) -> None:
        """At any instant, what is held of the token is what its holders hold, and at most its capacity."""
        with self.server.client(socket_timeout=5) as client:
            while not self._over.is_set():
                with contextlib.suppress(*OUTAGES):
                    pipe = client.pipeline(transaction=True)
                    used, holders = pipe.hget(keys.token(TOKEN), "used").hvals(keys.token_holders(TOKEN)).execute()
                    held = sum(int(value.partition(b"|")[0]) for value in holders)
                    assert int(used or 0) == held <= CAPACITY, (used, holders)
                    self.weighed += 1
                self._over.wait(0.01)

    def _open_jobs(self) -> int:
        with contextlib.suppress(*OUTAGES):
            return sum(
                n for state, n in Reader(self.crew.client, self.workspace.id).jobs.counts().items() if not state.settled
            )
        return 1000

    def _settled(self) -> bool:
        self._keep_daemons()
        return self._open_jobs() == 0

    def _script_settled(self) -> bool:
        """Whether the script could leave, as `experiment.wait` does."""
        if self.tracker.settled():
            self.follower.confirm()
        return self.tracker.settled()

    def _explain_script(self) -> object:
        unsettled = [(job.label, job.state) for job in self.tracker.jobs.values() if not job.state.settled]
        return unsettled, self.tracker.outage.reason, self._explain()

    def _last(self) -> str:
        return Reader(self.crew.client, self.workspace.id).events.last()

    def _explain(self) -> object:
        client, w = self.crew.client, self.workspace.id
        unsettled = [job for job in Reader(client, w).jobs.read(self.jobs) if not job.state.settled]
        return unsettled[:3], Reader(client, w).tokens.read(), [worker.log[-2000:] for worker in self.crew.workers[-2:]]

    # -- the promises ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Prove the promises.

        Raises:
            AssertionError: One of them was broken.
        """
        client, w = self.crew.client, self.workspace.id
        while self.crew.store.look().more:
            pass
        check_everything(client, w)
        jobs = Reader(client, w).jobs.read(self.jobs)
        assert len(jobs) == len(self.jobs), "a job is gone"
        known = {job.identity: job.state for job in self.tracker.jobs.values()}
        assert known == {job.identity: job.state for job in jobs}, "the script has not heard the last word"
        self._check_outcomes(jobs)
        self._check_traces(jobs)
        self._check_events()

    def _check_outcomes(self, jobs: list[Job]) -> None:
        """Each job ended; one execution of a done job was accepted, and its directory names that one."""
        done = Counter(record.job for record in self.seen if record.event is Event.DONE)
        for job in jobs:
            assert job.state in (State.DONE, State.FAILED, State.BLOCKED), job
            if job.state is State.DONE:
                assert done[job.identity] == 1, job
                directory = self.workspace.job(job.task, job.identity)
                record = directory.record(job.execution)
                assert record is not None, job
                assert record["reason"] == "done", record
                assert directory.marker() == ("done", job.execution), job
            elif job.state is State.FAILED:
                assert job.failures > job.max_retries, job

    def _check_traces(self, jobs: list[Job]) -> None:
        """No two executions of a job ran at once, and never more of the token was in use than there is."""
        changes: list[tuple[float, int]] = []
        for job in jobs:
            spans = sorted(self._spans(job.identity))
            for (_, end), (start, _) in pairwise(spans):
                assert start > end, f"two executions of {job.identity} at once: {spans}"
            units = job.demand.get(TOKEN, 0)
            changes += [change for start, end in spans for change in ((start, units), (end, -units))]
        held = 0
        for _, units in sorted(changes):
            held += units
            assert held <= CAPACITY

    def _spans(self, identity: str) -> list[tuple[float, float]]:
        folder = self.workspace.path / "traces" / identity
        spans = []
        for file in folder.iterdir() if folder.exists() else ():
            lines = [float(line) for line in file.read_text().splitlines() if len(line.rpartition(".")[2]) == 4]
            if lines:
                spans.append((lines[0], lines[-1]))
        return spans

    def _check_events(self) -> None:
        """The subscriber saw every event, in order; each execution that started ended before the next one started."""
        everything = self.crew.client.xrange(keys.events(self.workspace.id))
        assert [record.cursor for record in self.seen] == [cursor.decode() for cursor, _ in everything]
        running: dict[str, str] = {}
        for record in self.seen:
            if record.event is Event.STARTED:
                assert record.job not in running, record
                running[record.job] = record.execution
            elif record.event in (Event.DONE, Event.FAILED, Event.DELAYED, Event.LOST, Event.RELEASED, Event.CANCELLED):
                running.pop(record.job, None)

    def __str__(self) -> str:
        lost = Counter(
            record.event.value for record in self.seen if record.event in (Event.LOST, Event.DONE, Event.FAILED)
        )
        return f"{len(self.jobs)} jobs, {dict(lost)}; {self.weighed} weighings; deeds {dict(self.deeds)}"


def run(server: PrivateServer, folder: Path, seed: int, seconds: float) -> Storm:
    """Let a storm blow, and check the promises."""
    storm = Storm(server, folder, seed, jobs=min(150, round(12 * seconds)))
    try:
        storm.blow(seconds)
        storm.check()
    finally:
        storm.follower.stop()
        storm.tracker.callbacks.close()
        storm.crew.dismiss()
    return storm


def main() -> None:
    """Run a storm from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"storm of {options.seconds:g} s, seed {options.seed}", flush=True)
    server = PrivateServer(find_server(), aof=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory(prefix="xpm-storm-", ignore_cleanup_errors=True) as folder:
            print(run(server, Path(folder), options.seed, options.seconds))
    finally:
        server.remove()


if __name__ == "__main__":
    main()
