"""Why jobs do not run, as far as their records and the queues show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from xpm_core.reading import waiting
from xpm_core.states import State
from xpm_core.store.records import Serving
from xpm_core.words.reasons import AboutToStart, Blocked, Delayed, Reason, TokensHeld, Unserved, WorkersBusy


@dataclass(frozen=True)
class Known:
    """A job, as far as reasons look at it."""

    state: State
    demand: Mapping[str, int] = field(default_factory=dict)
    due_s: float = 0.0
    root: str = ""


READY, RUNNING = Known(State.READY), Known(State.RUNNING)


def test_a_queue_is_unserved_if_it_has_ready_jobs_and_no_worker() -> None:
    queues = [Serving("gpu", 3, 0), Serving("cpu", 2, 1), Serving("idle", 0, 0), Serving("other", 1, 0)]
    assert waiting.unserved(queues) == [Unserved("gpu", 3), Unserved("other", 1)]
    assert waiting.unserved(queues, {"gpu", "cpu"}) == [Unserved("gpu", 3)]


@pytest.mark.parametrize(
    ("jobs", "unserved", "reason"),
    [
        ([READY], [Unserved("gpu", 1)], Unserved("gpu", 1)),
        ([READY], [], AboutToStart()),
        ([READY, RUNNING], [], WorkersBusy()),
        ([Known(State.READY, {"b": 1, "a": 1}), Known(State.RUNNING, {"a": 1, "b": 1})], [], TokensHeld(("a", "b"))),
        ([Known(State.READY, {"b": 1}), Known(State.RUNNING, {"a": 1})], [], WorkersBusy()),
        ([READY, Known(State.WAITING, {"a": 1}), Known(State.RUNNING, {"a": 1})], [], WorkersBusy()),
    ],
)
def test_ready_jobs_wait_for_the_first_reason_that_holds(
    jobs: list[Known], unserved: list[Unserved], reason: Reason
) -> None:
    assert waiting.reason_of_ready(jobs, unserved) == reason


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (Known(State.DELAYED, due_s=103.0), Delayed(3.0)),
        (Known(State.BLOCKED, root="3f2a91c"), Blocked("3f2a91c")),
        (Known(State.BLOCKED), None),
        (Known(State.READY, due_s=103.0, root="3f2a91c"), None),
    ],
)
def test_a_delayed_or_blocked_job_says_itself_why_it_does_not_run(job: Any, reason: Reason | None) -> None:
    assert waiting.reason_of(job, 100.0) == reason
