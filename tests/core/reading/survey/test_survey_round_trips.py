"""A survey takes three round trips, however much there is."""

from __future__ import annotations

import pytest
import redis
from helpers.round_trips import counted
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.reading.look import View
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store.tokens import create_token
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


@pytest.fixture
def lab(workspace: Workspace, redis_client: redis.Redis) -> Lab:
    return Lab(workspace, redis_client)


@pytest.fixture
def busy(lab: Lab) -> Lab:
    """A workspace with jobs in several queues and lines, failures, a token and a worker."""
    lab.join()
    create_token(lab.client, "gpu", 3)
    for n in range(3):
        lab.end(f"good {n}")
        lab.end(f"bad {n}", State.FAILED, ERROR)
    lab.start("long")
    for n in range(3):
        lab.submit(f"wide {n}", demand={"gpu": n + 1})
        lab.submit(f"elsewhere {n}", queue=f"queue{n}")
    return lab


def test_a_survey_takes_three_round_trips(busy: Lab) -> None:
    with counted() as spoken:
        survey = Reader(busy.client, busy.workspace.id).survey.read()
    assert spoken.trips == 3
    assert (survey.counts[State.DONE], survey.counts[State.READY], len(survey.failed)) == (3, 6, 3)
    assert {queue.queue for queue in survey.queues} >= {"queue0", "queue1", "queue2"}


def test_a_survey_of_nothing_takes_no_more(lab: Lab) -> None:
    with counted() as spoken:
        Reader(lab.client, lab.workspace.id).survey.read()
    assert spoken.trips <= 3


def test_a_look_that_begins_with_the_survey_asks_for_nothing_else(busy: Lab, redis_url: str) -> None:
    with counted() as spoken, View(busy.workspace, redis_url, surveys=True) as view:
        first = view.survey()
        assert spoken.trips == 3
        assert (first.now_s, first.counts[State.FAILED]) == (view.now_s, 3)


def test_a_second_survey_of_a_look_is_read_anew(busy: Lab, redis_url: str) -> None:
    with View(busy.workspace, redis_url, surveys=True) as view:
        assert view.survey().counts[State.FAILED] == 3
        busy.submit("more")
        assert view.survey().counts[State.READY] == 7
