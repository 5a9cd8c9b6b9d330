"""`xpm cancel`: what it does to jobs, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

from xpm_core.labels import short
from xpm_core.reading.reader import Reader

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def states(lab: Lab, *names: str) -> list[str]:
    found = Reader(lab.client, lab.workspace.id).jobs.states([lab.identity(name) for name in names])
    return [found[lab.identity(name)][0].value for name in names]


def test_cancel_ends_a_job_that_waits_and_blocks_what_needs_it(lab: Lab, xpm: Xpm) -> None:
    identity = lab.submit("a")
    lab.submit("b", "a")
    result = xpm("cancel", identity)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{short(identity)}  Train name=a: cancelled.\n"
    assert states(lab, "a", "b") == ["cancelled", "blocked"]


def test_cancel_of_a_running_job_shows_what_is_lost_and_needs_yes(lab: Lab, xpm: Xpm) -> None:
    lab.start("long")
    lab.submit("next")
    refused = xpm("cancel", "--experiment", "sweep")
    assert refused.exit_code == 1
    assert "This would cancel 2 jobs. One of them runs, and loses what is done so far" in refused.stderr
    assert f"{short(lab.identity('long'))}  Train name=long, started just now on node1" in refused.stderr
    assert states(lab, "long", "next") == ["running", "ready"]
    done = xpm("cancel", "--experiment", "sweep", "--yes")
    assert done.exit_code == 0
    assert "worker node1-1 was told to stop it" in done.stderr
    assert states(lab, "long", "next") == ["running", "cancelled"]


def test_cancel_of_an_ended_job_says_so(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    result = xpm("cancel", lab.identity("a"))
    assert result.exit_code == 1
    assert "it is done already: nothing to cancel." in result.stderr
    everything = xpm("cancel", "--experiment", "sweep")
    assert (everything.exit_code, everything.stderr) == (0, "Experiment sweep: every job has ended already.\n")


def test_unknown_experiment_is_named_with_those_that_are_there(lab: Lab, xpm: Xpm) -> None:
    result = xpm("cancel", "--experiment", "swep")
    assert result.exit_code == 2
    assert "Experiment 'swep': not in this workspace, there is sweep." in result.stderr


def test_quiet_says_nothing(lab: Lab, xpm: Xpm) -> None:
    result = xpm("cancel", "-q", lab.submit("a"))
    assert (result.exit_code, result.output) == (0, "")


def test_nothing_named_is_a_usage_error(xpm: Xpm) -> None:
    assert xpm("cancel").exit_code == 2
