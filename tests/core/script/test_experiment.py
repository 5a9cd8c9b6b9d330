"""The `experiment` context, in this process, with real workers: entering, submitting, waiting, leaving."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from helpers.playground import Stage
from helpers.waiting import wait_until
from script_tasks import Consume, Copy, Fail, Gated, Produce, Result, Write

from xpm_core import connect, experiment, tag, tagspath
from xpm_core.config import experiments
from xpm_core.errors import (
    ExperimentError,
    InvalidNameError,
    SealedError,
    UnknownParameterError,
)
from xpm_core.identity import seal
from xpm_core.index.merged import MergedIndex
from xpm_core.reading.events import Record
from xpm_core.script.follow.tracker import Tracker
from xpm_core.states import State
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import Claim, WorkerId

pytestmark = pytest.mark.redis


def test_a_task_runs_in_its_directory_and_its_result_is_found(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        write = Write.C(note=note).submit()
        assert xp.wait()
        assert (write.jobpath / "written.txt").read_text() == note
        assert write.written.read_text() == note


def test_submit_returns_the_task_and_a_later_task_depends_on_it(stage: Stage) -> None:
    with stage.experiment():
        write = Write.C(note=stage.note())
        assert write.submit() is write
        copy = Copy.C(source=write).submit()
    assert (copy.jobpath / "copy.txt").read_text() == write.note
    assert stage.job(write).ended_s <= stage.job(copy).started_s


def test_submit_returns_what_task_outputs_returns_and_a_task_that_takes_it_depends_on_it(stage: Stage) -> None:
    with stage.experiment():
        produce = Produce.C(result=Result.C(note=stage.note()))
        result = produce.submit()
        assert isinstance(result, Result)
        consume = Consume.C(result=result).submit()
    assert (consume.jobpath / "consumed.txt").read_text() == result.note
    assert stage.job(produce).ended_s <= stage.job(consume).started_s
    assert result.file.is_relative_to(produce.jobpath), "a file of what a task made lies in its job"


def test_the_same_object_and_an_equal_one_attach_to_one_job(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        first = Write.C(note=note)
        first.submit()
        first.submit()
        equal = Write.C(note=note).submit()
        summary = xp.wait()
    assert (summary.done, summary.reused) == (1, 0)
    assert first.jobpath == equal.jobpath
    assert stage.runs(first) == 1


def test_summary_counts_each_job_once_and_tells_what_was_reused(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        first = xp.wait()
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        Write.C(note=note, n=1).submit()
        second = xp.wait()
    assert (first.done, first.reused, bool(first)) == (1, 0, True)
    assert (second.done, second.reused, bool(second)) == (2, 1, True)
    assert str(second) == "2 done (1 reused)"


def test_summary_is_false_when_a_job_failed_and_counts_what_that_blocked(stage: Stage) -> None:
    with stage.failing() as failing:
        fail = Fail.C(note=stage.note()).submit()
        blocked = Write.C(note=stage.note())
        blocked.add_dependencies(fail)
        blocked.submit()
        Write.C(note=stage.note()).submit()
        summary = failing.xp.wait()
        assert not summary
        assert (summary.done, summary.failed, summary.blocked, summary.cancelled) == (1, 1, 1, 0)


def test_wait_can_be_called_again_and_with_nothing_submitted(stage: Stage) -> None:
    with stage.experiment() as xp:
        nothing = xp.wait()
        assert nothing
        assert nothing.done == 0
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 2
        assert xp.wait() == xp.wait()


def test_a_job_that_was_cancelled_is_counted_and_fails_the_experiment(stage: Stage) -> None:
    with stage.failing() as failing:
        nobody = Write.C(note=stage.note())
        nobody.submit(queue="nobody")
        wait_until(lambda: stage.store.cancel(nobody.__xpm_state__.identity)[1] == "cancelled")
        summary = failing.xp.wait()
        assert summary.cancelled == 1
        assert not summary
    assert "1 cancelled" in failing.report
    assert "log:" not in failing.report, "it never ran: there is no log to name"


# -- places -----------------------------------------------------------------------------------------------------------


def test_each_run_has_results_of_its_own_and_latest_links_to_the_newest(stage: Stage) -> None:
    name = stage.name()
    places = []
    for _ in range(2):
        with stage.experiment(name) as xp:
            assert not (xp.resultspath.parent / "results" / "link").exists()
            write = Write.C(note=name, n=tag(3)).submit()
            (xp.resultspath / tagspath(write)).symlink_to(write.jobpath)  # would fail in a folder used before
            places.append(xp.resultspath)
    runs = stage.workspace.path / "experiments" / name / "runs"
    assert [place.parent.parent for place in places] == [runs, runs]
    assert [place.name for place in places] == ["results", "results"]
    assert places[0] != places[1]
    assert (stage.workspace.path / "experiments" / name / "latest").resolve() == places[1].parent


def test_results_folder_is_made_only_when_asked_for(stage: Stage) -> None:
    name = stage.name()
    with stage.experiment(name):
        pass
    latest = stage.workspace.path / "experiments" / name / "latest"
    assert latest.is_dir()
    assert not (latest / "results").exists()


def test_job_is_found_by_its_tags_below_the_experiment(stage: Stage) -> None:
    name = stage.name()
    with stage.experiment(name):
        write = Write.C(note=name, n=tag(4)).submit()
    [link] = (stage.workspace.path / "experiments" / name / "jobs" / "write").iterdir()
    assert link.name.startswith("n=4-")
    assert link.resolve() == write.jobpath


# -- entering ---------------------------------------------------------------------------------------------------------


def test_connect_gives_the_same_connector_outside_of_an_experiment(stage: Stage) -> None:
    with connect(stage.url) as connector:
        outside = connector.createtoken("shared", 2)
        with stage.experiment() as xp:
            assert type(xp.connector) is type(connector)
            inside = xp.connector.createtoken("shared", 2)
            assert (inside.name, inside.capacity) == (outside.name, outside.capacity)
            outside(2, Write.C(note=stage.note())).submit()


def test_second_experiment_inside_of_one_is_refused_and_harms_nothing(stage: Stage) -> None:
    with stage.experiment("outer") as xp:
        with pytest.raises(ExperimentError, match=r"test_experiment\.py:\d+: experiment 'outer' is open"):
            stage.experiment("inner").__enter__()
        Write.C(note=stage.note()).submit()
        assert xp.wait()
    assert not (stage.workspace.path / "experiments" / "inner").exists()


def test_an_experiment_object_can_be_entered_again(stage: Stage) -> None:
    xp = stage.experiment()
    with xp:
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1
    with xp:
        assert xp.wait().done == 0
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1


def test_leaving_leaves_no_thread_and_no_open_experiment(stage: Stage) -> None:
    before = set(threading.enumerate())
    with stage.experiment():
        Write.C(note=stage.note()).submit().on_completed(lambda: None)
    assert experiments == []
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "-x", "é"])
def test_name_that_cannot_be_a_directory_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidNameError):
        experiment(tmp_path, name)


def test_what_needs_an_open_experiment_says_so(tmp_path: Path) -> None:
    xp = experiment(tmp_path / "workspace", "x")
    with pytest.raises(ExperimentError, match=r"experiment 'x' is not open. .*with experiment\("):
        xp.wait()
    with pytest.raises(ExperimentError, match="not open"):
        _ = xp.resultspath
    with pytest.raises(ExperimentError, match="not open"):
        _ = xp.connector


def test_what_needs_an_open_experiment_says_so_once_it_is_left(stage: Stage) -> None:
    with stage.experiment() as xp:
        pass
    with pytest.raises(ExperimentError, match="not open"):
        xp.wait()
    assert xp.resultspath.is_dir(), "results may be read and written once the jobs are done"


# -- submitting -------------------------------------------------------------------------------------------------------


def test_submit_outside_of_an_experiment_says_so() -> None:
    with pytest.raises(ExperimentError, match=r"Write: submitted outside of any experiment, at .*\.py:\d+\. Submit"):
        Write.C(note="x").submit()


def test_add_dependencies_after_submit_says_so(stage: Stage) -> None:
    with stage.experiment() as xp:
        token = xp.connector.createtoken("late", 2)
        write = Write.C(note=stage.note()).submit()
        with pytest.raises(SealedError, match=r"cannot add dependencies, the task was submitted at .*\.py:\d+"):
            write.add_dependencies(token.dependency(1))
        with pytest.raises(SealedError, match="cannot add dependencies"):
            token(1, write)


def test_assigning_after_submit_names_the_parameter_and_where_it_was_submitted(stage: Stage) -> None:
    with stage.experiment():
        write = Write.C(note=stage.note()).submit()
        with pytest.raises(SealedError, match=r"Write\.n: cannot assign 2, .*submitted at .*test_experiment\.py:\d+"):
            write.n = 2


def test_assigning_a_name_that_is_no_parameter_says_so() -> None:
    write = Write.C(note="x")
    with pytest.raises(UnknownParameterError, match=r"Write: unknown parameter 'nott?e?s?'"):
        write.notes = "y"  # type: ignore[attr-defined]


# -- other runs -------------------------------------------------------------------------------------------------------


def test_a_failure_in_a_run_attached_to_fails_this_one_too(stage: Stage, tmp_path: Path) -> None:
    fail = Gated.C(note=stage.note(), until=tmp_path / "gate")
    with stage.broken():
        fail.submit()
        wait_until(lambda: stage.job(fail).state is State.RUNNING, show=lambda: stage.job(fail))
    with stage.failing() as failing:
        Gated.C(note=fail.note, until=fail.until).submit()
        fail.until.touch()
    assert "ValueError: no good" in failing.report
    assert stage.runs(fail) == 1


def test_a_failure_since_the_start_of_this_run_is_not_retried_by_it(stage: Stage) -> None:
    fail = Fail.C(note=stage.note())
    with stage.failing() as failing:
        fail.submit()
        assert failing.xp.wait().failed == 1
        Fail.C(note=fail.note).submit()
        assert failing.xp.wait().failed == 1
    assert stage.runs(fail) == 1
    assert failing.report.count("ValueError") == 1


def test_a_task_of_an_experiment_that_was_left_can_be_used_by_the_next(stage: Stage) -> None:
    with stage.experiment():
        write = Write.C(note=stage.note()).submit()
    with stage.experiment() as xp:
        copy = Copy.C(source=write).submit()
        assert xp.wait().done == 1, "this run's own jobs"
    assert (copy.jobpath / "copy.txt").read_text() == write.note


def test_tasks_may_be_submitted_by_several_threads(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        threads = [
            threading.Thread(target=lambda: [Write.C(note=note, n=n).submit() for n in range(20)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert xp.wait().done == 20


def test_states_are_read_when_their_events_were_missed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream is bounded; who falls behind its end rebuilds from the jobs."""
    calls: list[Write] = []
    monkeypatch.setattr("xpm_core.script.follow.follower.LOOK_EVERY_S", 0.1)

    def miss(self: Tracker, records: list[Record]) -> None:
        self.cursor = records[-1].cursor if records else self.cursor

    monkeypatch.setattr(Tracker, "take", miss)
    with stage.failing() as failing:
        Write.C(note=stage.note()).on_completed(calls.append).submit()
        Fail.C(note=stage.note()).submit()
        assert failing.xp.wait().done == 1
    assert len(calls) == 1
    assert "ValueError: no good" in failing.report


def test_server_may_be_named_by_the_environment_and_is_in_no_argument(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XPM_REDIS_URL", stage.url)
    with stage.failing(redis=None, workers=1, queue="environment") as failing:
        Fail.C(note=stage.note()).submit()
        assert failing.xp.wait().failed == 1
        process = failing.xp._run.local._process
        assert process is not None
        assert stage.url not in " ".join(map(str, process.args))  # type: ignore[arg-type]
    assert "XPM_REDIS_URL" not in failing.report, "the shell has it"


def test_a_job_whose_worker_was_lost_once_too_often_has_failed_in_the_index_too(stage: Stage) -> None:
    gone = WorkerId("gone", "node9", queues=("lonely",))
    with stage.failing(queue="lonely"):
        write = Write.C(note=stage.note()).submit(max_losses=0)
        claims: list[Claim] = []

        def claimed() -> bool:
            claims.append(stage.store.claim(gone, new_execution_id()))
            return claims[-1].lease is not None

        wait_until(claimed)
        assert claims[-1].lease is not None
        stage.store.lose(claims[-1].lease)
    end = MergedIndex(stage.workspace.path).read()[seal(write)].end
    assert end is not None
    assert (end.state, end.error["type"]) == (State.FAILED, "WorkerLost")
