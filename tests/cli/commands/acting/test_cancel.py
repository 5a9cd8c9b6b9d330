"""`xpm cancel`: what it does to jobs, and what it refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

from xpm_cli.lookup.targets import Targets
from xpm_core.index.entries import End
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import EndWriter
from xpm_core.labels import short
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store.jobs import Store

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


def test_a_job_that_ended_before_its_cancellation_was_noted_keeps_that_end(
    lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has retried it meanwhile."""
    identity = lab.submit("a")
    cancel_each = Store.cancel_each

    def ends_at_once(store: Store, jobs: Iterable[tuple[str, bool]]) -> object:
        answers = cancel_each(store, jobs)
        time.sleep(0.002)  # the index has milliseconds
        EndWriter(lab.workspace.path, "w").add(identity, End(State.DONE, time.time()))
        return answers

    monkeypatch.setattr(Store, "cancel_each", ends_at_once)
    assert xpm("cancel", identity).exit_code == 0
    assert MergedIndex(lab.workspace.path).read()[identity].state is State.DONE


def test_cancel_of_a_running_job_shows_what_is_lost_and_needs_yes(lab: Lab, xpm: Xpm) -> None:
    lab.start("long")
    lab.submit("next")
    refused = xpm("cancel", "--experiment", "sweep")
    assert refused.exit_code == 1
    assert "This would cancel 2 jobs. One of them runs, and loses what is done so far" in refused.stderr
    assert f"{short(lab.identity('long'))}  Train name=long, started just now on node1" in refused.stderr
    assert f"{short(lab.identity('next'))}  Train name=next, ready" in refused.stderr
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
    assert (everything.exit_code, everything.stderr) == (0, "Every job that was selected has ended already.\n")


def test_unknown_experiment_is_named_with_the_near_ones(lab: Lab, xpm: Xpm) -> None:
    """Also as long as it has no jobs."""
    result = xpm("cancel", "--experiment", "swep")
    assert result.exit_code == 2
    assert "unknown experiment 'swep' at column 1. Did you mean 'sweep'?" in result.stderr
    assert xpm("cancel", "--experiment", "sweep").exit_code == 0


def test_selected_jobs_are_listed_before_they_are_cancelled(lab: Lab, xpm: Xpm) -> None:
    lab.end("c")
    lab.submit("a")
    lab.submit("b")
    lab.submit("d")
    refused = xpm("cancel", "--where", "name!=b")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        "This would cancel 2 jobs:",
        f"  {short(lab.identity('a'))}  Train name=a, ready",
        f"  {short(lab.identity('d'))}  Train name=d, ready",
        "Nothing was cancelled. The same with --yes does it.",
    ]
    assert xpm("cancel", "--where", "name!=b", "--yes").exit_code == 0
    assert states(lab, "a", "b", "c", "d") == ["cancelled", "ready", "done", "cancelled"]


def test_one_selected_job_that_does_not_run_is_cancelled_at_once(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    assert xpm("cancel", "--tag", "name=a").exit_code == 0
    assert states(lab, "a") == ["cancelled"]


def test_of_several_jobs_those_that_could_not_be_cancelled_are_named(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    lab.submit("b")
    result = xpm("cancel", lab.identity("a"), lab.identity("b"), lab.identity("b"), "--yes")
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.endswith("it is done already: nothing to cancel.")
    assert second.endswith("cancelled.")


def test_many_jobs_are_counted_and_the_first_listed(lab: Lab, xpm: Xpm) -> None:
    for number in range(23):
        lab.submit(str(number))
    lines = xpm("cancel", "--state", "ready").stderr.splitlines()
    assert lines[0] == "This would cancel 23 jobs:"
    assert lines[-2] == "  and 3 more"


def test_quiet_says_nothing(lab: Lab, xpm: Xpm) -> None:
    result = xpm("cancel", "-q", lab.submit("a"))
    assert (result.exit_code, result.output) == (0, "")


def test_nothing_named_is_a_usage_error(xpm: Xpm) -> None:
    assert xpm("cancel").exit_code == 2


def test_an_option_without_a_value_selects_nothing_by_accident(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    for option in ("--since", "--state", "--where", "--tag"):
        assert xpm("cancel", "--task", "Train", option, "", "--yes").exit_code == 2
    assert states(lab, "a") == ["ready"]


def test_a_cancelled_job_has_ended_for_those_who_read_the_files(lab: Lab, xpm: Xpm) -> None:
    assert xpm("cancel", lab.submit("a")).exit_code == 0
    away = json.loads(xpm("jobs", "--redis", "redis://localhost:1/0", "-o", "json").stdout)
    assert [job["state"] for job in away["jobs"]] == ["cancelled"]


def test_a_job_that_began_after_the_question_is_left_running(
    lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.submit("a")
    agreed = Targets.agreed

    def agree_late(targets: Targets, verb: str, yes: bool) -> bool:
        assert lab.store.claim(lab.worker, "e1").lease is not None
        return agreed(targets, verb, yes)

    monkeypatch.setattr(Targets, "agreed", agree_late)
    told = xpm("cancel", "--tag", "name=a")
    assert told.exit_code == 1
    assert "it runs by now, on worker node1-1: not cancelled." in told.stderr
    assert states(lab, "a") == ["running"]
