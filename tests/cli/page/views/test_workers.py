"""Workers, tokens and queues on the page: in the words of the terminal, with forms if the page may act."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import redis
from helpers.every_state import EveryState
from helpers.page import page_of
from helpers.typed_commands import AWAY

from xpm_core.states import State
from xpm_core.store.records import WorkerId
from xpm_core.store.refusals import Refusal
from xpm_core.store.steering.orders import Order, order_worker
from xpm_core.store.steering.pauses import pause_queue
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def jobs(workspace: Workspace, redis_client: redis.Redis) -> EveryState:
    return EveryState(workspace, redis_client)


def text(folder: Path, url: str | None, *, acts: bool = False) -> str:
    with page_of(folder, url, acts=acts) as page:
        return page.get("/workers")


def test_it_says_who_runs_what_who_holds_and_who_waits(jobs: EveryState, workspace: Workspace, redis_url: str) -> None:
    found = text(workspace.path, redis_url)
    assert f'href="/job/{jobs.ids[State.RUNNING]}"' in found
    assert "Train name=running" in found
    assert "0 of 2" in found
    assert f'1: <a href="/job/{jobs.ids[State.READY]}" title="Train name=ready">' in found
    assert "/acting/" not in found


def test_pauses_orders_and_refusals_are_said(
    jobs: EveryState, workspace: Workspace, redis_client: redis.Redis, redis_url: str
) -> None:
    pause_queue(redis_client, workspace.id, "default", "alice@head", "new driver")
    redis_client.hset(f"xpm:{workspace.id}:worker:node1-1", "orders", "1")
    order_worker(redis_client, workspace.id, "node1-1", Order.DRAIN, "bob@head")
    refusal = json.dumps(Refusal.of_module("node1", "node1", EVIL, "/data").written())
    redis_client.hset(f"xpm:{workspace.id}:refusals:node1-1", "project.lack", refusal)
    found = text(workspace.path, redis_url)
    assert "by alice@head: new driver" in found
    assert "ordered to drain by bob@head" in found
    assert "cannot import" in found
    assert 'action="/acting/' not in found
    assert 'action="/acting/stay"' in text(workspace.path, redis_url, acts=True)
    assert "<script>alert" not in found


def test_forms_are_there_only_if_the_page_may_act(
    jobs: EveryState, workspace: Workspace, redis_client: redis.Redis, redis_url: str
) -> None:
    found = text(workspace.path, redis_url, acts=True)
    assert 'action="/acting/drain"' in found
    assert 'action="/acting/pause"' in found
    assert 'action="/acting/resume"' not in found
    assert found.count('name="csrf"') == found.count('<form class="act"')
    pause_queue(redis_client, workspace.id, "default", "alice@head", "")
    found = text(workspace.path, redis_url, acts=True)
    assert 'action="/acting/resume"' in found
    assert 'action="/acting/pause"' not in found


def test_a_silent_worker_is_said(workspace: Workspace, redis_client: redis.Redis, redis_url: str) -> None:
    jobs = EveryState(workspace, redis_client)
    redis_client.zadd(f"xpm:{workspace.id}:workers", {"node1-1": jobs.lab.run.started_ms + 10_000})
    found = text(workspace.path, redis_url)
    assert "silent" in found
    assert "its job is free in" in found


def test_without_workers_it_says_how_to_start_one(workspace: Workspace, redis_url: str) -> None:
    found = text(workspace.path, redis_url)
    assert "No workers: start one by" in found
    assert "No tokens" in found
    assert "No queues" in found


def test_without_the_server_it_says_so(jobs: EveryState, workspace: Workspace) -> None:
    found = text(workspace.path, AWAY)
    assert "Only the server knows workers, tokens and queues" in found
    assert "<table" not in found


def test_hostile_names_stay_text(workspace: Workspace, redis_client: redis.Redis, redis_url: str) -> None:
    jobs = EveryState(workspace, redis_client)
    jobs.lab.store.join(WorkerId(EVIL, EVIL), pid=1, path="/", version=EVIL)
    redis_client.hset(f"xpm:token:{EVIL}", mapping={"capacity": 1, "used": 0, "scope": "server"})
    redis_client.sadd("xpm:tokens", EVIL)
    found = text(workspace.path, redis_url, acts=True)
    assert "<script>alert" not in found
    assert "&lt;script&gt;alert" in found
