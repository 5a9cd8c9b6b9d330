"""Failures are grouped by what caused them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from helpers.store_client import StoreClient, W, identity, submission

from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.reading.survey.failures import grouped
from xpm_core.states import State

pytestmark = pytest.mark.redis


@pytest.fixture
def sample(desk: StoreClient) -> Job:
    """A failed job."""
    desk.submit(submission("a"))
    desk.finish(desk.claim(), State.FAILED)
    return Reader(desk.client, W).jobs.read([identity("a")])[0]


def failed(sample: Job, name: str, *, tags: dict[str, Any] | None = None, **error: Any) -> Job:
    written = {"type": "ValueError", "message": "no good", "file": "/home/a/sweep.py", "line": 41, **error}
    return replace(sample, identity=identity(name), tags=tags or {}, error=written)


def test_errors_of_one_type_at_one_line_are_one_cause(sample: Job) -> None:
    jobs = [failed(sample, str(n), message=f"step {n}") for n in range(3)]
    other_line = failed(sample, "x", line=42)
    other_type = failed(sample, "y", type="numpy._core._ArrayMemoryError")
    causes = grouped([other_line, *jobs, other_type])
    assert [(cause.error, cause.message, cause.place, len(cause.jobs)) for cause in causes] == [
        ("ValueError", "step 0", "sweep.py:41", 3),
        ("ValueError", "no good", "sweep.py:42", 1),
        ("_ArrayMemoryError", "no good", "sweep.py:41", 1),
    ]


def test_without_a_place_the_message_makes_the_cause(sample: Job) -> None:
    killed = [failed(sample, str(n), type="Signal", message=text, file="", line=None) for n, text in enumerate("aab")]
    assert [len(cause.jobs) for cause in grouped(killed)] == [2, 1]


def test_tags_that_all_have_in_common_are_named(sample: Job) -> None:
    jobs = [failed(sample, str(n), tags={"lr": 0.1, "seed": n, "model": "mlp"}) for n in range(3)]
    (cause,) = grouped(jobs)
    assert cause.common == {"lr": 0.1, "model": "mlp"}


def test_an_error_of_any_form_is_grouped(sample: Job) -> None:
    odd = [
        replace(sample, error=error) for error in ({}, {"type": 3}, {"message": None}, {"message": ["x"], "file": 7})
    ]
    assert sum(len(cause.jobs) for cause in grouped(odd)) == 4
