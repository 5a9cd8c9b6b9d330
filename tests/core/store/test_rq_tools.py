"""Stock RQ tools beside the scripts: they show the truth, and none of their actions loses, doubles or stops a job."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import redis
from helpers.invariants import check_counts, check_dependencies, check_events, check_places, check_tokens
from helpers.private_server import PrivateServer
from helpers.store_client import StoreClient, W, identity, submission
from helpers.waiting import PATIENCE_S
from rq import Queue, Worker
from rq.job import Job, JobStatus
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)

from xpm_core.reading.events import Record
from xpm_core.reading.reader import Reader
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import ClaimCode, WorkerId
from xpm_core.store.tokens import create_token

pytestmark = pytest.mark.redis

QUEUE = keys.rq_name(W, "default")
REGISTRIES = [
    StartedJobRegistry, FinishedJobRegistry, FailedJobRegistry, DeferredJobRegistry, ScheduledJobRegistry,
    CanceledJobRegistry,
]  # fmt: skip


def rq_job(client: redis.Redis, name: str) -> Job:
    return Job.fetch(keys.rq_id(W, identity(name)), connection=client)


def test_rqs_classes_show_each_state(desk: StoreClient) -> None:
    desk.submit(*(submission(name) for name in "abcd"), submission("e", needs=("d",)))
    done, failed, running = desk.claim(), desk.claim(), desk.claim()
    desk.finish(done)
    desk.finish(failed, State.FAILED)
    expected = {"a": JobStatus.FINISHED, "b": JobStatus.FAILED, "c": JobStatus.STARTED, "d": JobStatus.QUEUED,
                "e": JobStatus.DEFERRED}  # fmt: skip
    assert {name: rq_job(desk.client, name).get_status() for name in expected} == expected
    queue = Queue(QUEUE, connection=desk.client)
    assert queue.job_ids == [keys.rq_id(W, identity("d"))]
    assert [registry(queue=queue).count for registry in REGISTRIES] == [1, 1, 1, 1, 0, 0]
    assert StartedJobRegistry(queue=queue).get_job_ids() == [keys.rq_id(W, running.identity)]
    assert rq_job(desk.client, "c").func_name == "xpm.job"
    assert [q.name for q in Queue.all(connection=desk.client)] == [QUEUE]


def test_rq_suspend_holds_claims_back_and_resume_lets_them_go(desk: StoreClient, redis_url: str) -> None:
    desk = StoreClient(desk.client)  # asking for the URL has emptied the server
    desk.submit(submission("a"))
    rq("suspend", redis_url)
    assert desk.claim_any().code is ClaimCode.SUSPENDED
    rq("resume", redis_url)
    assert desk.claim_any().code is ClaimCode.CLAIMED


def rq(command: str, url: str, *more: str) -> str:
    line = [sys.executable, "-m", "rq.cli", command, "--url", url, *more]
    return subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout


def mischief(client: redis.Redis, dice: random.Random) -> None:
    """One thing that people do with RQ's tools."""
    queue = Queue(QUEUE, connection=client)
    ids = queue.job_ids + [job for registry in REGISTRIES for job in registry(queue=queue).get_job_ids()]
    job = Job.fetch(dice.choice(ids), connection=client) if ids else None
    deeds: list[Callable[[], Any]] = [queue.empty, lambda: [registry(queue=queue).count for registry in REGISTRIES]]
    failed = FailedJobRegistry(queue=queue)
    deeds.append(lambda: [failed.requeue(each) for each in failed.get_job_ids()])
    if job is not None:
        deeds += [job.cancel, job.delete, lambda: job.requeue(), lambda: Worker.all(connection=client)]
    dice.choice(deeds)()


def meddle(server: PrivateServer, stop: threading.Event, seed: int, done: Counter[str]) -> None:
    """What RQ itself raises at states that changed meanwhile is no concern of ours."""
    dice = random.Random(seed)
    with server.client() as client:
        while not stop.is_set():
            try:
                mischief(client, dice)
                done["deeds"] += 1
            except Exception as error:
                done[type(error).__name__] += 1


def read(server: PrivateServer, stop: threading.Event, done: Counter[str]) -> None:
    """What a dashboard does: counts every registry, again and again."""
    with server.client() as client:
        queue = Queue(QUEUE, connection=client)
        while not stop.is_set():
            for registry in REGISTRIES:
                registry(queue=queue).count  # noqa: B018  it is the reading that RQ makes a clean-up of
            done["readings"] += 1


def watch(server: PrivateServer, stop: threading.Event, done: Counter[str]) -> None:
    """`rq info` in a loop."""
    while not stop.is_set():
        rq("info", server.url)
        done["infos"] += 1


def work(server: PrivateServer, name: str, starts: list[str]) -> None:
    """A worker that runs nothing, until all jobs have ended."""
    worker = WorkerId(name, name)
    dice = random.Random(name)
    with server.client() as client:
        store = Store(client, W)
        while True:
            claim = store.claim(worker, new_execution_id())
            while claim.lease is not None:
                lease = claim.lease
                starts.append(lease.identity)
                outcome = State.FAILED if dice.random() < 0.1 and lease.attempt == 1 else State.DONE
                claim = store.finish(worker, lease, outcome, next_execution=new_execution_id()).next
            counts = Reader(client, W).jobs.counts()
            if not any(n for state, n in counts.items() if not state.settled):
                return


@pytest.mark.parametrize("seed", [1])
def test_a_storm_of_rqs_tools_loses_doubles_and_sticks_nothing(
    redis_server: PrivateServer, desk: StoreClient, seed: int
) -> None:
    create_token(desk.client, "cpu", 2)
    for n in range(400):
        needs = (str(n - 7),) if n >= 7 and n % 3 else ()
        desk.submit(submission(str(n), needs=needs, demand={"cpu": 1} if n % 2 else {}, max_retries=1, backoff_s=0.0))
    stop, deeds, starts = threading.Event(), Counter[str](), []
    meddlers = [threading.Thread(target=meddle, args=(redis_server, stop, seed + n, deeds)) for n in range(4)]
    meddlers += [threading.Thread(target=read, args=(redis_server, stop, deeds)) for _ in range(30)]
    meddlers.append(threading.Thread(target=watch, args=(redis_server, stop, deeds)))
    workers = [threading.Thread(target=work, args=(redis_server, f"w{n}", starts)) for n in range(3)]
    for thread in meddlers + workers:
        thread.start()
    for thread in workers:
        thread.join(timeout=120)
    stop.set()
    for thread in meddlers:
        thread.join(timeout=PATIENCE_S)
    assert min(deeds["deeds"] - 20, deeds["readings"], deeds["infos"]) > 0, deeds
    assert Reader(desk.client, W).jobs.counts()[State.DONE] == 400
    done = Counter(record.job for record in all_events(desk.client) if record.event is Event.DONE)
    assert set(done.values()) == {1}
    failed = sum(record.event is Event.DELAYED for record in all_events(desk.client))
    assert len(starts) == 400 + failed
    jobs = {job.identity: job for job in desk.jobs()}
    for check in (check_places, check_counts, check_tokens, check_dependencies, check_events):
        check(desk.client, W, jobs)


def all_events(client: redis.Redis) -> list[Record]:
    found: list[Record] = []
    while records := Reader(client, W).events.after(found[-1].cursor if found else "0-0"):
        found += records
    return found
