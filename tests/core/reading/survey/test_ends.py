"""When the jobs of a workspace may have ended, as `look(...).forecast()` says it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from helpers.simulated_jobs import Lab

from xpm_core.index.entries import End
from xpm_core.reading.look import View
from xpm_core.reading.survey.capacity import capacity_of, read_capacity
from xpm_core.reading.tokens import TokenState
from xpm_core.reading.workers import WorkerState
from xpm_core.states import State
from xpm_core.store.steering.pauses import pause_queue
from xpm_core.store.tokens import create_token
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


@pytest.fixture
def lab(workspace: Workspace, redis_client: redis.Redis) -> Lab:
    return Lab(workspace, redis_client)


@pytest.fixture
def view(lab: Lab, redis_url: str) -> Iterator[View]:
    with View(lab.workspace, redis_url) as view:
        yield view


def worker(host: str, **more: object) -> WorkerState:
    known = {"pid": 1, "path": "/w", "version": "1", "started_s": 0.0, "alive": True, "job": ""}
    return WorkerState(**{"name": f"{host}.0", "host": host, "queues": ["a", "b"], "silent_s": 1.0, "left_s": 9.0,
                          **known, **more})  # type: ignore[arg-type]  # fmt: skip


def test_workers_that_take_jobs_and_tokens_of_their_machines_count() -> None:
    workers = [worker("m1"), worker("m2"), worker("m3", leaving_s=5.0), worker("m4", alive=False)]
    tokens = [TokenState("gpu", 4, {}, "host", {}, 0, []), TokenState("licence", 3, {}, "server", {}, 0, [])]
    found = capacity_of(workers, tokens, {"b"})
    assert (found.slots, found.tokens) == ((frozenset({"a"}),) * 2, {"gpu": 8, "licence": 3})
    assert capacity_of(workers, tokens, suspended=True).slots == ()


def test_jobs_end_as_their_needs_pauses_and_tokens_let_them(lab: Lab, view: View) -> None:
    lab.join()
    create_token(lab.client, "gpu", 1)
    now_s = time.time()
    first = lab.submit("first")
    lab.submit("second", "first")
    lab.submit("third", demand={"gpu": 1})
    lab.ends.add(lab.submit("done"), End(State.DONE, now_s, now_s - 60.0))
    assert read_capacity(lab.client, lab.workspace.id).slots == (frozenset({"default"}),)
    found = view.forecast()
    assert (found.left_s, found.whole, found.samples) == (240.0, True, {"Train": 1})
    lab.claim(first)
    view.refresh()
    later = view.forecast("sweep")
    assert later.left_s is not None
    assert 230 < later.left_s <= 240, "the first has just begun"
    pause_queue(lab.client, lab.workspace.id, "default", "ann@node1")
    view.refresh()
    paused = view.forecast()
    assert paused.left_s is not None
    assert (paused.stuck, paused.left_s <= 60) == (3, True)
