"""`xpm retry`: what it does to jobs, and what it refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_cli.lookup import acts
from xpm_core.errors import WorkspaceError
from xpm_core.index.entries import End
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import EndWriter
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store.jobs import Retrying, Store
from xpm_core.store.records import Submission

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def states(lab: Lab, *names: str) -> list[str]:
    found = Reader(lab.client, lab.workspace.id).jobs.states([lab.identity(name) for name in names])
    return [found[lab.identity(name)][0].value for name in names]


def test_retry_makes_a_failed_job_ready_and_what_it_blocked_waiting(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.end("a", State.FAILED, ERROR)
    lab.submit("b", "a")
    assert states(lab, "a", "b") == ["failed", "blocked"]
    result = xpm("retry", "failed")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{short(lab.identity('a'))}  Train name=a: ready again.\n"
    assert states(lab, "a", "b") == ["ready", "waiting"]


def test_a_job_that_ended_again_before_its_retry_was_noted_keeps_that_end(
    lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.join()
    lab.end("a", State.FAILED, ERROR)
    retry_each = Store.retry_each

    def ends_at_once(store: Store, jobs: Iterable[Retrying]) -> object:
        answers = retry_each(store, jobs)
        time.sleep(0.002)  # the index has milliseconds
        EndWriter(lab.workspace.path, "w").add(lab.identity("a"), End(State.FAILED, time.time()))
        return answers

    monkeypatch.setattr(Store, "retry_each", ends_at_once)
    assert xpm("retry", "failed").exit_code == 0
    assert MergedIndex(lab.workspace.path).read()[lab.identity("a")].state is State.FAILED


def test_retry_says_when_no_worker_would_run_it(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    xpm("cancel", lab.identity("a"))
    result = xpm("retry", lab.identity("a"))
    assert result.exit_code == 0
    worker = f"xpm-worker --workspace {lab.workspace.path}"
    assert f"No worker serves queue default. Start one: {worker} (or the script, if it" in result.stderr


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
    refused = xpm("retry", "--failed", "--experiment", "sweep")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("This would retry 2 jobs:\n")
    assert states(lab, "a", "b", "good") == ["failed", "failed", "done"]
    assert xpm("retry", "--failed", "--experiment", "sweep", "--yes").exit_code == 0
    assert states(lab, "a", "b", "good") == ["ready", "ready", "done"]
    assert xpm("retry", "--failed").stderr == "No job that was selected has failed.\n"


def test_retry_selects_what_had_no_success_unless_a_state_is_named(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.end("bad", State.FAILED, ERROR)
    lab.end("good")
    xpm("cancel", lab.submit("stopped"))
    assert xpm("retry", "--task", "Train", "--yes").exit_code == 0
    assert states(lab, "bad", "stopped", "good") == ["ready", "ready", "done"]
    assert xpm("retry", "--state", "done", "--yes").exit_code == 0
    assert states(lab, "good") == ["ready"]


def test_bad_filter_is_an_error_that_names_the_states(lab: Lab, xpm: Xpm) -> None:
    result = xpm("retry", "--state", "faled")
    assert result.exit_code == 2
    assert "Did you mean 'failed'?" in result.stderr


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


def test_nothing_named_is_a_usage_error(xpm: Xpm) -> None:
    result = xpm("retry")
    assert result.exit_code == 2
    assert "Name a JOB, or select jobs, such as --failed." in result.stderr


@pytest.mark.parametrize("text", ["state!=running and name=good", "not state=failed and name=good", "name=good"])
def test_done_jobs_are_retried_only_if_a_filter_asks_for_them(lab: Lab, xpm: Xpm, text: str) -> None:
    lab.end("good")
    assert xpm("retry", "--where", text, "--yes").exit_code == 0
    assert Reader(lab.client, lab.workspace.id).jobs.counts()[State.DONE] == 1


def test_a_done_job_that_was_not_named_is_asked_about(lab: Lab, xpm: Xpm) -> None:
    lab.end("good")
    assert xpm("retry", "--state", "done").exit_code == 1
    assert Reader(lab.client, lab.workspace.id).jobs.counts()[State.DONE] == 1
    assert xpm("retry", "--state", "done", "--yes").exit_code == 0
    assert Reader(lab.client, lab.workspace.id).jobs.counts()[State.DONE] == 0


def test_a_job_that_was_retried_has_not_ended_for_those_who_read_the_files(lab: Lab, xpm: Xpm) -> None:
    lab.end("bad", State.FAILED, ERROR)
    assert xpm("retry", "last").exit_code == 0
    away = json.loads(xpm("jobs", "--redis", "redis://localhost:1/0", "-o", "json").stdout)
    assert [(job["state"], job["error"]) for job in away["jobs"]] == [(None, None)]


def test_changed_takes_done_jobs_only(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.end("a", State.FAILED, ERROR)
    lab.end("b")
    both = xpm("retry", "--changed", "--failed")
    assert (both.exit_code, "--changed takes jobs that are done: leave out --failed." in both.stderr) == (2, True)
    named = xpm("retry", "--changed", lab.identity("a"))
    assert (named.exit_code, states(lab, "a")) == (1, ["failed"])
    assert f"{short(lab.identity('a'))} Train name=a is not done: --changed takes done jobs only" in named.stderr
    live = xpm("retry", "--changed")
    assert (live.exit_code, states(lab, "b")) == (0, ["done"])
    assert (
        f"cannot tell of {short(lab.identity('b'))} Train name=b: it runs live code, which is not kept" in live.stderr
    )
    assert "No job that was selected ran code that has changed." in live.stderr


def test_what_goes_wrong_with_one_job_keeps_no_other_from_being_retried(
    lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        lab.end(name, State.FAILED, ERROR)

    def vouched(opened: object, row: JobRow, kept: Submission | None) -> Submission | None:
        if row.identity == lab.identity("a"):
            raise WorkspaceError("job.pickle", "it cannot be read", "Look who may read it.")
        return kept

    monkeypatch.setattr(acts, "vouched", vouched)
    result = xpm("retry", "--failed", "--yes")
    assert result.exit_code == 1
    assert "Train name=a: job.pickle: it cannot be read. Look who may read it." in result.stderr
    assert "Train name=b: ready again." in result.stderr
