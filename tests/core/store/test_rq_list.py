"""The list of an RQ queue when tokens let jobs leave from its middle: always as long as there are ready jobs."""

from __future__ import annotations

import random

import pytest
from helpers.invariants import check_everything
from helpers.store_client import StoreClient, W, submission

from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import WorkerId
from xpm_core.store.tokens import create_token

pytestmark = [pytest.mark.redis, pytest.mark.slow]

LONG = 1100
"""Longer than a list in which ids are looked for (`lua/include/listing.lua`)."""


def long_list(desk: StoreClient) -> None:
    """A token is held, many jobs wait for it, and as many come after them that do not."""
    create_token(desk.client, "gpu", 1)
    desk.submit(submission("holder", demand={"gpu": 1}))
    desk.claim(WorkerId("holder", "node"))
    desk.submit(*(submission(f"gpu{n}", demand={"gpu": 1}) for n in range(LONG)))
    desk.submit(*(submission(f"free{n}") for n in range(100)))


def length(desk: StoreClient) -> int:
    return int(desk.client.llen(keys.rq_queue(W, "default")))


def lag(desk: StoreClient) -> int:
    """How many ids stand in the list for others."""
    stale = desk.client.scard(keys.view_stale(W, "default"))
    assert stale == desk.client.scard(keys.view_missing(W, "default"))
    return int(stale)


def test_list_is_as_long_as_there_are_ready_jobs_though_its_ids_lag(desk: StoreClient) -> None:
    long_list(desk)
    for _ in range(50):
        desk.finish(desk.claim())
    assert length(desk) == LONG + 50
    assert lag(desk) == 50
    check_everything(desk.client, W)


def test_a_job_that_comes_back_while_its_old_id_stands_there_is_listed_once(desk: StoreClient) -> None:
    long_list(desk)
    draw = random.Random(3)
    for n in range(150):
        lease = desk.claim()
        if draw.random() < 0.5:
            desk.store.release(lease, started=False)
        else:
            desk.finish(lease)
        if n % 50 == 0:
            check_everything(desk.client, W)
    check_everything(desk.client, W)


def test_ids_are_right_again_once_the_list_is_short(desk: StoreClient) -> None:
    long_list(desk)
    for _ in range(100):
        desk.finish(desk.claim())
    assert lag(desk) == 100
    holder = next(job for job in desk.jobs() if job.state is State.RUNNING)
    lease = desk.lease_of(holder)
    worker = WorkerId("holder", "node")
    while lease is not None and length(desk) > 900:
        lease = desk.store.finish(worker, lease, State.DONE, next_execution=new_execution_id()).next.lease
    assert lag(desk) == 0
    check_everything(desk.client, W)
    assert Reader(desk.client, W).jobs.counts()[State.READY] == length(desk)
