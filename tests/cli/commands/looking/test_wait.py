"""`xpm wait`: for what it waits, and its exit code. tests/cli/test_processes.py lets jobs end meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.states import State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def test_jobs_that_have_ended_are_not_waited_for(lab: Lab, xpm: Xpm) -> None:
    lab.end("good")
    assert (xpm("wait").exit_code, xpm("wait", "sweep").stderr) == (0, "1 done\n")
    lab.end("bad", State.FAILED, ERROR)
    result = xpm("wait", "sweep")
    assert (result.exit_code, result.stdout) == (1, "")
    assert sorted(result.stderr.strip().split("   ")) == ["1 done", "1 failed"]
    assert xpm("wait", "name=good").exit_code == 0
    assert xpm("wait", "--where", "name=good").exit_code == 0
    assert xpm("wait", "sweep", "--state", "failed").exit_code == 1


@pytest.mark.parametrize("time", ["0", "0s", "1ms", "0.2s"])
def test_time_that_is_over_is_an_exit_code_of_its_own(lab: Lab, xpm: Xpm, time: str) -> None:
    lab.submit("a")
    result = xpm("wait", "--timeout", time)
    if result.exit_code != 4:  # not every unit is a duration of filters
        assert (result.exit_code, time) == (2, "1ms")
        assert "expected a duration such as 30s, 10m or 2h, got '1ms'." in result.stderr
    else:
        assert "The time is over: 1 job not ended. 1 ready. The jobs go on." in result.stderr


def test_queue_that_no_worker_serves_is_said_at_once(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    said = xpm("wait", "--timeout", 0).stderr
    worker = f"xpm-worker --workspace {lab.workspace.path}"
    assert f"1 job is ready in queue 'default', and no living worker serves it. Start one: {worker}\n" in said
    lab.join()
    assert "no living worker" not in xpm("wait", "--timeout", 0).stderr


@pytest.mark.parametrize(
    "typed",
    [
        (),
        ("sweep",),
        ("--tag", "name=c"),
        ("--where", "name=c"),
        ("--where", "name=c", "--state", "running"),
        ("sweep", "--tag", "name=c", "--where", "state=running"),
        ("-q", "--tag", "name=c"),
    ],
    ids=" ".join,
)
def test_waiting_for_no_job_does_not_look_like_success(lab: Lab, xpm: Xpm, typed: tuple[str, ...]) -> None:
    """`xpm wait --tag model=bm26 && python figures.py` must not draw figures."""
    if any("name" in word for word in typed):
        lab.submit("a")
    result = xpm("wait", *typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: There is no such job, so nothing was waited for. Look: xpm jobs --limit 0\n"


@pytest.mark.parametrize("typed", [("--state", "running"), ("--where", "state=running"), ("sweep", "--since", "0s")])
def test_jobs_none_of_which_stands_as_asked_are_waited_for_at_once(lab: Lab, xpm: Xpm, typed: tuple[str, ...]) -> None:
    lab.end("a")
    result = xpm("wait", *typed)
    assert (result.exit_code, result.stderr) == (0, "No job stands as asked: nothing to wait for.\n")


def test_quiet_wait_says_nothing(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    assert xpm("wait", "-q").output == ""


@pytest.mark.parametrize(
    ("name", "said"), [("swep", "Experiment 'swep'"), ("ffff", "Job 'ffff'"), ("last", "Job 'last'")]
)
def test_unknown_name_is_an_experiment_or_a_job(lab: Lab, xpm: Xpm, name: str, said: str) -> None:
    result = xpm("wait", name)
    assert result.exit_code == 2
    assert said in result.stderr
