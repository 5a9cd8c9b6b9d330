"""When the jobs of a run may have ended, by what the script has followed, the index and the server."""

from __future__ import annotations

import time

from helpers.tracked_jobs import job
from helpers.waiting import wait_until

from xpm_core.forecast.records import Capacity
from xpm_core.script.follow.foreseer import Foreseer, foresee
from xpm_core.states import State

TWO = Capacity((frozenset({"default"}),) * 2)


def test_jobs_of_the_run_and_earlier_ones_count() -> None:
    left = [job(State.READY), job(State.READY), job(State.RUNNING, since_s=time.time() - 10)]
    assert foresee([job(State.DONE)], TWO, {}, time.time()) is None
    unknown = foresee(left, TWO, {}, time.time())
    assert unknown is not None
    assert (unknown.left_s, unknown.unknown) == (None, {"Train": 3})
    found = foresee([*left, job(State.DONE, took_s=60.0)], TWO, {"t.train": [60.0]}, time.time())
    assert found is not None
    assert found.left_s is not None
    assert 109 < found.left_s <= 110
    assert found.samples == {"Train": 2}


def test_needs_of_waiting_jobs_count() -> None:
    first = job(State.READY)
    second = job(State.WAITING, needs=(first.identity,))
    found = foresee([first, second], TWO, {"t.train": [60.0]}, time.time())
    assert found is not None
    assert found.left_s == 120


def test_running_jobs_count_by_the_clock_of_the_server_because_that_of_the_machine_may_differ() -> None:
    began_s = time.time() + 3600 - 30
    foreseer = Foreseer(lambda: {"t.train": [60.0]}, lambda: TWO, lambda: time.time() + 3600)
    foreseer.look([job(State.RUNNING, since_s=began_s)])
    wait_until(lambda: foreseer.look([job(State.RUNNING, since_s=began_s)]) is not None)
    found = foreseer.look([job(State.RUNNING, since_s=began_s)])
    assert found is not None
    assert found.left_s is not None
    assert 0 < found.left_s <= 30
    foreseer.leave()


def test_the_script_does_not_wait_and_what_cannot_be_read_is_not_shown() -> None:
    foreseer = Foreseer(lambda: {"t.train": [60.0]}, lambda: TWO)
    foreseer.look([job(State.READY)])
    wait_until(lambda: foreseer.look([job(State.READY)]) is not None)
    foreseer.leave()

    def broken() -> Capacity:
        raise ConnectionError

    away = Foreseer(dict, broken)
    away.look([job(State.READY)])
    away.leave()
    assert away.look([job(State.READY)]) is None
