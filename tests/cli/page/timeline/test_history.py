"""The past of a workspace: executions from events, from the index, and from what runs now."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from helpers.page import page_of
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import AWAY
from helpers.waiting import wait_until

from xpm_cli.page.timeline import history as module
from xpm_cli.page.timeline.ends import EndFiles
from xpm_cli.page.timeline.history import History, Past
from xpm_cli.page.timeline.lanes import How
from xpm_cli.page.timeline.waiting import NEEDS, WORKER, Waiting
from xpm_core.index.entries import End
from xpm_core.index.writers import EndWriter
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import Lease, WorkerId
from xpm_core.store.tokens import create_token
from xpm_core.workspace.job_spec import Retries
from xpm_core.workspace.workspace import Workspace

Read = Callable[[], Past]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_S", 0.0)
    monkeypatch.setattr(module, "PATIENCE_S", 60.0)


@pytest.fixture
def read(lab: Lab, redis_url: str) -> Iterator[Read]:
    """The past, read on at each call."""
    with page_of(lab.workspace.path, redis_url) as page:
        yield History(page.desk).read


def hows(past: Past, worker: str = "node1-1") -> list[How]:
    [lane] = [lane for lane in past.lanes if lane.worker == worker]
    return [run.of.how for run in lane.runs]


@pytest.mark.redis
def test_each_attempt_is_there_with_how_it_ended(lab: Lab, read: Read) -> None:
    lab.join()
    lab.end("done")
    lab.end("failed", State.FAILED, ERROR)
    lab.end("again", State.FAILED, ERROR, retries=Retries(max_retries=1, backoff_s=3600))
    handed = lab.start("handed")
    lab.store.release(handed, started=True)
    lab.claim(handed.identity)
    past = read()
    assert hows(past) == [How.DONE, How.FAILED, How.RETRIED, How.RELEASED, How.RUNNING]
    [lane] = past.lanes
    assert (lane.host, past.away, past.unseen, past.cut) == ("node1", "", 0, False)
    assert [run.of.attempt for run in lane.runs][-2:] == [1, 2]
    assert lane.to_s >= lane.runs[-1].to_s >= lane.runs[-1].from_s


@pytest.mark.redis
def test_a_lost_lease_is_there_and_what_comes_later_is_read_on(lab: Lab, read: Read) -> None:
    lab.join()
    lease = lab.start("lost")
    assert hows(read()) == [How.RUNNING]
    lab.store.lose(lease)
    lab.claim(lease.identity)
    assert hows(read()) == [How.LOST, How.RUNNING]


@pytest.mark.redis
def test_a_worker_that_is_silent_was_there_until_it_was_heard_of(
    lab: Lab, read: Read, redis_client: redis.Redis
) -> None:
    lab.join()
    lab.end("a")
    [lane] = read().lanes
    assert lane.to_s == read().now_s or lane.to_s > lane.runs[-1].to_s
    heard_s = lab.run.started_ms / 1000
    redis_client.zadd(f"xpm:{lab.workspace.id}:workers", {lab.worker.name: (heard_s + 30 - 60) * 1000})
    [lane] = read().lanes
    assert lane.to_s == pytest.approx(max(heard_s - 60, lane.runs[-1].to_s))
    assert lane.to_s < read().now_s


@pytest.mark.redis
def test_an_end_that_is_heard_late_counts(lab: Lab, read: Read, redis_client: redis.Redis) -> None:
    """Between reading events and looking at the workers a job may end."""
    lab.join()
    lease = lab.start("a")
    assert hows(read()) == [How.RUNNING]
    key = f"xpm:{lab.workspace.id}:leases"
    found: Any = redis_client.zrange(key, 0, -1, withscores=True)
    [(job, until)] = found
    redis_client.zrem(key, job)
    assert hows(read()) == [How.RUNNING]  # the event may come
    assert hows(read()) == [How.UNKNOWN]
    redis_client.zadd(key, {job: until})
    lab.store.finish(lab.worker, lease, State.DONE)
    assert hows(read()) == [How.DONE]


@pytest.mark.redis
def test_what_happened_before_the_events_that_are_kept_comes_from_the_index(
    lab: Lab, read: Read, redis_client: redis.Redis
) -> None:
    lab.join()
    lab.end("early")
    lab.start("late")
    stream = f"xpm:{lab.workspace.id}:events"
    redis_client.xtrim(stream, maxlen=0, approximate=False)
    past = read()
    assert hows(past) == [How.DONE, How.RUNNING]  # the end is in the index, what runs is with the worker
    assert past.cut


@pytest.mark.redis
def test_an_execution_whose_end_was_dropped_has_no_known_end_until_the_index_says_it(
    lab: Lab, read: Read, redis_client: redis.Redis
) -> None:
    lab.join()
    lease = lab.start("a")
    read()
    lab.store.finish(lab.worker, lease, State.DONE)
    lab.start("b")
    redis_client.xtrim(f"xpm:{lab.workspace.id}:events", maxlen=1, approximate=False)
    assert hows(read()) == [How.UNKNOWN, How.RUNNING]
    now_s = time.time()
    lab.ends.add(lease.identity, End(State.DONE, now_s, now_s - 1, "node1", "node1-1", lease.execution, 1))
    assert hows(read()) == [How.DONE, How.RUNNING]


@pytest.mark.redis
def test_an_execution_that_events_and_index_have_is_one(lab: Lab, read: Read) -> None:
    lab.join()
    for number in range(5):
        lab.end(f"job{number}")
    assert hows(read()) == [How.DONE] * 5
    assert hows(read()) == [How.DONE] * 5


@pytest.mark.redis
def test_what_jobs_wait_for_is_counted(lab: Lab, read: Read, redis_client: redis.Redis) -> None:
    create_token(redis_client, "gpu", 1)
    lab.join()
    lab.start("holds", demand={"gpu": 1})
    lab.submit("waits", demand={"gpu": 1})
    lab.submit("later", "holds")
    first = read()
    second = read()
    assert set(first.waited) <= {"token gpu", NEEDS, WORKER}
    for what in ("token gpu", NEEDS):
        assert second.waited[what] > first.waited.get(what, 0.0)
    assert first.waited_since_s is not None


@pytest.mark.redis
def test_a_server_that_was_wiped_is_read_anew(lab: Lab, read: Read, redis_client: redis.Redis) -> None:
    lab.join()
    lab.end("before")
    read()
    redis_client.flushall()
    other = Lab(lab.workspace, redis_client)
    other.worker = WorkerId("node2-1", "node2")
    other.join()
    identity = other.submit("after")
    other.store.claim(other.worker, new_execution_id())
    past = read()
    assert hows(past) == [How.DONE]
    assert [run.of.job for lane in past.lanes for run in lane.runs if lane.worker == "node2-1"] == [identity]


def test_without_the_server_the_index_says_what_ended(workspace: Workspace) -> None:
    writer = EndWriter(workspace.path, "w.0")
    for n in range(3):
        writer.add(f"{n:064}", End(State.DONE, 100.0 + n, 99.5 + n, "node1", "w.0", f"e{n}", 1))
    (workspace.path / "jobs").mkdir(exist_ok=True)
    with page_of(workspace.path, AWAY) as page:
        past = History(page.desk).read()
    assert hows(past, "w.0") == [How.DONE] * 3
    assert "no such file" in past.away
    assert not past.waited


@pytest.mark.redis
def test_whoever_asks_during_a_long_first_reading_is_told_how_far_it_is(
    lab: Lab, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.join()
    for number in range(3):
        lab.end(f"job{number}")
    goes_on, original = threading.Event(), History._begin
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    monkeypatch.setattr(History, "_begin", lambda self, *more: (goes_on.wait(60), original(self, *more)))
    with page_of(lab.workspace.path, redis_url) as page:
        history = History(page.desk)
        wait_until(lambda: (history.read().reading or 0) >= 12)
        assert not history.read().lanes
        goes_on.set()
        wait_until(lambda: history.read().reading is None)
        assert hows(history.read()) == [How.DONE] * 3


def test_an_error_of_the_first_reading_is_raised_and_the_next_call_tries_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    EndWriter(workspace.path, "w.0").add("a" * 64, End(State.DONE, 100.0, 99.0, "node1", "w.0", "e", 1))
    with page_of(workspace.path, AWAY) as page, monkeypatch.context() as patch:
        history = History(page.desk)
        patch.setattr(EndFiles, "read_on", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            history.read()
        patch.undo()
        assert hows(history.read(), "w.0") == [How.DONE]


@pytest.mark.redis
@pytest.mark.parametrize("seed", range(12))
def test_the_replay_comes_to_what_the_server_has(
    lab: Lab, redis_url: str, redis_client: redis.Redis, seed: int
) -> None:
    """Whatever happens, and whether or not old events were dropped before the first reading."""
    draw, workers = random.Random(seed), [WorkerId(f"w.{n}", "node1") for n in range(4)]
    create_token(redis_client, "gpu", 2)
    for worker in workers:
        lab.store.join(worker, pid=1, path="/", version="1")
    with page_of(lab.workspace.path, redis_url) as page:
        history = History(page.desk)
        history.read()
        _happen(lab, history, draw, workers, seed % 2 == 1)


def _happen(lab: Lab, history: History, draw: random.Random, workers: list[WorkerId], drops: bool) -> None:
    held: dict[str, Lease] = {}
    names: list[str] = []
    for step in range(200):
        worker = draw.choice(workers)
        if draw.random() < 0.4:
            needs = draw.sample(names, min(len(names), draw.choice([0, 0, 1])))
            names.append(f"job{step}")
            retries = Retries(max_retries=1, backoff_s=draw.choice([0.001, 3600.0]))
            lab.submit(names[-1], *needs, demand=draw.choice([{}, {"gpu": 1}, {"gpu": 2}]), retries=retries)
        elif worker.name in held:
            lease, end = held.pop(worker.name), draw.choice(["done", "failed", "lost", "released", "cancelled"])
            if end == "lost":
                lab.store.lose(lease)
            elif end == "released":
                lab.store.release(lease, started=True)
            else:
                error = ERROR if end == "failed" else None
                lab.store.finish(worker, lease, State(end), error=error)
        elif (claim := lab.store.claim(worker, new_execution_id())).lease is not None:
            held[worker.name] = claim.lease
        elif draw.random() < 0.2 and names:
            lab.store.cancel(lab.identity(draw.choice(names)), spares_running=True)
        if step == 100 and drops:
            lab.client.xtrim(f"xpm:{lab.workspace.id}:events", maxlen=30, approximate=False)
        if step in (120, 150, 199):
            _agree(history.read(), history._waiting, lab)


def _agree(past: Past, replay: Waiting, lab: Lab) -> None:
    reader = Reader(lab.client, lab.workspace.id)
    counts = reader.jobs.counts()
    assert replay.jobs == sum(counts[state] for state in (State.WAITING, State.READY, State.DELAYED))
    assert replay.held == {each.name: each.held for each in reader.tokens.read() if each.held}
    running = [run for lane in past.lanes for run in lane.runs if run.of.how is How.RUNNING]
    assert len(running) == counts[State.RUNNING]
