"""`xpm accept`: which jobs it takes, and what it refuses. What comes of it is in tests/whole/code/test_accept.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.labels import short
from xpm_core.states import State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]
WHY = ("--why", "only logging changed")


def test_a_reason_and_a_selection_are_needed(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    for words, said in (
        ([lab.identity("a")], "Say why the results still stand: --why 'only logging changed'."),
        ([lab.identity("a"), "--why", "\n "], "Say why the results still stand"),
        ([lab.identity("a"), "--why", "x" * 1001], "--why has 1001 characters, and at most 1000 are recorded."),
        (WHY, "Name a JOB, or select jobs, such as --task Train."),
        (["zzz", *WHY], "zzz"),
        (["--state", "finished", *WHY], "finished"),
    ):
        result = xpm("accept", *words)
        assert result.exit_code == 2, result.stderr
        assert said in result.stderr


def test_only_results_of_done_jobs_are_accepted(lab: Lab, xpm: Xpm) -> None:
    lab.end("bad", State.FAILED, ERROR)
    lab.submit("waits")
    named = xpm("accept", lab.identity("bad"), *WHY)
    assert named.exit_code == 1
    bad = short(lab.identity("bad"))
    assert f"{bad}  Train name=bad: it is failed. Only the result of a done job can be accepted." in named.stderr
    selected = xpm("accept", "--state", "failed,ready", *WHY)
    assert (selected.exit_code, selected.stderr) == (0, "No job that was selected is done.\n")


def test_a_job_that_cannot_be_compared_is_refused_with_the_reason(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    result = xpm("accept", lab.identity("a"), *WHY)
    assert result.exit_code == 1
    assert f"{short(lab.identity('a'))}  Train name=a: " in result.stderr
    assert not (lab.directory("a").path / ".xpm" / "accepted.jsonl").exists()
