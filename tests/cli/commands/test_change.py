"""`xpm cancel` and `xpm retry`: what they do to jobs, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.labels import short
from xpm_core.reading.reader import Reader
from xpm_core.states import State

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


def test_retry_makes_a_failed_job_ready_and_what_it_blocked_waiting(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.end("a", State.FAILED, ERROR)
    lab.submit("b", "a")
    assert states(lab, "a", "b") == ["failed", "blocked"]
    result = xpm("retry", "failed")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{short(lab.identity('a'))}  Train name=a: ready again.\n"
    assert states(lab, "a", "b") == ["ready", "waiting"]


def test_retry_says_when_no_worker_would_run_it(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    xpm("cancel", lab.identity("a"))
    result = xpm("retry", lab.identity("a"))
    assert result.exit_code == 0
    assert f"start one: xpm-worker --workspace {lab.workspace.path}" in result.stderr


def test_retry_refuses_with_the_way_out(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.end("bad", State.FAILED, ERROR)
    lab.submit("blocked", "bad")
    bad = short(lab.identity("bad"))
    blocked = xpm("retry", lab.identity("blocked"))
    assert blocked.exit_code == 1
    assert f"it waits for {bad}, which did not succeed. Retry that: xpm retry {bad}" in blocked.stderr
    lab.start("long")
    running = xpm("retry", lab.identity("long"))
    assert running.exit_code == 1
    assert f"Cancel it first: xpm cancel {short(lab.identity('long'))}" in running.stderr


def test_retry_failed_takes_all_of_an_experiment(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.end("a", State.FAILED, ERROR)
    lab.end("b", State.FAILED, ERROR)
    lab.end("good")
    assert xpm("retry", "--failed", "--experiment", "sweep").exit_code == 0
    assert states(lab, "a", "b", "good") == ["ready", "ready", "done"]
    assert xpm("retry", "--failed").stderr == "No job has failed.\n"


def test_done_job_runs_again_when_asked(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.end("a")
    assert xpm("retry", lab.identity("a")).exit_code == 0
    assert states(lab, "a") == ["ready"]


def test_done_job_is_not_run_again_when_its_directory_does_not_tell_how(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    (lab.directory("a").path / ".xpm" / "handed.json").unlink()
    result = xpm("retry", lab.identity("a"))
    assert result.exit_code == 1
    path = lab.directory("a").path
    assert f"its directory does not tell how to run it. Remove it, and run its script: {path}" in result.stderr
    assert states(lab, "a") == ["done"]


def test_quiet_says_nothing(lab: Lab, xpm: Xpm) -> None:
    result = xpm("cancel", "-q", lab.submit("a"))
    assert (result.exit_code, result.output) == (0, "")


def test_nothing_named_is_a_usage_error(xpm: Xpm) -> None:
    assert xpm("cancel").exit_code == 2
    assert xpm("retry", "--experiment", "sweep").exit_code == 2
