"""The survey says what the single readers say, and what no single reader says."""

from __future__ import annotations

import pytest
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission

from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.reading.survey import survey as module
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.refusals import Refusal
from xpm_core.store.steering.orders import Order, order_worker
from xpm_core.store.steering.pauses import pause_queue
from xpm_core.store.tokens import create_token
from xpm_core.words.reasons_of_workers import TooLarge

pytestmark = pytest.mark.redis


@pytest.fixture
def reader(desk: StoreClient) -> Reader:
    return Reader(desk.client, W)


def test_an_empty_workspace_is_read(desk: StoreClient, reader: Reader) -> None:
    survey = reader.survey.read()
    assert (sum(survey.counts.values()), survey.tokens, survey.workers, survey.queues, survey.failed) == (
        0,
        [],
        [],
        [],
        [],
    )
    assert [experiment.name for experiment in survey.experiments] == ["exp"]
    assert not survey.goes_on


def test_a_job_that_runs_on_a_worker_that_leaves_can_be_foreseen(desk: StoreClient, reader: Reader) -> None:
    desk.store.join(WORKER, pid=1, path="/data", version="1")
    desk.submit(submission("last"))
    job = desk.claim()
    desk.client.hset(keys.worker(W, WORKER.name), "leaving", 1)
    survey = reader.survey.read()
    assert [bool(each.leaving_s) for each in survey.workers] == [True]
    assert survey.goes_on
    desk.finish(job)
    assert not reader.survey.read().goes_on


def test_it_says_what_the_readers_say(desk: StoreClient, reader: Reader) -> None:
    create_token(desk.client, "gpu", 2)
    create_token(desk.client, "licence", 1)
    for worker in (WORKER, OTHER):
        desk.store.join(worker, pid=1, path="/data", version="1")
    desk.submit(*(submission(f"bad{n}") for n in range(3)))
    for _ in range(3):
        desk.finish(desk.claim(), State.FAILED, error={"type": "ValueError", "message": "no"})
    desk.submit(submission("run", demand={"gpu": 2}))
    desk.claim()
    desk.submit(*(submission(f"wait{n}", demand={"gpu": 1}) for n in range(4)), submission("else", queue="other"))
    survey, now_s = reader.survey.read(), server_time(desk.client)
    assert survey.counts == reader.jobs.counts()
    assert survey.experiments == reader.experiments.read()
    assert survey.tokens == reader.tokens.read()
    assert {each.name: each.job for each in survey.workers} == {
        each.name: each.job for each in reader.workers.read(now_s)
    }
    assert survey.queues == sorted(desk.store.look().queues, key=lambda each: each.queue)
    assert {job.identity for job in survey.failed} == {identity(f"bad{n}") for n in range(3)}
    assert [job.identity for job in survey.running] == [identity("run")]
    assert not survey.suspended


def test_a_worker_is_busy_also_if_more_jobs_run_than_are_read(
    desk: StoreClient, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUNNING", 1)
    desk.submit(submission("a"), submission("b"))
    held = {}
    for worker in (WORKER, OTHER):
        desk.store.join(worker, pid=1, path="/data", version="1")
        held[worker.name] = desk.claim(worker).identity
    survey = reader.survey.read()
    assert len(survey.running) == 1
    assert {each.name: each.job for each in survey.workers} == held


def test_what_daemons_lack_is_counted_as_the_reader_of_reasons_does(desk: StoreClient, reader: Reader) -> None:
    for worker in (WORKER, OTHER):
        desk.store.join(worker, pid=1, path="/data", version="1")
    desk.submit(*(submission(f"a{n}", project="sweep") for n in range(3)))
    refusal = Refusal.of_module("w1", "node1", "sweep", "/data/code")
    desk.store.refuse(WORKER, desk.claim(), refusal, {"message": "m"})
    survey = reader.survey.read()
    assert survey.avoided == reader.reasons.avoided(survey.workers)
    assert [(each.daemon, each.refusal, each.jobs) for each in survey.avoided] == [("w1", refusal, 3)]


def test_what_no_token_can_meet_is_named(desk: StoreClient, reader: Reader) -> None:
    create_token(desk.client, "gpu", 4)
    desk.submit(submission("wide", demand={"gpu": 4}), submission("wider", demand={"gpu": 3}), submission("fits"))
    assert reader.survey.read().too_large == []
    create_token(desk.client, "gpu", 2)
    found = reader.survey.read().too_large
    assert {(each.token, each.wants, each.most) for each, _ in found} == {("gpu", 4, 2), ("gpu", 3, 2)}
    assert all(isinstance(each, TooLarge) and jobs == 1 for each, jobs in found)


def test_suspension_is_seen(desk: StoreClient, reader: Reader) -> None:
    desk.client.set(keys.suspended, 1)
    assert reader.survey.read().suspended


def test_pauses_and_queues_whose_workers_all_leave_are_seen_as_a_script_sees_them(
    desk: StoreClient, reader: Reader
) -> None:
    desk.store.join(WORKER, pid=1, path="/data", version="1")
    desk.submit(submission("a"), submission("b", queue="other"))
    pause_queue(desk.client, W, "other", "ann@node1", "new driver")
    pause_queue(desk.client, W, "unused", "ann@node1")
    order_worker(desk.client, W, WORKER.name, Order.DRAIN, "ben@node2")
    survey = reader.survey.read()
    assert [(each.queue, each.ready, each.workers) for each in survey.queues] == [
        ("default", 1, 0), ("other", 1, 0), ("unused", 0, 0),
    ]  # fmt: skip
    seen = [each for each in survey.queues if each.queue != "unused"]
    assert seen == sorted(desk.store.look().queues, key=lambda each: each.queue)
    [worker] = survey.workers
    assert (worker.order, worker.ordered_by, worker.leaving_s > 0) == ("drain", "ben@node2", True)
