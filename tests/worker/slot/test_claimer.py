"""When a worker leaves for lack of work, and when it gives up, by a clock that the test sets."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission
from helpers.waiting import wait_until

from xpm_core.index.entries import End
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import EndWriter, UnreportedEnds
from xpm_core.reading.events import EventReader
from xpm_core.reading.jobs import JobReader
from xpm_core.server import connection
from xpm_core.states import State
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import Finish, Lease, WorkerId
from xpm_core.store.refusals import Refusal
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import Marker
from xpm_core.workspace.workspace import Workspace
from xpm_worker.slot import claimer, store_calls
from xpm_worker.slot.claimer import Claimer, HeldLease
from xpm_worker.slot.orders import Orders
from xpm_worker.slot.store_calls import LONGEST_PAUSE_S

pytestmark = pytest.mark.redis


class Clock:
    """A clock that goes on while a worker waits for work."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.meanwhile: Callable[[], None] = lambda: None

    def read(self) -> float:
        """What the time is."""
        return self.now_s

    def wait(self, seconds: float) -> None:
        """Let time go by, in which something may happen."""
        self.meanwhile()
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the claimer's clock shows."""
    clock = Clock()
    monkeypatch.setattr(claimer, "boot_time", clock.read)
    monkeypatch.setattr(store_calls, "boot_time", clock.read)
    return clock


@pytest.fixture
def ends(tmp_path: Path) -> EndWriter:
    """The index of a workspace."""
    return EndWriter(tmp_path, "w1")


@pytest.fixture
def idle(desk: StoreClient, clock: Clock, ends: EndWriter, monkeypatch: pytest.MonkeyPatch) -> Claimer:
    """A worker for which there is nothing to do."""
    monkeypatch.setattr(desk.store, "wait_for_wake", lambda _, seconds: clock.wait(seconds))
    return Claimer(desk.store, desk.store, OTHER, Orders(), lambda: None, ends)


class Leaving:
    """A worker that is to leave, whose job has ended while the server is away."""

    def __init__(self, desk: StoreClient, clock: Clock, ends: EndWriter, told: signal.Signals) -> None:
        self._desk, self._clock, self._finish = desk, clock, desk.store.finish
        desk.submit(submission("a"))
        self.held = HeldLease(desk.claim(WORKER), clock.now_s, WORKER.lease_s)
        self.away_until_s = float("inf")
        self.orders = Orders()
        self.orders.signal(told)
        self.claimer = Claimer(desk.store, desk.store, WORKER, self.orders, lambda: None, ends)

    def finish(self, *args: Any, **more: Any) -> Finish:
        """What stands for the store's method while the server may be away."""
        assert self._clock.now_s < self.held.until(0) + 10 * LONGEST_PAUSE_S, "it waits for ever"
        if self._clock.now_s < self.away_until_s:
            raise connection.OUTAGES[0]("away")
        return self._finish(*args, **more)


@pytest.fixture
def leaving(
    desk: StoreClient, clock: Clock, ends: EndWriter, monkeypatch: pytest.MonkeyPatch
) -> Callable[[signal.Signals], Leaving]:
    """What makes such a worker, of the signal that it was sent."""

    def make(told: signal.Signals) -> Leaving:
        made = Leaving(desk, clock, ends, told)
        monkeypatch.setattr(desk.store, "finish", made.finish)
        monkeypatch.setattr(made.orders, "wait", clock.wait)
        return made

    return make


def test_a_lingering_worker_leaves_so_long_after_the_end_of_the_last_job(
    desk: StoreClient, clock: Clock, idle: Claimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after it has next looked, which may be 5 s later."""
    desk.submit(submission("a"))
    lease = desk.claim(WORKER)
    ended: list[float] = []

    def end() -> None:
        if not ended:
            desk.finish(lease)
            ended.append(clock.now_s)

    clock.meanwhile = end
    monkeypatch.setattr(EventReader, "silence", lambda _: clock.now_s - ended[0])
    assert idle.next(burst=False, linger_s=10.0) is None
    assert clock.now_s == pytest.approx(ended[0] + 10.0)


def test_a_worker_that_comes_after_the_end_of_the_last_job_lingers_all_the_same(
    clock: Clock, idle: Claimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EventReader, "silence", lambda _: 1000.0)
    came_s = clock.now_s
    assert idle.next(burst=False, linger_s=10.0) is None
    assert clock.now_s == pytest.approx(came_s + 10.0)


def test_a_lingering_worker_does_not_wait_for_jobs_that_no_worker_takes(
    desk: StoreClient, clock: Clock, idle: Claimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.submit(submission("a", queue="elsewhere"))
    monkeypatch.setattr(EventReader, "silence", lambda _: 0.0)
    came_s = clock.now_s
    assert idle.next(burst=False, linger_s=10.0) is None
    assert clock.now_s == pytest.approx(came_s + 10.0)


def test_a_lingering_worker_waits_while_another_queue_has_a_job_and_a_worker(
    desk: StoreClient, clock: Clock, idle: Claimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When that job is done, there may be one for this worker."""
    elsewhere = WorkerId("e1", "node3", queues=("elsewhere",))
    assert desk.claim_any(elsewhere).lease is None
    desk.submit(submission("a", queue="elsewhere"))
    monkeypatch.setattr(EventReader, "silence", lambda _: 0.0)
    came_s = clock.now_s

    def end() -> None:
        if clock.now_s > came_s + 50:
            desk.store.cancel(identity("a"))

    clock.meanwhile = end
    assert idle.next(burst=False, linger_s=10.0) is None
    assert clock.now_s > came_s + 60


def test_a_worker_that_hands_back_tries_until_its_lease_is_over_to_tell_of_an_end(
    desk: StoreClient, clock: Clock, leaving: Callable[[signal.Signals], Leaving], caplog: pytest.LogCaptureFixture
) -> None:
    worker = leaving(signal.SIGTERM)
    assert worker.claimer.finish(worker.held, State.DONE) is None
    assert clock.now_s >= worker.held.asked + worker.held.left_s
    assert "it counts as lost once its lease is over" in caplog.text
    assert desk.state("a") is State.RUNNING


def test_a_worker_that_finishes_its_job_and_leaves_tells_of_its_end_however_long_that_takes(
    desk: StoreClient, clock: Clock, leaving: Callable[[signal.Signals], Leaving]
) -> None:
    worker = leaving(signal.SIGINT)
    worker.away_until_s = worker.held.asked + worker.held.left_s + 2 * LONGEST_PAUSE_S
    reply = worker.claimer.finish(worker.held, State.DONE)
    assert reply is not None
    assert reply.accepted
    assert desk.state("a") is State.DONE


@pytest.mark.parametrize(
    ("outcome", "error", "state"),
    [
        (State.DONE, None, State.DONE),
        (State.FAILED, {"type": "ValueError", "message": "no"}, State.FAILED),
        (State.CANCELLED, None, State.CANCELLED),
    ],
)
def test_the_end_that_counts_is_in_the_index(
    desk: StoreClient, idle: Claimer, tmp_path: Path, outcome: State, error: dict[str, str] | None, state: State
) -> None:
    desk.submit(submission("a"))
    held = idle.next(burst=True, linger_s=None)
    assert held is not None
    idle.finish(held, outcome, error=error)
    end = MergedIndex(tmp_path).read()[held.lease.identity].end
    assert isinstance(end, End)
    assert (end.state, end.host, end.worker, end.execution) == (state, "node2", "w2", held.lease.execution)
    assert end.error == (error or {})


LOST = WorkerId("gone", "node9", lease_s=0.05)
"""A worker that claims and is not heard from again, and how soon its leases end."""
HASTY = replace(OTHER, lease_s=0.05)


def hand_over(desk: StoreClient, tmp_path: Path, ends: EndWriter, **more: Any) -> tuple[Lease, Claimer]:
    """A job whose worker is lost, and a worker that shares the workspace."""
    desk.submit(submission("a", **more))
    lease = desk.claim(LOST)
    unreported = UnreportedEnds(Workspace(tmp_path, W), ends)
    desk.store.on_losses = lambda identities: unreported.add(JobReader(desk.client, W).read(identities))
    return lease, Claimer(desk.store, desk.store, HASTY, Orders(), lambda: None, ends)


def by_claim(desk: StoreClient, claimer: Claimer, lease: Lease) -> None:
    claimer.next(burst=True, linger_s=None)


def by_renewal(desk: StoreClient, claimer: Claimer, lease: Lease) -> None:
    claimer.renew(None)


def by_look(desk: StoreClient, claimer: Claimer, lease: Lease) -> None:
    desk.store.look(HASTY.lease_s)


def by_finish(desk: StoreClient, claimer: Claimer, lease: Lease) -> None:
    desk.store.finish(HASTY, lease._replace(execution="another"), State.DONE)


@pytest.mark.parametrize("sweep", [by_claim, by_renewal, by_look, by_finish])
def test_the_end_of_a_job_whose_worker_was_lost_is_written_by_whoever_finds_that(
    desk: StoreClient, tmp_path: Path, ends: EndWriter, sweep: Callable[[StoreClient, Claimer, Lease], None]
) -> None:
    """No script follows the job. Without the server, tables would not know how it ended."""
    lease, claimer = hand_over(desk, tmp_path, ends, max_losses=0)
    directory = JobDirectory(tmp_path, lease.spec.directory)
    directory.prepare(lease.attempt)
    index = MergedIndex(tmp_path)

    def swept() -> bool:
        sweep(desk, claimer, lease)
        return desk.state("a") is State.FAILED

    wait_until(swept)
    end = index.read()[lease.identity].end
    assert end is not None
    assert (end.state, end.error["type"], end.execution) == (State.FAILED, "WorkerLost", lease.execution)
    assert (end.host, end.worker, end.attempt) == ("node9", "gone", 1)
    assert end.ended_s == desk.job("a").ended_s
    assert directory.marker() == Marker("failed", lease.execution)


def test_the_end_of_a_job_that_was_to_be_cancelled_when_its_worker_was_lost_is_written(
    desk: StoreClient, tmp_path: Path, ends: EndWriter
) -> None:
    lease, claimer = hand_over(desk, tmp_path, ends)
    desk.store.cancel(lease.identity)
    wait_until(lambda: [by_renewal(desk, claimer, lease), desk.state("a") is State.CANCELLED][-1])
    end = MergedIndex(tmp_path).read()[lease.identity].end
    assert end is not None
    assert end.state is State.CANCELLED
    assert JobDirectory(tmp_path, lease.spec.directory).marker() is None


def test_a_job_that_runs_again_after_its_worker_was_lost_has_no_end(
    desk: StoreClient, tmp_path: Path, ends: EndWriter
) -> None:
    hand_over(desk, tmp_path, ends, max_losses=1)
    wait_until(lambda: [desk.store.look(0.05), desk.state("a") is State.READY][-1])
    assert MergedIndex(tmp_path).read() == {}


def test_the_end_of_a_lost_job_is_written_although_its_directory_cannot_be_read(
    desk: StoreClient, tmp_path: Path, ends: EndWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(directory: JobDirectory, execution: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(JobDirectory, "record", closed)
    hand_over(desk, tmp_path, ends, max_losses=0)
    wait_until(lambda: [desk.store.look(0.05), desk.state("a") is State.FAILED][-1])
    assert [entry.state for entry in MergedIndex(tmp_path).read().values()] == [State.FAILED]


def test_a_claim_brings_its_job_although_the_record_of_a_lost_one_cannot_be_read(
    desk: StoreClient, tmp_path: Path, ends: EndWriter, caplog: pytest.LogCaptureFixture
) -> None:
    hand_over(desk, tmp_path, ends, max_losses=0)

    def away(identities: Sequence[str]) -> None:
        raise connection.OUTAGES[0]("away")

    desk.store.on_losses = away
    desk.submit(submission("b", needs=()))
    held = desk.store.claim(HASTY, new_execution_id())
    assert held.lease is not None
    wait_until(lambda: [desk.store.renew(HASTY, held.lease), desk.state("a") is State.FAILED][-1])
    assert "A script that follows them adds them" in caplog.text


@pytest.mark.parametrize("how", ["release", "lose", "refuse"])
def test_a_job_that_is_handed_back_and_was_to_be_cancelled_has_ended(
    desk: StoreClient, idle: Claimer, tmp_path: Path, how: str
) -> None:
    desk.submit(submission("a"))
    held = idle.next(burst=True, linger_s=None)
    assert held is not None
    desk.store.cancel(held.lease.identity)
    if how == "release":
        idle.release(held, started=True)
    elif how == "lose":
        assert not idle.lose(held)
    else:
        assert not idle.refuse(held, Refusal.of_module("w2", "node2", "lacking", "/data"), {"message": "x"})
    end = MergedIndex(tmp_path).read()[held.lease.identity].end
    assert end is not None
    assert (end.state, end.error) == (State.CANCELLED, {})


def test_an_attempt_that_is_tried_again_is_no_end(desk: StoreClient, idle: Claimer, tmp_path: Path) -> None:
    desk.submit(submission("a", max_retries=1, max_losses=3, backoff_s=60))
    held = idle.next(burst=True, linger_s=None)
    assert held is not None
    idle.finish(held, State.FAILED, error={"type": "ValueError"})
    assert MergedIndex(tmp_path).read() == {}


def ended_in(tmp_path: Path, lease: Lease) -> tuple[State, str]:
    """How a job has ended by the index: its state, and the execution."""
    end = MergedIndex(tmp_path).read()[lease.identity].end
    assert end is not None
    return end.state, end.execution


def run_elsewhere(desk: StoreClient, tmp_path: Path, outcome: State) -> Lease:
    """Another worker runs the job to its end, and writes that."""
    other = Claimer(desk.store, desk.store, WORKER, Orders(), lambda: None, EndWriter(tmp_path, "a1"))
    held = wait_until(lambda: other.next(burst=True, linger_s=None))  # it may be delayed
    assert held is not None
    other.finish(held, outcome, error={"type": "ValueError", "message": "no"})
    return held.lease


@pytest.mark.parametrize("how", ["finish", "lose", "refuse"])
def test_an_end_that_a_slot_writes_late_is_no_newer_than_that_of_who_ran_the_job_since(
    desk: StoreClient, idle: Claimer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock, how: str
) -> None:
    """The slot sleeps between the server's answer and the line, as its laptop does."""
    desk.submit(submission("a", max_losses=0))
    held = idle.next(burst=True, linger_s=None)
    assert held is not None
    plain, since = getattr(desk.store, how), list[Lease]()

    def then_sleep(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(desk.store, how, plain)
        answer = plain(*args, **more)
        assert desk.retry("a")[1] == "ready"
        since.append(run_elsewhere(desk, tmp_path, State.DONE))
        clock.now_s += 3600.0
        return answer

    monkeypatch.setattr(desk.store, how, then_sleep)
    if how == "finish":
        idle.finish(held, State.FAILED, error={"type": "ValueError", "message": "no"})
    elif how == "lose":
        assert idle.lose(held)
    else:
        assert idle.refuse(held, Refusal.of_module("w2", "node2", "lacking", "/data"), {"message": "x"})
    assert ended_in(tmp_path, held.lease) == (State.DONE, since[0].execution)


@pytest.mark.parametrize("how", ["finish", "lose", "release", "refuse"])
def test_a_repeated_call_does_not_write_the_end_of_who_runs_the_job_by_now(
    desk: StoreClient, idle: Claimer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The first answer was lost. The second one says how the job stands by now, which is the end of another."""
    desk.submit(submission("a", max_losses=3, max_retries=1, backoff_s=0))
    held = idle.next(burst=True, linger_s=None)
    assert held is not None
    plain, since = getattr(desk.store, how), list[Lease]()
    outcome = State.CANCELLED if how == "release" else State.FAILED

    def lose_the_answer(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(desk.store, how, plain)
        plain(*args, **more)
        while desk.state("a") is not outcome:
            since.append(run_elsewhere(desk, tmp_path, outcome))
        raise connection.OUTAGES[0]("away")

    monkeypatch.setattr(idle._orders, "wait", lambda _: None)
    monkeypatch.setattr(desk.store, how, lose_the_answer)
    told: list[Lease] = []
    idle.on_end = lambda lease, _: told.append(lease)
    if how == "finish":
        idle.finish(held, State.FAILED, error={"type": "ValueError", "message": "no"})
    elif how == "lose":
        assert not idle.lose(held)
    elif how == "release":
        idle.release(held, started=True)
    else:
        desk.claim_any(WORKER)
        assert not idle.refuse(held, Refusal.of_module("w2", "node2", "lacking", "/data"), {"message": "x"})
    assert ended_in(tmp_path, held.lease) == (outcome, since[-1].execution)
    assert told == []


def test_a_repeated_call_writes_its_own_end(
    desk: StoreClient, idle: Claimer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.submit(submission("a"))
    held = idle.next(burst=True, linger_s=None)
    assert held is not None
    plain = desk.store.finish

    def lose_the_answer(*args: Any, **more: Any) -> Finish:
        monkeypatch.setattr(desk.store, "finish", plain)
        plain(*args, **more)
        raise connection.OUTAGES[0]("away")

    monkeypatch.setattr(idle._orders, "wait", lambda _: None)
    monkeypatch.setattr(desk.store, "finish", lose_the_answer)
    idle.finish(held, State.DONE, adopted="before")
    assert ended_in(tmp_path, held.lease) == (State.DONE, "before")
