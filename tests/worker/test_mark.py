"""The mark of a daemon: it is renewed, its slots note what they read, and it goes with the daemon."""

from __future__ import annotations

import logging
import os
from typing import Any

import pytest
import redis

from xpm_core.diagnosis.mark import RENEW_S, Mark, mark_file, versions
from xpm_core.store import keys
from xpm_core.store.records import ClaimCode, WorkerId
from xpm_core.workspace.workspace import Workspace
from xpm_worker import mark
from xpm_worker.mark import DaemonMark, MarkedStore

WORKER = WorkerId("node1-ab.0", "node1")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still; its one item is the time."""
    clock = [1000.0]
    monkeypatch.setattr(mark, "boot_time", lambda: clock[0])
    return clock


def read(workspace: Workspace) -> Mark:
    found = Mark.read(mark_file(workspace.path, "node1-ab").read_bytes())
    assert found is not None
    return found


def test_mark_is_written_renewed_and_removed(workspace: Workspace, now: list[float]) -> None:
    daemon = DaemonMark(workspace.path, "node1-ab", "node1")
    daemon.renew_if_due()
    first = read(workspace)
    assert (first.host, first.path, first.versions) == ("node1", str(workspace.path), versions())
    assert first.free_bytes > 0
    daemon.renew_if_due()
    assert read(workspace) == first
    now[0] += RENEW_S
    daemon.renew_if_due()
    assert read(workspace).at_s > first.at_s
    assert read(workspace).nonce == first.nonce
    daemon.remove()
    daemon.remove()
    assert not mark_file(workspace.path, "node1-ab").exists()


def test_mark_does_not_bring_back_a_workspace_that_was_removed(
    workspace: Workspace, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    daemon = DaemonMark(workspace.path, "node1-ab", "node1")
    os.rename(workspace.path, workspace.path.with_name("moved"))
    with caplog.at_level(logging.WARNING):
        daemon.renew_if_due()
        now[0] += RENEW_S
        daemon.renew_if_due()
    assert not workspace.path.exists()
    assert [record.getMessage().count("cannot be made") for record in caplog.records] == [1]


@pytest.fixture
def store(workspace: Workspace, redis_client: redis.Redis) -> MarkedStore:
    return MarkedStore(redis_client, workspace, WORKER.name, "node1-ab")


def join(store: MarkedStore) -> None:
    store.join(WORKER, pid=1, path="/", version="0")


def noted(store: MarkedStore) -> Mark | None:
    found: Any = store.client.hget(keys.worker(store.w, WORKER.name), "mark")
    return Mark.read(found) if found else None


@pytest.mark.redis
def test_slot_notes_the_mark_that_it_reads(workspace: Workspace, store: MarkedStore, now: list[float]) -> None:
    DaemonMark(workspace.path, "node1-ab", "node1").renew_if_due()
    join(store)
    found = noted(store)
    assert found is not None
    assert (found.nonce, found.at_s, found.problem) == (read(workspace).nonce, read(workspace).at_s, "")
    assert found.ahead_s is not None
    assert abs(found.ahead_s) < 1


@pytest.mark.redis
@pytest.mark.parametrize("call", ["claim", "renew"])
def test_slot_notes_it_again_after_a_minute(
    workspace: Workspace, store: MarkedStore, now: list[float], call: str
) -> None:
    def ask() -> None:
        if call == "claim":
            store.claim(WORKER, "e1")
        else:
            store.renew(WORKER, None)

    join(store)
    store.client.hdel(keys.worker(store.w, WORKER.name), "mark")
    ask()
    assert noted(store) is None
    now[0] += RENEW_S
    ask()
    assert noted(store) is not None


@pytest.mark.redis
@pytest.mark.parametrize(
    ("content", "problem"), [(None, "no such file or directory"), (b"{", "it is damaged")], ids=["missing", "damaged"]
)
def test_mark_that_cannot_be_read_is_noted_as_such(
    workspace: Workspace, store: MarkedStore, content: bytes | None, problem: str
) -> None:
    if content is not None:
        mark_file(workspace.path, "node1-ab").parent.mkdir()
        mark_file(workspace.path, "node1-ab").write_bytes(content)
    join(store)
    found = noted(store)
    assert found is not None
    assert (found.nonce, found.problem) == ("", problem)


@pytest.mark.redis
def test_mark_that_cannot_be_noted_hinders_no_call(
    store: MarkedStore, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    join(store)
    run = mark.Store._run

    def failing(self: Any, script: str, key: str, *args: Any) -> Any:
        if script == "mark":
            raise redis.ConnectionError("gone")
        return run(self, script, key, *args)

    monkeypatch.setattr(mark.Store, "_run", failing)
    now[0] += RENEW_S
    assert store.claim(WORKER, "e1").code is ClaimCode.EMPTY


@pytest.mark.redis
def test_worker_that_is_not_registered_gets_no_mark(store: MarkedStore, redis_client: redis.Redis) -> None:
    assert store._run("mark", keys.workers(store.w), "nobody", "{}") == 0
    assert not redis_client.exists(keys.worker(store.w, "nobody"))
