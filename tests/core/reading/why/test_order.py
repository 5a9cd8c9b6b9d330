"""Random states of a server: the first reason of a job is true, and what a claim would give is about to start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from helpers.store_client import StoreClient, W, identity, submission
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from xpm_core.reading.reader import Reader
from xpm_core.reading.why.records import Why
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import Claim, Lease, Submission, WorkerId
from xpm_core.store.refusals import Refusal
from xpm_core.store.steering.orders import Order, order_worker
from xpm_core.store.steering.pauses import pause_queue, resume_queue
from xpm_core.store.tokens import create_token, limit_passes
from xpm_core.words.reasons import Code, Reason
from xpm_core.words.reasons_in_line import AboutToStart, TokenHeld
from xpm_core.words.reasons_of_jobs import Blocked, Dependency
from xpm_core.words.reasons_of_workers import TooLarge

pytestmark = [pytest.mark.redis, pytest.mark.slow]

NAMES = "abcdef"
QUEUES = ("default", "gpu")
WORKERS = [
    WorkerId("m1-aa.0", "node1", QUEUES),
    WorkerId("m1-aa.1", "node1", QUEUES),
    WorkerId("m2-bb.0", "node2", ("default",), devices="CUDA_VISIBLE_DEVICES=1"),
    WorkerId("m3-cc.0", "node3", ("gpu",)),
]
FRESH = WorkerId("fresh-ff.0", "node9", QUEUES)
DEMANDS: list[dict[str, int]] = [{}, {"cpu": 1}, {"cpu": 2}, {"gpu": 1}, {"gpu": 2}, {"cpu": 1, "gpu": 1}, {"cpu": 1}]
STEPS = (
    *("claim",) * 8, *("refuse",) * 3, *("fail",) * 2, "done", "lose", "cancel", "suspend", "drain", "order", "pause",
    "silence", "shrink", "leave", "keep", "keep",
)  # fmt: skip

plans = st.fixed_dictionaries(
    {
        "workers": st.lists(
            st.tuples(st.sampled_from(WORKERS), st.sampled_from([None, 100.0])), min_size=1, unique_by=lambda w: w[0]
        ),
        "jobs": st.lists(
            st.tuples(
                st.sampled_from(QUEUES),
                st.sampled_from(DEMANDS),
                st.sampled_from([(), (), (), (0,), (1, 2)]),
                st.sampled_from([0, 0, 0, 3600]),
                st.sampled_from(["", "lab", "lab"]),
                st.sampled_from([0, 1]),
            ),
            min_size=2,
            max_size=len(NAMES),
        ),
        "steps": st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=12),
        "asked": st.integers(0, 5),
    }
)


class Scene:
    """A server in some state, and what can be taken away there."""

    def __init__(self, client: redis.Redis) -> None:
        client.flushall()
        self.desk = StoreClient(client)
        self.client, self.store = client, self.desk.store
        self.names: list[str] = []
        self.workers: list[WorkerId] = []
        self.leases: dict[str, Lease] = {}

    def build(self, plan: dict[str, Any]) -> None:
        limit_passes(self.client, 1)
        create_token(self.client, "cpu", 2)
        create_token(self.client, "gpu", 2, scope="host", env="CUDA_VISIBLE_DEVICES")
        for worker, left_s in plan["workers"]:
            self.join(worker, left_s)
        for place, (queue, demand, needs, least_s, project, retries) in enumerate(plan["jobs"]):
            name, needed = NAMES[place], tuple(NAMES[need] for need in needs if need < place)
            more = {"queue": queue, "demand": demand, "min_time_s": least_s, "project": project}
            self.desk.submit(submission(name, needs=needed, max_retries=retries, backoff_s=100, **more))
            self.names.append(name)
        for step, which in plan["steps"]:
            getattr(self, f"_{step}")(which)
        self.settle()

    def settle(self) -> None:
        while self.store.look().more:
            pass

    def join(self, worker: WorkerId, left_s: float | None = None) -> None:
        self.store.join(worker, pid=1, path="/", version="1", left_s=left_s)
        self.workers.append(worker)

    def why(self, name: str) -> Why:
        return Reader(self.client, W).reasons.why(identity(name))

    def claim(self, worker: WorkerId) -> Claim:
        """As the worker itself would: with the time that it has left."""
        until: Any = self.client.hget(keys.worker(W, worker.name), "until")
        left_s = None if until is None else max(int(until) / 1000 - self.client.time()[0], 0.0)
        claim = self.store.claim(worker, new_execution_id(), left_s=left_s)
        if claim.lease is not None:
            self.leases[claim.lease.identity] = claim.lease
        return claim

    def idle(self) -> list[WorkerId]:
        """Workers that claim: living ones that run no job, do not leave, and are heard of."""
        running = {job.worker for job in self.desk.jobs() if job.state is State.RUNNING}
        gone = {b"leaving", b"asleep"}
        return [
            worker
            for worker in self.workers
            if worker.name not in running and not gone & set(self.client.hkeys(keys.worker(W, worker.name)))
        ]

    def running(self, which: int) -> str | None:
        found = [name for name in self.names if self.desk.state(name) is State.RUNNING]
        return found[which % len(found)] if found else None

    def worker(self, which: int) -> WorkerId | None:
        return self.workers[which % len(self.workers)] if self.workers else None

    # -- steps on the way to a state ---------------------------------------------------------------------------------

    def _claim(self, which: int) -> None:
        if found := self.idle():
            self.claim(found[which % len(found)])

    def _done(self, which: int) -> None:
        if name := self.running(which):
            self.end(name)

    def _fail(self, which: int) -> None:
        if name := self.running(which):
            self.end(name, State.FAILED)

    def _lose(self, which: int) -> None:
        if name := self.running(which):
            self.store.lose(self.leases[identity(name)])

    def _refuse(self, which: int) -> None:
        if name := self.running(which):
            job = self.desk.job(name)
            worker = next((each for each in self.workers if each.name == job.worker), None)
            if worker is None:  # it has left, and its job is still leased
                return
            refusal = Refusal.of_module(worker.name, worker.host, "sweep", "/data")
            self.store.refuse(worker, self.leases[job.identity], refusal, {"type": "X", "message": "no"})

    def _cancel(self, which: int) -> None:
        self.store.cancel(identity(self.names[which % len(self.names)]))

    def _suspend(self, which: int) -> None:
        self.client.set(keys.suspended, 1)

    def _drain(self, which: int) -> None:
        if worker := self.worker(which):
            self.store.renew(worker, None, leaving=True)

    def _order(self, which: int) -> None:
        if worker := self.worker(which):
            order_worker(self.client, W, worker.name, Order.DRAIN, "ann@node1")

    def _pause(self, which: int) -> None:
        pause_queue(self.client, W, QUEUES[which % len(QUEUES)], "ann@node1")

    def _silence(self, which: int) -> None:
        if worker := self.worker(which):
            self.client.hset(keys.worker(W, worker.name), "asleep", 1)
            for queue in worker.queues:
                self.client.zadd(keys.serving(W, queue), {worker.name: self.client.time()[0] * 1000 + 6000})

    def _shrink(self, which: int) -> None:
        create_token(self.client, ("cpu", "gpu")[which % 2], 1, **GPU if which % 2 else {})

    def _leave(self, which: int) -> None:
        if worker := self.worker(which):
            job = next((job for job in self.desk.jobs() if job.worker == worker.name), None)
            if job is None or job.state is not State.RUNNING:
                self.store.leave(worker.name)
                self.workers.remove(worker)

    def _keep(self, which: int) -> None:
        """Keep the tokens of a job in line for it, as if it had been passed too often."""
        found = [name for name in self.names if self.desk.state(name) is State.READY]
        if found:
            job = self.desk.job(found[which % len(found)])
            order: Any = self.client.hget(keys.job(W, job.identity), "order")
            self.client.hset(keys.job(W, job.identity), "passed", 1)
            for token in job.demand:
                till = self.client.time()[0] * 1000 + 60_000
                self.client.hset(keys.token_reserved(token), f"{W}:{job.identity}", f"{int(order)} {till}")

    # -- taking reasons away ------------------------------------------------------------------------------------------

    def end(self, name: str, outcome: State = State.DONE) -> None:
        error = {"type": "ValueError", "message": "no"} if outcome is State.FAILED else None
        job = self.desk.job(name)
        worker = next(each for each in self.workers if each.name == job.worker)
        self.store.finish(worker, self.leases[job.identity], outcome, error=error)

    def complete(self, j: str) -> None:
        """Let a job be done, in whatever state it is."""
        name = next(name for name in self.names if identity(name) == j)
        if self.desk.state(name) is State.RUNNING:
            self.end(name)
        else:
            create_token(self.client, "cpu", 2)  # else a job that asks for more is refused
            create_token(self.client, "gpu", 2, **GPU)
            given: Submission = self.desk.submitted[j]
            self.desk.submit(given._replace(marker="0" * 24))
        self.settle()

    def take_away(self, name: str, reason: Reason) -> None:
        """Take away what a reason says is in the way."""
        ways: dict[Code, Callable[[], object]] = {
            Code.CANCELLED: lambda: self.desk.retry(name),
            Code.FAILED: lambda: self.desk.retry(name),
            Code.UNSERVED: lambda: self.join(FRESH),
            Code.REFUSED: lambda: self.client.delete(*(keys.refusals(W, f"m{n}") for n in ("1-aa", "2-bb", "3-cc"))),
            Code.SILENT: lambda: [self.store.renew(worker, None) for worker in self.workers],
            Code.SUSPENDED: lambda: self.client.delete(keys.suspended),
            Code.DRAINING: lambda: (self.forget("leaving"), self.forget("order")),
            Code.PAUSED: lambda: resume_queue(self.client, W, self.desk.job(name).queue, "ann@node1"),
            Code.SHORT_LIVED: lambda: self.forget("until"),
            Code.TOKEN_KEPT: self.keep_no_token,
            Code.BUSY: lambda: self.free_a_worker(self.desk.job(name).queue),
            Code.IN_LINE: lambda: [self.store.cancel(identity(other)) for other in self.others_in_line(name)],
            Code.RETRY: lambda: self.client.zadd(keys.delayed(W), {identity(name): 0}),
            Code.RUNNING: lambda: self.end(name),
        }
        if isinstance(reason, Blocked):
            self.desk.retry(next(other for other in self.names if identity(other) == reason.root))
        elif isinstance(reason, Dependency):
            self.complete(reason.steps[-1][0])
        elif isinstance(reason, TooLarge):
            more = GPU if reason.token == "gpu" else {}
            self.join(FRESH) if reason.machine else create_token(self.client, reason.token, reason.wants, **more)
        elif isinstance(reason, TokenHeld):
            for job in {holder.job for shortage in reason.shortages for holder in shortage.holders}:
                self.complete(job)
        else:
            ways[reason.code]()
        self.settle()

    def keep_no_token(self) -> None:
        self.client.delete(keys.token_reserved("cpu"), keys.token_reserved("gpu"))
        for name in self.names:
            self.client.hdel(keys.job(W, identity(name)), "passed")

    def forget(self, field: str) -> None:
        for worker in self.workers:
            self.client.hdel(keys.worker(W, worker.name), field)

    def free_a_worker(self, queue: str) -> None:
        serving = {worker.name for worker in self.workers if queue in worker.queues}
        for job in self.desk.jobs():
            if job.state is State.RUNNING and job.worker in serving:
                self.complete(job.identity)

    def others_in_line(self, name: str) -> list[str]:
        return [other for other in self.names if other != name and self.desk.state(other) is State.READY]


UNSTARTED = (State.WAITING, State.READY, State.DELAYED, State.BLOCKED)
GPU: dict[str, Any] = {"scope": "host", "env": "CUDA_VISIBLE_DEVICES"}
BACK = {Code.CANCELLED, Code.FAILED, Code.RETRY, Code.RUNNING}
"""Reasons after which a job may begin anew: then any other reason may come."""


def check_reason(scene: Scene, name: str) -> None:
    """Take away the first reason of a job, and the next one, until it starts: each brings a later one."""
    for _ in range(40):
        why = scene.why(name)
        places = [reason.code.place for reason in why.reasons]
        assert places == sorted(set(places)) or why.reason.code is Code.TOO_LARGE, why
        reason = why.reason
        if isinstance(reason, AboutToStart):
            worker = next(worker for worker in scene.workers if worker.name == reason.worker)
            lease = scene.claim(worker).lease
            assert lease is not None, why
            assert lease.identity == identity(name), why
            return
        if reason.code is Code.DONE:
            assert scene.desk.state(name) is State.DONE
            return
        scene.take_away(name, reason)
        after = scene.why(name).reason
        if reason.code is Code.RUNNING:
            assert after.code is Code.DONE
            return
        later = after.code.place > reason.code.place
        other = after != reason and reason.code in (Code.BLOCKED, Code.DEPENDENCY, Code.TOO_LARGE)
        assert later or other or (reason.code in BACK and after.code is not reason.code), (why, after)
    pytest.fail(f"no end: {scene.why(name)}")


def check_claims(scene: Scene) -> None:
    """What the next claim of any worker brings was about to start; if it brings nothing, nothing was to start there."""
    for worker in scene.idle():
        about = {name: scene.why(name) for name in scene.names}  # a claim that brings nothing may keep tokens
        claim = scene.claim(worker)
        if claim.lease is not None:
            [name] = [name for name in scene.names if identity(name) == claim.lease.identity]
            assert about[name].reason.code is Code.ABOUT_TO_START, about[name]
            return
        named = [why for why in about.values() if why.reason == AboutToStart(worker.name)]
        assert named == []


def check_summary(scene: Scene) -> None:
    """All that waits is counted once, and each line under the reason of its head."""
    found = Reader(scene.client, W).reasons.summary()
    assert found.jobs == sum(scene.desk.state(name) in UNSTARTED for name in scene.names)
    for group in found.groups:
        if group.queue and group.example:
            [name] = [name for name in scene.names if identity(name) == group.example]
            assert scene.why(name).reason.code is group.code


ONE_CLAIMS_BEFORE_ANOTHER_KEEPS: dict[str, Any] = {
    "workers": [(WORKERS[2], None), (WORKERS[3], None), (WORKERS[0], None)],
    "jobs": [
        ("gpu", {"cpu": 1}, (), 0, "", 0),
        ("gpu", {"cpu": 2}, (), 0, "", 0),
        ("default", {"cpu": 1}, (), 0, "", 0),
        ("default", {"cpu": 1}, (), 0, "", 0),
    ],
    "steps": [("claim", 1), ("claim", 0), ("done", 1)],
    "asked": 3,
}
"""The second job was passed. A claim of the third worker would keep tokens for it; a claim of the first one would not,
because this worker does not serve its queue."""


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(plans)
@example(ONE_CLAIMS_BEFORE_ANOTHER_KEEPS)
@example({**ONE_CLAIMS_BEFORE_ANOTHER_KEEPS, "workers": ONE_CLAIMS_BEFORE_ANOTHER_KEEPS["workers"][::-1]})
def test_the_first_reason_is_true_and_the_next_claim_is_foretold(
    redis_client: redis.Redis, plan: dict[str, Any]
) -> None:
    scene = Scene(redis_client)
    scene.build(plan)
    check_summary(scene)
    check_claims(scene)
    names = [name for name in scene.names if scene.desk.state(name) in UNSTARTED] or scene.names
    check_reason(scene, names[plan["asked"] % len(names)])
