"""Random lives of jobs, against a small model: for any calls in any order, both give the same result."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import redis
from helpers.invariants import check_everything
from helpers.private_server import PrivateServer
from helpers.store_client import StoreClient, W, identity, submission
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from xpm_core.errors import BeingRemovedError
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.records import (
    CancelCode,
    ClaimCode,
    FinishCode,
    ForgetCode,
    Lease,
    LoseCode,
    RefuseCode,
    ReleaseCode,
    RetryCode,
    WorkerId,
)
from xpm_core.store.refusals import Refusal
from xpm_core.store.steering.orders import Order, OrderCode, order_worker
from xpm_core.store.steering.pauses import PauseCode, ResumeCode, pause_queue, resume_queue
from xpm_core.store.tokens import create_token

pytestmark = [pytest.mark.redis, pytest.mark.slow]

NAMES = "abcdefgh"
QUEUES = ("default", "other")
WORKERS = [WorkerId("w1", "node1", QUEUES), WorkerId("w2", "node2", ("default",))]
PROJECTS = ("", "lab")
MODULES = ("torch", "jax")
DEMANDS: list[dict[str, int]] = [{}, {"cpu": 1}, {"cpu": 2}, {"gpu": 1}, {"cpu": 1, "gpu": 1}]
BROKEN = (State.FAILED, State.BLOCKED, State.CANCELLED)
UNSTARTED = (State.WAITING, State.BLOCKED, State.READY, State.DELAYED)


@dataclass
class ModelJob:
    """A job as the design describes it."""

    name: str
    needs: tuple[str, ...]
    demand: dict[str, int]
    queue: str
    order: tuple[int, int]
    max_retries: int
    project: str = ""
    declared: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    state: State = State.WAITING
    execution: str = ""
    worker: str = ""
    failures: int = 0
    losses: int = 0
    attempts: int = 0
    cancel: bool = False
    lost: bool = False
    held: dict[str, int] = field(default_factory=dict)


class Model:
    """The design in Python, without time, concurrency, or speed."""

    def __init__(self) -> None:
        self.jobs: dict[str, ModelJob] = {}
        self.capacity = {"cpu": 3, "gpu": 1}
        self.ended: dict[str, str] = {}
        self.lacks: dict[str, set[tuple[str, str]]] = {worker.name: set() for worker in WORKERS}
        self.living: set[str] = set()
        self.paused: set[str] = set()
        self.drained: set[str] = set()
        self.arrivals = 0
        self.named: set[str] = set()
        self.going = ""

    def place(self, job: ModelJob) -> State:
        states = [self.jobs[need].state for need in job.needs if need in self.jobs]
        if any(state in BROKEN for state in states):
            return State.BLOCKED
        return State.READY if all(state is State.DONE for state in states) else State.WAITING

    def settle(self) -> None:
        """What follows from dependencies, until nothing more does."""
        changed = True
        while changed:
            changed = False
            for job in self.jobs.values():
                if job.state not in UNSTARTED:
                    continue
                place = self.place(job)
                if place is State.READY and job.state is State.DELAYED:
                    continue
                if place is not job.state:
                    job.state, changed = place, True

    def free(self, token: str) -> int:
        return self.capacity[token] - sum(job.held.get(token, 0) for job in self.jobs.values())

    def unfitness(self, worker: WorkerId, job: ModelJob) -> int:
        lacked = {module for project, module in self.lacks[worker.name] if project == job.project}
        return 2 if lacked & job.missing else 1 if lacked else 0

    def least_unfit(self, job: ModelJob) -> int:
        serving = [worker for worker in WORKERS if worker.name in self.living and job.queue in worker.queues]
        return min(self.unfitness(worker, job) for worker in serving)

    def next(self, worker: WorkerId) -> ModelJob | None:
        self.living.add(worker.name)
        queues = set(worker.queues) - self.paused if worker.name not in self.drained else set()
        ready = [job for job in self.jobs.values() if job.state is State.READY and job.queue in queues]
        ready = [job for job in ready if self.unfitness(worker, job) <= self.least_unfit(job)]
        fitting = [job for job in ready if all(self.free(token) >= n for token, n in job.demand.items())]
        return min(fitting, key=lambda job: job.order, default=None)

    def end(self, job: ModelJob, how: str, state: State) -> None:
        self.ended[job.execution] = how
        job.held, job.state = {}, state
        job.lost = how == "lost"
        self.settle()

    def lose(self, job: ModelJob) -> None:
        job.losses += 1
        if job.cancel:
            self.end(job, "lost", State.CANCELLED)
        else:
            self.end(job, "lost", State.FAILED if job.losses > 3 else State.READY)

    def refuse(self, job: ModelJob, worker: str, module: str) -> RefuseCode:
        self.lacks[worker].add((job.project, module))
        if job.cancel:
            self.end(job, "released", State.CANCELLED)
            return RefuseCode.REFUSED
        lacking = job.missing | {module}
        if self.least_unfit(replace(job, missing=lacking)) == 2:
            self.fail(job)
            return RefuseCode.FAILED
        job.missing = lacking
        job.attempts -= 1
        self.end(job, "released", State.READY)
        return RefuseCode.REFUSED

    def fail(self, job: ModelJob) -> None:
        job.failures += 1
        retried = job.failures <= job.max_retries
        self.end(job, "retry" if retried else "failed", State.DELAYED if retried else State.FAILED)

    def speaks(self, job: ModelJob, execution: str) -> bool:
        if job.execution != execution:
            return False
        if job.state is State.RUNNING:
            return True
        unclaimed = job.state in (State.READY, State.DELAYED) or (job.state is State.FAILED and job.lost)
        return self.ended.get(execution) == "lost" and unclaimed

    def finish(self, name: str, execution: str, outcome: State) -> FinishCode:
        job = self.jobs[name]
        if self.ended.get(execution) in ("done", "failed", "retry", "cancelled"):
            return FinishCode.ALREADY
        if not self.speaks(job, execution):
            return FinishCode.STALE
        if outcome is State.DONE:
            job.cancel, job.missing = False, frozenset()
            self.end(job, "done", State.DONE)
        elif outcome is State.CANCELLED or job.cancel:
            self.end(job, "cancelled", State.CANCELLED)
        else:
            self.fail(job)
        return FinishCode.ACCEPTED

    def retry(self, job: ModelJob) -> RetryCode:
        if job.state is State.BLOCKED:
            return RetryCode.BLOCKED
        if job.state not in (State.DONE, State.FAILED, State.CANCELLED):
            return RetryCode.UNSETTLED
        users = [other for other in self.jobs.values() if job.name in other.needs and other.state is State.RUNNING]
        if job.state is State.DONE and users:
            return RetryCode.IN_USE
        if job.state is State.DONE:  # the server links it anew to the jobs that it knows
            job.needs = tuple(need for need in job.declared if need in self.jobs)
        job.failures = job.losses = 0
        job.cancel, job.missing = False, frozenset()
        job.state = self.place(job)
        self.settle()
        return RetryCode.RETRIED

    def forget(self, name: str, seen: str) -> ForgetCode:
        """Whether a job may be removed: nothing is lost that a job which is not done needs, or that somebody named."""
        job, self.going = self.jobs.get(name), ""
        if name in self.named:
            return ForgetCode.NAMED
        if job is not None:
            if job.state not in (State.DONE, State.FAILED, State.CANCELLED):
                return ForgetCode.UNSETTLED
            if any(name in other.needs and other.state is not State.DONE for other in self.jobs.values()):
                return ForgetCode.NEEDED
            if job.execution != seen:
                return ForgetCode.STALE
            del self.jobs[name]
        self.going = name
        return ForgetCode.TAKEN


class Lives(RuleBasedStateMachine):
    """Calls in any order: by the living, by the dead, twice."""

    client: redis.Redis
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.client.flushdb()
        self.desk, self.model, self.count = StoreClient(self.client), Model(), 0

    @initialize()
    def tokens(self) -> None:
        create_token(self.client, "cpu", 3)
        create_token(self.client, "gpu", 1, units=True)
        self.collect()
        for worker in WORKERS:
            self.desk.store.join(worker, pid=1, path="/", version="1")
            assert self.desk.store.claim(worker, self.execution()).code is ClaimCode.EMPTY
            self.model.living.add(worker.name)

    def execution(self) -> str:
        self.count += 1
        return f"e{self.count}"

    def drain(self) -> None:
        while self.desk.store.look().more:
            pass

    @rule(
        name=st.sampled_from(NAMES),
        needs=st.sets(st.sampled_from(NAMES), max_size=3),
        demand=st.sampled_from(DEMANDS),
        queue=st.sampled_from(QUEUES),
        priority=st.integers(-1, 1),
        max_retries=st.integers(0, 1),
        project=st.sampled_from(PROJECTS),
    )
    def submit(
        self,
        name: str,
        needs: set[str],
        demand: dict[str, int],
        queue: str,
        priority: int,
        max_retries: int,
        project: str,
    ) -> None:
        if any(n > self.model.capacity[token] for token, n in demand.items()):
            return
        needed = tuple(sorted(need for need in needs if need in self.model.jobs and need < name))
        options = {
            "demand": demand,
            "queue": queue,
            "priority": priority,
            "max_retries": max_retries,
            "backoff_s": 999.0,
            "project": project,
        }
        known = self.desk.submitted.get(identity(name))
        if name == self.model.going:
            with pytest.raises(BeingRemovedError):
                self.desk.submit(submission(name, needs=needed, **options))
            return
        self.desk.submit(submission(name, needs=needed, **options))
        self.model.named.add(name)
        if known is not None and name in self.model.jobs:
            self.desk.submitted[known.identity] = known  # what it was run with
        else:
            order = (-priority, self.model.arrivals)
            self.model.arrivals += 1
            self.model.jobs[name] = ModelJob(name, needed, demand, queue, order, max_retries, project, needed)
            self.model.settle()

    @rule(
        name=st.sampled_from(NAMES),
        demand=st.sampled_from(DEMANDS),
        queue=st.sampled_from(QUEUES),
        priority=st.integers(-1, 1),
        max_retries=st.integers(0, 1),
        project=st.sampled_from(PROJECTS),
    )
    def submit_again_in_a_later_run(
        self, name: str, demand: dict[str, int], queue: str, priority: int, max_retries: int, project: str
    ) -> None:
        job = self.model.jobs.get(name)
        if job is None or any(n > self.model.capacity[token] for token, n in demand.items()):
            return
        known = self.desk.submitted[identity(name)]
        before, self.count = self.desk.run, self.count + 1
        while self.desk.run.started_ms <= before.started_ms + 1:  # so all that has happened was before it
            self.desk.run = self.desk.store.open_run("exp", f"later{self.count}", {})
        again = submission(
            name, needs=job.needs, demand=demand, queue=queue, priority=priority, max_retries=max_retries,
            backoff_s=999.0, project=project,
        )  # fmt: skip
        if name == self.model.going:
            with pytest.raises(BeingRemovedError):
                self.desk.submit(again)
            self.desk.run = before
            return
        self.desk.submit(again)
        self.desk.run = before
        self.model.named.add(name)
        if job.state not in (*UNSTARTED, State.FAILED, State.CANCELLED):
            self.desk.submitted[known.identity] = known
            return
        job.demand, job.queue, job.order = demand, queue, (-priority, job.order[1])
        job.max_retries, job.project = max_retries, project
        if job.state in (State.FAILED, State.CANCELLED):
            assert self.model.retry(job) is RetryCode.RETRIED

    @rule()
    def collect(self) -> None:
        """Another `xpm gc` begins."""
        self.desk.store.collect("gc", 0, {})
        self.desk.store.collect("gc", 999.0, {})
        self.model.named, self.model.going = set(), ""

    @rule(name=st.sampled_from(NAMES), stale=st.booleans(), removed=st.booleans())
    def forget(self, name: str, stale: bool, removed: bool) -> None:
        job = self.model.jobs.get(name)
        seen = "another" if stale or job is None else job.execution
        needs = [identity(need) for need in job.declared] if job is not None else []
        expected = self.model.forget(name, seen)
        code, word = self.desk.store.forget("gc", 999.0, identity(name), seen, needs)
        assert code is expected, word
        if code is ForgetCode.NEEDED:
            assert name in next(each for each in self.model.jobs.values() if identity(each.name) == word).needs
        if removed:
            assert self.desk.store.forget("gc", 999.0, "", "")[0] is ForgetCode.TAKEN
            self.model.going = ""

    @rule(target=leases, worker=st.sampled_from(WORKERS))
    def claim(self, worker: WorkerId) -> Lease | None:
        expected, execution = self.model.next(worker), self.execution()
        claim = self.desk.store.claim(worker, execution)
        if expected is None:
            ordered = worker.name in self.model.drained
            assert claim.code is (ClaimCode.ORDERED if ordered else ClaimCode.EMPTY), claim
            return None
        assert claim.lease is not None, (expected, claim)
        assert claim.lease.identity == identity(expected.name)
        expected.state, expected.execution, expected.worker = State.RUNNING, execution, worker.name
        expected.held = dict(expected.demand)
        expected.attempts += 1
        assert claim.lease.attempt == expected.attempts
        return claim.lease

    def named(self, lease: Lease) -> ModelJob | None:
        """The job of a lease; None if it was removed."""
        return next((job for job in self.model.jobs.values() if identity(job.name) == lease.identity), None)

    @rule(lease=leases, worker=st.sampled_from(WORKERS))
    def claim_again(self, lease: Lease | None, worker: WorkerId) -> None:
        if lease is None:
            return
        job = self.named(lease)
        claim = self.desk.store.claim(worker, lease.execution)
        self.model.living.add(worker.name)
        holds = job is not None and job.state is State.RUNNING and job.execution == lease.execution
        assert claim.code is (ClaimCode.CLAIMED if holds else ClaimCode.STALE)

    @rule(lease=leases, outcome=st.sampled_from([State.DONE, State.FAILED, State.CANCELLED]))
    def finish(self, lease: Lease | None, outcome: State) -> None:
        if lease is None:
            return
        self.model.living.add(WORKERS[0].name)
        job = self.named(lease)
        expected = FinishCode.UNKNOWN if job is None else self.model.finish(job.name, lease.execution, outcome)
        assert self.desk.store.finish(WORKERS[0], lease, outcome).code is expected

    @rule(lease=leases, started=st.booleans())
    def release(self, lease: Lease | None, started: bool) -> None:
        if lease is None:
            return
        job = self.named(lease)
        code, _ = self.desk.store.release(lease, started=started)
        if job is None:
            assert code is ReleaseCode.UNKNOWN
        elif self.model.ended.get(lease.execution) == "released":
            assert code is ReleaseCode.ALREADY
        elif job.state is State.RUNNING and job.execution == lease.execution:
            assert code is ReleaseCode.RELEASED
            job.attempts -= 0 if started or job.cancel else 1
            self.model.end(job, "released", State.CANCELLED if job.cancel else State.READY)
        else:
            assert code is ReleaseCode.STALE

    @rule(lease=leases, module=st.sampled_from(MODULES))
    def refuse(self, lease: Lease | None, module: str) -> None:
        if lease is None:
            return
        job = self.named(lease)
        worker = next((each for each in WORKERS if job is not None and each.name == job.worker), WORKERS[0])
        code, _ = self.desk.store.refuse(worker, lease, Refusal("", "", module, "", "no"), {"message": "no"})
        if job is None:
            assert code is RefuseCode.UNKNOWN
        elif self.model.ended.get(lease.execution) in ("released", "retry", "failed"):
            assert code is RefuseCode.ALREADY
        elif job.state is State.RUNNING and job.execution == lease.execution:
            assert code is self.model.refuse(job, worker.name, module)
        else:
            assert code is RefuseCode.STALE

    @rule(lease=leases)
    def lose(self, lease: Lease | None) -> None:
        if lease is None:
            return
        job = self.named(lease)
        code, _ = self.desk.store.lose(lease)
        if job is None:
            assert code is LoseCode.UNKNOWN
        elif self.model.ended.get(lease.execution) == "lost":
            assert code is LoseCode.ALREADY
        elif job.state is State.RUNNING and job.execution == lease.execution:
            assert code is LoseCode.LOST
            self.model.lose(job)
        else:
            assert code is LoseCode.STALE

    @rule()
    def every_lease_ends(self) -> None:
        for job in [job for job in self.model.jobs.values() if job.state is State.RUNNING]:
            self.client.zadd(keys.leases(W), {identity(job.name): 1})
            self.model.lose(job)
        self.client.hset(keys.clock(W), mapping={"called": int(server_time(self.client) * 1000), "rest_until": 0})
        self.drain()

    @rule()
    def every_delay_ends(self) -> None:
        for job in self.model.jobs.values():
            if job.state is State.DELAYED:
                self.client.zadd(keys.delayed(W), {identity(job.name): 1})
                job.state = State.READY
        self.model.settle()
        self.drain()

    @rule(name=st.sampled_from(NAMES))
    def cancel(self, name: str) -> None:
        code, _, _ = self.desk.store.cancel(identity(name))
        job = self.model.jobs.get(name)
        if job is None:
            assert code is CancelCode.UNKNOWN
        elif job.state is State.RUNNING:
            assert code is CancelCode.ASKED
            job.cancel = True
        elif job.state in UNSTARTED:
            assert code is CancelCode.CANCELLED
            job.state = State.CANCELLED
            self.model.settle()
        else:
            assert code is CancelCode.SETTLED

    @rule(name=st.sampled_from(NAMES))
    def retry(self, name: str) -> None:
        code, _, _ = self.desk.retry(name)
        job = self.model.jobs.get(name)
        assert code is (RetryCode.UNKNOWN if job is None else self.model.retry(job))

    @rule(token=st.sampled_from(["cpu", "gpu"]), capacity=st.integers(1, 4))
    def resize(self, token: str, capacity: int) -> None:
        create_token(self.client, token, capacity, units=token == "gpu")
        self.model.capacity[token] = capacity

    @rule(queue=st.sampled_from(QUEUES))
    def pause(self, queue: str) -> None:
        code, _, _ = pause_queue(self.client, W, queue, "ann@node1")
        assert code is (PauseCode.ALREADY if queue in self.model.paused else PauseCode.PAUSED)
        self.model.paused.add(queue)

    @rule(queue=st.sampled_from(QUEUES))
    def resume(self, queue: str) -> None:
        code, ready, _ = resume_queue(self.client, W, queue, "ann@node1")
        assert code is (ResumeCode.RESUMED if queue in self.model.paused else ResumeCode.ALREADY)
        assert ready == sum(job.state is State.READY and job.queue == queue for job in self.model.jobs.values())
        self.model.paused.discard(queue)

    @rule(worker=st.sampled_from(WORKERS), order=st.sampled_from([Order.DRAIN, Order.RESUME]))
    def order(self, worker: WorkerId, order: Order) -> None:
        code, _ = order_worker(self.client, W, worker.name, order, "ann@node1")
        changes = (worker.name in self.model.drained) is (order is Order.RESUME)
        assert code is (OrderCode.ORDERED if changes else OrderCode.ALREADY)
        (self.model.drained.add if order is Order.DRAIN else self.model.drained.discard)(worker.name)

    @invariant()
    def both_agree(self) -> None:
        self.drain()
        found = {job.identity: job for job in self.desk.jobs()}
        assert set(found) == {identity(name) for name in self.model.jobs}
        for job in self.model.jobs.values():
            stored = found[identity(job.name)]
            assert (job.name, stored.state) == (job.name, job.state)
            assert (stored.failures, stored.losses) == (job.failures, job.losses)
        held = {token: sum(job.held.get(token, 0) for job in self.model.jobs.values()) for token in self.model.capacity}
        for token in Reader(self.client, W).tokens.read():
            assert token.used == {"": held[token.name]}
        check_everything(self.client, W)


def test_random_lives_agree_with_the_model(redis_server: PrivateServer) -> None:
    with redis_server.client() as client:
        client.flushall()
        lives: Any = type("ServedLives", (Lives,), {"client": client})
        run_state_machine_as_test(
            lives,
            settings=settings(
                max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
