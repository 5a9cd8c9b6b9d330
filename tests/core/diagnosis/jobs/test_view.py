"""RQ's view: whatever somebody does to it, the doctor sees it, and writes it anew as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import redis
from helpers.every_state import EveryState
from helpers.invariants import check_everything
from helpers.simulated_jobs import Lab

from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Doctor

pytestmark = pytest.mark.redis

SUBJECT = "view for RQ"
Damage = Callable[[redis.Redis, str, dict[State, str]], Any]


@pytest.fixture
def states(workspace: Workspace, redis_client: redis.Redis) -> EveryState:
    return EveryState(workspace, redis_client)


def shown(client: redis.Redis) -> dict[bytes, Any]:
    """All that RQ's tools read, and whether it expires."""
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }
    return {key: (readers[client.type(key)](key), client.ttl(key) > 0) for key in client.scan_iter("rq:*")}


def in_registry(kind: str, member: str) -> Damage:
    return lambda client, w, ids: client.zadd(keys.rq_registry(kind, w, "default"), {member: 5})


DAMAGES: dict[str, Damage] = {
    "all of it deleted": lambda client, w, ids: client.delete(*client.keys("rq:*")),
    "a job deleted": lambda client, w, ids: client.delete(keys.rq_job(w, ids[State.DONE])),
    "a job of another type": lambda client, w, ids: client.set(keys.rq_job(w, ids[State.RUNNING]), "x"),
    "a status": lambda client, w, ids: client.hset(keys.rq_job(w, ids[State.FAILED]), "status", "finished"),
    "a date": lambda client, w, ids: client.hset(keys.rq_job(w, ids[State.DONE]), "ended_at", "yesterday"),
    "code": lambda client, w, ids: client.hset(keys.rq_job(w, ids[State.READY]), "data", "os.system"),
    "a list deleted": lambda client, w, ids: client.delete(keys.rq_queue(w, "default")),
    "a stranger in the list": lambda client, w, ids: client.rpush(keys.rq_queue(w, "default"), "stranger"),
    "the list of another type": lambda client, w, ids: (
        client.delete(keys.rq_queue(w, "default")),
        client.set(keys.rq_queue(w, "default"), "x"),
    ),
    "a registry of another type": lambda client, w, ids: (
        client.delete(keys.rq_registry("failed", w, "default")),
        client.set(keys.rq_registry("failed", w, "default"), "x"),
    ),
    "a done job in no registry": lambda client, w, ids: client.delete(keys.rq_registry("finished", w, "default")),
    "strangers that run": in_registry("wip", "stranger"),
    "strangers that have failed": in_registry("failed", "stranger:x"),
    "a job in another registry": lambda client, w, ids: client.zadd(
        keys.rq_registry("finished", w, "default"), {keys.rq_id(w, ids[State.FAILED]): 5e9}
    ),
    "another time of a retry": lambda client, w, ids: client.zadd(
        keys.rq_registry("scheduled", w, "default"), {keys.rq_id(w, ids[State.DELAYED]): 5}
    ),
    "a running job that expires": lambda client, w, ids: client.zadd(
        keys.rq_executions(w, ids[State.RUNNING]), {"other": 5}
    ),
    "a queue that is none": lambda client, w, ids: (
        client.sadd(keys.rq_queues, keys.rq_queue(w, "stranger")),
        client.rpush(keys.rq_queue(w, "stranger"), keys.rq_id(w, ids[State.DONE])),
    ),
    "no queue at all": lambda client, w, ids: client.delete(keys.rq_queues),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_view_is_found_and_written_anew_as_it_was(
    states: EveryState, doctor: Doctor, redis_client: redis.Redis, name: str
) -> None:
    before = shown(redis_client)
    DAMAGES[name](redis_client, states.lab.workspace.id, states.ids)
    assert shown(redis_client) != before
    found = doctor()
    assert found.code == 1
    assert found.about(SUBJECT)["level"] == "error"
    assert found.about(SUBJECT)["remedy"] == "xpm doctor --repair"
    mended = doctor("--repair")
    assert (mended.code, mended.levels(SUBJECT)) == (0, ["mended", "ok"])
    check_everything(redis_client, states.lab.workspace.id)
    assert shown(redis_client) == before


def test_long_list_with_ids_that_lag_is_no_fault(lab: Lab, doctor: Doctor, redis_client: redis.Redis) -> None:
    w = lab.workspace.id
    for number in range(3):
        lab.submit(str(number))
    redis_client.sadd(keys.view_stale(w, "default"), "stale")
    redis_client.sadd(keys.view_missing(w, "default"), keys.rq_id(w, lab.identity("1")))
    redis_client.lrem(keys.rq_queue(w, "default"), 1, keys.rq_id(w, lab.identity("1")))
    redis_client.rpush(keys.rq_queue(w, "default"), "stale")
    assert doctor().levels(SUBJECT) == ["ok"]


def test_done_job_that_the_view_no_longer_shows_is_not_shown_again(
    lab: Lab, doctor: Doctor, redis_client: redis.Redis
) -> None:
    lab.end("old")
    w, identity = lab.workspace.id, lab.identity("old")
    redis_client.hset(keys.job(w, identity), "ended", 1000)
    redis_client.delete(keys.rq_job(w, identity), keys.rq_registry("finished", w, "default"))
    assert doctor().levels(SUBJECT) == ["ok"]
