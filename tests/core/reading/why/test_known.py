"""Why jobs do not run, as far as the jobs and the queues that a script knows show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from xpm_core.reading.why import known
from xpm_core.states import State
from xpm_core.store.records import Pause, Serving
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_in_line import AboutToStart, Busy, TokenHeld
from xpm_core.words.reasons_of_workers import Paused, Unserved


@dataclass(frozen=True)
class Known:
    """A job, as far as reasons look at it."""

    state: State
    demand: Mapping[str, int] = field(default_factory=dict)


READY, RUNNING = Known(State.READY), Known(State.RUNNING)


def test_a_queue_is_unserved_if_it_has_ready_jobs_and_no_worker() -> None:
    queues = [Serving("gpu", 3, 0), Serving("cpu", 2, 1), Serving("idle", 0, 0), Serving("other", 1, 0)]
    assert known.unserved(queues) == [Unserved("gpu", 3), Unserved("other", 1)]
    assert known.unserved(queues, {"gpu", "cpu"}) == [Unserved("gpu", 3)]


def test_a_queue_is_paused_if_it_has_ready_jobs_and_then_no_worker_would_help() -> None:
    pause = Pause(100.0, "ann@node1", "new driver")
    queues = [Serving("gpu", 3, 0, pause), Serving("idle", 0, 0, pause), Serving("cpu", 1, 0)]
    assert known.unserved(queues) == [Unserved("cpu", 1)]
    assert known.all_paused(queues, 160.0) == [Paused("gpu", 60.0, "ann@node1", "new driver")]
    assert known.all_paused(queues, None, {"gpu"}) == [Paused("gpu", None, "ann@node1", "new driver")]
    assert known.all_paused(queues, None, {"cpu"}) == []


@pytest.mark.parametrize(
    ("jobs", "obstacles", "reason"),
    [
        ([READY], [Unserved("gpu", 1)], Unserved("gpu", 1)),
        ([READY], [Paused("cpu"), Unserved("gpu", 1)], Paused("cpu")),
        ([READY], [], AboutToStart()),
        ([READY, RUNNING], [], Busy()),
        ([Known(State.READY, {"b": 1, "a": 1}), Known(State.RUNNING, {"a": 1, "b": 1})], [], TokenHeld(("a", "b"))),
        ([Known(State.READY, {"b": 1}), Known(State.RUNNING, {"a": 1})], [], Busy()),
        ([READY, Known(State.WAITING, {"a": 1}), Known(State.RUNNING, {"a": 1})], [], Busy()),
    ],
)
def test_ready_jobs_wait_for_the_first_reason_that_holds(
    jobs: list[Known], obstacles: list[Reason], reason: Reason
) -> None:
    assert known.reason_of_ready(jobs, obstacles) == reason
