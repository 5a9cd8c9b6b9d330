"""Tokens: who gets units, in which order, and which ones."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission

from xpm_core.errors import SettingsError, TokenNameError, TokenRequestError, UnknownDependencyError
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.records import (
    ClaimCode,
    WorkerId,
)
from xpm_core.store.tokens import create_token, limit_passes

pytestmark = pytest.mark.redis


def test_tokens_are_met_whole_and_a_small_demand_passes_a_wide_one(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 3)
    two = {"demand": {"cpu": 2}}
    desk.submit(submission("a", **two), submission("b", **two), submission("c", demand={"cpu": 1}), submission("d"))
    first, small, free = desk.claim(), desk.claim(), desk.claim()
    assert [lease.identity for lease in (first, small, free)] == [identity(name) for name in "acd"]
    assert desk.claim_any().code is ClaimCode.EMPTY
    assert Reader(desk.client, W).tokens.read()[0].used == {"": 3}
    desk.finish(first)
    assert desk.claim().identity == identity("b")


def test_asking_for_more_than_there_is_is_refused_whole(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 3)
    with pytest.raises(TokenRequestError, match="asks for 4 units, there are 3"):
        desk.submit(submission("a"), submission("b", demand={"cpu": 4}))
    with pytest.raises(UnknownDependencyError):
        desk.submit(submission("a"), submission("b", needs=("nobody",)))
    assert Reader(desk.client, W).jobs.identities() == []


def test_numbered_units_are_told_and_never_shared(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 3, env="CUDA_VISIBLE_DEVICES")
    desk.submit(submission("a", demand={"gpu": 2}), submission("b", demand={"gpu": 1}))
    first, second = desk.claim(), desk.claim()
    assert (first.units, first.variables) == ({"gpu": (2, "0,1")}, {"CUDA_VISIBLE_DEVICES": "0,1"})
    assert (second.units, second.variables) == ({"gpu": (1, "2")}, {"CUDA_VISIBLE_DEVICES": "2"})
    repeated = desk.store.claim(WORKER, second.execution).lease
    assert repeated is not None
    assert (repeated.units, repeated.variables) == (second.units, second.variables)


def test_a_variable_that_could_not_be_set_is_refused(desk: StoreClient) -> None:
    with pytest.raises(TokenNameError, match=r"Token 'gpu': 'A B' is no name of a variable\."):
        create_token(desk.client, "gpu", 3, env="A B")


def test_a_wide_demand_is_served_after_a_bounded_number_of_small_ones(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 2)
    desk.submit(submission("s0", demand={"cpu": 1}), submission("wide", demand={"cpu": 2}))
    running = desk.claim()
    for n in range(1, 500):
        desk.submit(submission(f"s{n}", demand={"cpu": 1}))
        claim = desk.claim_any()
        if claim.lease is None:
            break
        desk.finish(running)
        running = claim.lease
    else:
        pytest.fail("the wide demand was never kept room for")
    assert n == 201
    desk.finish(running)
    assert desk.claim().identity == identity("wide")


@pytest.mark.parametrize("passes", [1, 3])
def test_how_often_a_wide_demand_may_be_passed_can_be_set(desk: StoreClient, passes: int) -> None:
    create_token(desk.client, "cpu", 2)
    limit_passes(desk.client, passes)
    desk.submit(submission("s0", demand={"cpu": 1}), submission("wide", demand={"cpu": 2}))
    running = desk.claim()
    for n in range(passes):
        desk.submit(submission(f"s{n + 1}", demand={"cpu": 1}))
        following = desk.claim()
        desk.finish(running)
        running = following
    desk.submit(submission("late", demand={"cpu": 1}))
    assert desk.claim_any().code is ClaimCode.EMPTY
    desk.finish(running)
    assert desk.claim().identity == identity("wide")


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2"])
def test_a_number_of_passes_below_one_is_refused(desk: StoreClient, count: Any) -> None:
    with pytest.raises(SettingsError, match="expected an integer of at least 1"):
        limit_passes(desk.client, count)
    assert not desk.client.exists(keys.passes)


def test_each_host_has_its_own_units_of_a_host_token(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 1, scope="host", env="CUDA_VISIBLE_DEVICES")
    desk.submit(*(submission(name, demand={"gpu": 1}) for name in "abc"))
    first = desk.claim(WORKER)
    assert desk.claim_any(WORKER).code is ClaimCode.EMPTY
    assert desk.claim(OTHER).units == {"gpu": (1, "0")}
    assert Reader(desk.client, W).tokens.read()[0].used == {"node1": 1, "node2": 1}
    desk.finish(first)
    assert desk.claim(WORKER).identity == identity("c")


def test_a_unit_that_a_workers_machine_has_not_is_not_claimed_by_it(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 4, env="CUDA_VISIBLE_DEVICES")
    pair = WorkerId("w1", "node1", devices="CUDA_VISIBLE_DEVICES=2")
    desk.submit(submission("wide", demand={"gpu": 3}), *(submission(name, demand={"gpu": 1}) for name in "abc"))
    assert [desk.claim(pair).units for _ in range(2)] == [{"gpu": (1, "0")}, {"gpu": (1, "1")}]
    assert desk.claim_any(pair).code is ClaimCode.EMPTY, "two more are free, which it has not"
    assert desk.claim(OTHER).units == {"gpu": (1, "2")}
    assert desk.claim_any(OTHER).code is ClaimCode.EMPTY


def test_a_job_that_no_list_of_devices_suffices_for_keeps_no_tokens_from_others(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 4, env="CUDA_VISIBLE_DEVICES")
    limit_passes(desk.client, 1)
    pair = WorkerId("w1", "node1", devices="CUDA_VISIBLE_DEVICES=2")
    desk.submit(submission("wide", demand={"gpu": 3}), *(submission(name, demand={"gpu": 1}) for name in "abc"))
    for name in "abc":
        lease = desk.claim(pair)
        assert lease.identity == identity(name)
        assert desk.store.finish(pair, lease, State.DONE).accepted
    assert not desk.client.exists(keys.token_reserved("gpu"))


def test_a_job_for_which_a_token_has_become_too_small_keeps_it_from_no_other(desk: StoreClient) -> None:
    limit_passes(desk.client, 1)
    create_token(desk.client, "cpu", 2)
    desk.submit(submission("a", demand={"cpu": 1}), submission("large", demand={"cpu": 2}))
    desk.submit(*(submission(name, demand={"cpu": 1}) for name in "bcd"))
    leases = [desk.claim(), desk.claim()]
    create_token(desk.client, "cpu", 1)
    for lease in leases:
        desk.finish(lease)
    assert desk.claim().identity == identity("c")
    create_token(desk.client, "cpu", 2)
    assert desk.claim_any().lease is None, "it is large enough again: the next units are for the job that was passed"


def test_an_idle_worker_is_not_woken_for_units_that_it_has_not(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 4, env="CUDA_VISIBLE_DEVICES")
    pair = WorkerId("w1", "node1", devices="CUDA_VISIBLE_DEVICES=2")
    desk.store.join(pair, pid=1, path="/", version="0")
    desk.store.claim(pair, "e1", listen=True)
    desk.submit(submission("wide", demand={"gpu": 3}))
    assert not desk.client.exists(keys.wake(W, pair.name))
    desk.submit(submission("narrow", demand={"gpu": 2}))
    assert desk.client.exists(keys.wake(W, pair.name))


def test_a_token_is_resized_live_and_nobody_is_stopped(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 3)
    desk.submit(*(submission(name, demand={"cpu": 1}) for name in "abcd"))
    first, second = desk.claim(), desk.claim()
    create_token(desk.client, "cpu", 1)
    assert desk.claim_any().code is ClaimCode.EMPTY
    desk.finish(first)
    assert desk.claim_any().code is ClaimCode.EMPTY
    desk.finish(second)
    assert desk.claim_any().code is ClaimCode.CLAIMED
    create_token(desk.client, "cpu", 2)
    assert desk.claim_any().code is ClaimCode.CLAIMED


def test_a_demand_for_two_tokens_is_served_under_an_endless_stream_for_each(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 1)
    create_token(desk.client, "gpu", 1)
    desk.submit(submission("c0", demand={"cpu": 1}), submission("g0", demand={"gpu": 1}))
    held = [desk.claim(), desk.claim()]
    desk.submit(submission("both", demand={"cpu": 1, "gpu": 1}))
    for n in range(1, 1000):
        desk.submit(submission(f"c{n}", demand={"cpu": 1}), submission(f"g{n}", demand={"gpu": 1}))
        desk.finish(held.pop(0))
        lease = desk.claim_any().lease
        if lease is None:
            break
        assert lease.identity != identity("both")
        held.append(lease)
    assert n <= 202
    desk.finish(held.pop(0))
    assert desk.claim().identity == identity("both")


def test_reservations_that_are_over_go_when_the_next_one_is_made(desk: StoreClient) -> None:
    limit_passes(desk.client, 1)
    create_token(desk.client, "gpu", 2)
    desk.client.hset(keys.token_reserved("gpu"), f"{W}:gone", "1 1")
    desk.submit(submission("a", demand={"gpu": 1}), submission("b", demand={"gpu": 2}))
    desk.claim()
    desk.submit(submission("c", demand={"gpu": 1}))
    assert desk.claim().identity == identity("c")  # it passes b, before which nothing is reserved
    desk.claim_any()
    assert desk.client.hkeys(keys.token_reserved("gpu")) == [f"{W}:{identity('b')}".encode()]
