"""No script can half-apply: with any wrong argument, or any key made something else, nothing is written."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from helpers.invariants import check_everything
from helpers.private_server import PrivateServer
from helpers.server_content import everything
from helpers.store_client import WORKER, StoreClient, W, identity, submission
from redis.exceptions import OutOfMemoryError, ResponseError

from xpm_core.errors import RedisFullError
from xpm_core.states import State
from xpm_core.store import keys, scripts
from xpm_core.store.jobs import Retrying, Store, new_execution_id
from xpm_core.store.steering.pauses import pause_queue
from xpm_core.store.tokens import create_token

pytestmark = pytest.mark.redis

Call = tuple[str, str, list[Any]]


def busy(desk: StoreClient) -> None:
    """A workspace in which everything is there: a running job, ready ones, waiting ones, a token that is held."""
    create_token(desk.client, "cpu", 3)
    desk.store.join(WORKER, pid=1, path="/somewhere", version="0")
    desk.submit(submission("a", demand={"cpu": 1}), submission("b", demand={"cpu": 3}), submission("c", needs=("a",)))
    desk.submit(submission("d"), submission("e", priority=-5))
    desk.store.claim(WORKER, "running")
    desk.store.cancel(identity("d"))
    pause_queue(desk.client, W, "held", "ann")
    desk.store.collect("gc0", 60.0, {})
    desk.submit(submission("e"))


KIND = {
    "task": "t", "name": "t", "queue": "default", "demand": "cpu=1", "priority": 0, "max_retries": 0, "max_losses": 3,
    "backoff_ms": 0, "options": "{}", "project": "0123abcd", "made": 5,
}  # fmt: skip
GOOD = f"1 {identity('z')} d "
BAD = f"2 {identity('y')} d "


ASK = [W, WORKER.name, WORKER.host, WORKER.lease_ms]
HANDED = json.dumps({"name": "t", "directory": "d", "options": "{}", "tags": "{}", "needs": [], "max_retries": 0,
                     "max_losses": 3, "backoff_ms": 0})  # fmt: skip
SAID, ERROR = json.dumps({"said": "no module"}), json.dumps({"type": "E", "message": "cannot import"})
CALLS: list[Call] = [
    ("submit", keys.experiment_jobs(W, "exp"), [W, 1, "{}", json.dumps([KIND]), GOOD, "{}", b"payload"]),
    ("open_run", keys.experiments(W), [W, "exp", "run9", "{}"]),
    ("claim", keys.counts(W), [*ASK, "next", "default", 0, ""]),
    ("finish", keys.counts(W), [*ASK, "next", "default", 0, "", "running", identity("a"), "done", "", ""]),
    ("renew", keys.leases(W), [*ASK, "default", identity("a"), "running", "2026-01-01T00:00:00.000000Z"]),
    ("release", keys.leases(W), [W, identity("a"), "running", 1, 60]),
    ("refuse", keys.leases(W), [W, WORKER.name, 30000, identity("a"), "running", "abcd", SAID, ERROR]),
    ("lose", keys.leases(W), [W, identity("a"), "running"]),
    ("tell", keys.events(W), [W, identity("a"), "running", "progress", "{}"]),
    ("cancel", keys.counts(W), [W, identity("b"), 0]),
    ("retry", keys.counts(W), [W, identity("d"), "", HANDED, b"payload", "{}", '{"snapshot": "5d20"}']),
    ("recall", keys.experiment_jobs(W, "exp"), [W, identity("a")]),
    ("relist", keys.counts(W), [W, identity("a")]),
    ("collect", keys.collection(W), [W, "gc1", 60000, "{}"]),
    ("forget", keys.counts(W), [W, "gc0", 60000, identity("d"), "", identity("a")]),
    ("look", keys.queues(W), [W, 30000]),
    ("join", keys.workers(W), [W, "w5", 30000, "default", "node5", 1, "/", "0"]),
    ("leave", keys.workers(W), [W, WORKER.name]),
    ("mark", keys.workers(W), [W, WORKER.name, "{}"]),
    ("view_jobs", keys.counts(W), [W, identity("a"), 0]),
    ("view_members", keys.rq_registry("deferred", W, "default"), [W, "default", "deferred", '["x"]', 0]),
    ("view_list", keys.queues(W), [W, "default", 0]),
    ("token_set", keys.token("cpu"), ["cpu", 5, "server", 0, ""]),
    ("pause", keys.paused(W), [W, "default", "ann", "maintenance"]),
    ("resume", keys.paused(W), [W, "held", "ann"]),
    ("order", keys.workers(W), [W, WORKER.name, "drain", "ann"]),
]
TYPED = [
    keys.leases(W), keys.delayed(W), keys.counts(W), keys.events(W), keys.worklist(W), keys.queues(W),
    keys.clock(W), keys.workers(W), keys.lines(W, "default"), keys.token("cpu"), keys.token_holders("cpu"),
    keys.token_queues("cpu"), keys.token_reserved("cpu"), keys.serving(W, "default"), keys.idle(W, "default"),
    keys.passes, keys.refusals(W, WORKER.name), keys.paused(W), keys.worker(W, WORKER.name), keys.wake(W, WORKER.name),
    keys.passes, keys.refusals(W, WORKER.name), keys.collection(W), keys.named(W), keys.forgotten(W, identity("d")),
    keys.forgotten(W, identity("z")), keys.experiment_jobs(W, "exp"),
]  # fmt: skip
VIEW = [
    keys.rq_queues, keys.rq_queue(W, "default"), keys.rq_job(W, identity("a")), keys.rq_job(W, identity("b")),
    keys.rq_worker(WORKER.name), keys.rq_registry("wip", W, "default"), keys.rq_registry("finished", W, "default"),
    keys.rq_registry("deferred", W, "default"), keys.rq_execution(W, identity("a"), "running"),
    keys.rq_executions(W, identity("a")), keys.rq_worker_executions(WORKER.name),
]  # fmt: skip
WRONG: list[Any] = ["", "x", "-1", "1.5", "{", "nan"]


def test_every_script_that_writes_is_called_here() -> None:
    files = (Path(inspect.getfile(scripts)).parent / "lua").glob("*.lua")
    writing = {path.stem for path in files if not path.read_text().startswith("#!lua flags=no-writes\n")}
    assert writing == {name for name, _, _ in CALLS}


def spoil(client: redis.Redis, key: str) -> None:
    client.delete(key)
    client.set(key, "spoiled")


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_with_a_key_made_something_else_nothing_is_written(desk: StoreClient, call: Call) -> None:
    name, key, arguments = call
    for spoiled in [*TYPED, key]:
        desk.client.flushall()
        busy(desk)
        spoil(desk.client, spoiled)
        before = everything(desk.client)
        try:
            scripts.run(desk.client, name, [key], arguments)
        except ResponseError:
            assert everything(desk.client) == before, (name, spoiled)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_with_a_wrong_argument_nothing_is_written_or_all_of_it(desk: StoreClient, call: Call) -> None:
    name, key, arguments = call
    desk.client.flushall()
    busy(desk)
    before = everything(desk.client)
    for place in range(len(arguments)):
        for wrong in WRONG:
            changed = [*arguments[:place], wrong, *arguments[place + 1 :]]
            try:
                scripts.run(desk.client, name, [key], changed)
            except ResponseError:
                assert everything(desk.client) == before, (name, place, wrong)
            else:
                desk.client.flushall()
                busy(desk)
                before = everything(desk.client)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_a_view_made_something_else_hinders_nothing(desk: StoreClient, call: Call) -> None:
    name, key, arguments = call
    for spoiled in VIEW:
        desk.client.flushall()
        busy(desk)
        spoil(desk.client, spoiled)
        scripts.run(desk.client, name, [key], arguments)
        assert desk.client.get(spoiled) in (b"spoiled", None)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        *(({name: None}, BAD) for name in KIND),
        ({"project": "a|b"}, BAD),
        ({"priority": 101}, BAD),
        ({"priority": "high"}, BAD),
        ({"made": -1}, BAD),
        ({"demand": "cpu=9"}, BAD),
        ({"demand": "nothing=1"}, BAD),
        ({}, f"{BAD} nobody"),
        ({}, ""),
        ({}, "2"),
        ({}, f"2 {identity('y')}"),
        ({}, f"3 {identity('y')} d "),
        ({}, f"x {identity('y')} d "),
    ],
    ids=str,
)
def test_a_malformed_submission_is_refused_whole(desk: StoreClient, changes: dict[str, Any], line: str) -> None:
    busy(desk)
    before = everything(desk.client)
    kinds = json.dumps([KIND, {**KIND, **changes}])
    arguments = [W, 1, '{"t": "p:t.py"}', kinds, GOOD, "{}", b"1", line, "{}", b"2"]
    try:
        reply = scripts.run(desk.client, "submit", [keys.experiment_jobs(W, "exp")], arguments)
    except ResponseError:
        reply = [-1]
    assert reply[0] < 0
    assert everything(desk.client) == before


@pytest.fixture
def full(fresh_server: Callable[..., PrivateServer]) -> PrivateServer:
    """A server whose memory is full."""
    server = fresh_server(options={"maxmemory-policy": "noeviction"})
    with server.client() as client:
        desk = StoreClient(client)
        busy(desk)
        client.config_set("maxmemory", 1)
        with pytest.raises(OutOfMemoryError):
            client.set("one-more", "x")
    return server


def test_with_memory_full_submit_is_refused_and_running_jobs_end(full: PrivateServer) -> None:
    with full.client() as client:
        store = Store(client, W)
        with pytest.raises(RedisFullError, match="memory is full"):
            store.submit("exp", 1, [submission("z")], {})
        lease = store.claim(WORKER, "running").lease
        assert lease is not None
        assert store.renew(WORKER, lease)[0] == 1
        ended = store.finish(WORKER, lease, State.DONE, next_execution=new_execution_id())
        assert ended.accepted
        assert ended.next.lease is not None
        store.release(ended.next.lease, started=False)
        assert store.cancel(identity("e"))[0] == 1
        (refused,) = store.retry_each([Retrying(identity("e"))])
        assert isinstance(refused, RedisFullError)
        check_everything(client, W)
