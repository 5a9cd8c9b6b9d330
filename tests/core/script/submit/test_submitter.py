"""Running a script again: a done job does not run again, whatever Redis or the job directories have lost."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from helpers.playground import Stage
from helpers.waiting import PATIENCE_S, wait_until
from script_tasks import Copy, Fail, Hold, Write

from xpm_core.config import Task
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import IndexedJob, SubmissionWriter
from xpm_core.script.submit import submitter
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import Store
from xpm_core.store.records import ForgetCode, Submission
from xpm_core.workspace.experiment_directory import RunDirectory
from xpm_core.workspace.files import LISTING_LAG_S

pytestmark = pytest.mark.redis


def age(stage: Stage, task: Task) -> None:
    """Let a job have ended so long ago that a network file system must show its marker by now."""
    key = keys.job(stage.workspace.id, stage.job(task).identity)
    stage.client.hincrby(key, "ended", -round(LISTING_LAG_S * 1000) - 1000)


def delete(stage: Stage, task: Task) -> None:
    """Remove the directory of a job that ended long ago."""
    wait_until(lambda: marker_of(stage, task))  # which the worker writes after the end that the script saw
    shutil.rmtree(stage.directory(task).path)
    age(stage, task)


def marker_of(stage: Stage, task: Task) -> bool:
    marker = stage.directory(task).marker()
    return marker is not None and marker.kind == "done"


def test_a_second_run_runs_nothing(stage: Stage) -> None:
    note = stage.note()
    for run in range(2):
        with stage.experiment() as xp:
            copy = Copy.C(source=Write.C(note=note).submit()).submit()
            summary = xp.wait()
        assert (summary.done, summary.reused) == (2, 2 * run)
    assert (stage.runs(copy), stage.runs(copy.source)) == (1, 1)


def test_only_what_is_new_in_a_grid_runs(stage: Stage) -> None:
    note = stage.note()
    for size in (2, 5):
        with stage.experiment() as xp:
            for n in range(size):
                Write.C(note=note, n=n).submit()
            summary = xp.wait()
    assert (summary.done, summary.reused) == (5, 2)


def test_a_done_job_whose_directory_was_deleted_runs_again(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    note = stage.note()
    with stage.experiment():
        write = Write.C(note=note).submit()
    delete(stage, write)
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        summary = xp.wait()
    assert (summary.done, summary.reused) == (1, 0)
    assert write.written.read_text() == note
    assert any(
        "its result is gone" in record.message and str(write.jobpath) in record.message for record in caplog.records
    )


def test_a_directory_that_cannot_be_seen_yet_is_not_taken_for_deleted(stage: Stage) -> None:
    """Within two minutes of the job's end, a network file system may not show it."""
    note = stage.note()
    with stage.experiment():
        write = Write.C(note=note).submit()
    wait_until(lambda: marker_of(stage, write))
    aside = write.jobpath.with_name("aside")
    write.jobpath.rename(aside)
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        assert xp.wait().reused == 1
    assert not write.jobpath.exists()
    aside.rename(write.jobpath)


def test_what_uses_a_deleted_result_waits_until_it_is_there_again(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment():
        write = Write.C(note=note).submit()
    delete(stage, write)
    with stage.experiment():
        copy = Copy.C(source=Write.C(note=note).submit()).submit()
    assert (copy.jobpath / "copy.txt").read_text() == note


def test_a_deleted_result_that_a_running_job_uses_is_told_and_left(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    note, gate = stage.note(), tmp_path_factory.mktemp("gate") / "gate"
    write = Write.C(note=note)
    hold = Hold.C(note=note, until=gate)
    hold.add_dependencies(write)
    with stage.broken():
        write.submit()
        hold.submit()
        wait_until(lambda: stage.job(hold).state is State.RUNNING)
    delete(stage, write)
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        assert xp.wait().done == 1
        gate.touch()
    assert any("uses it" in record.message for record in caplog.records)


def test_a_marker_that_was_lost_is_written_again_from_the_record(stage: Stage) -> None:
    """As after a crash between the end that Redis accepted and the marker."""
    note = stage.note()
    with stage.experiment():
        write = Write.C(note=note).submit()
    wait_until(lambda: marker_of(stage, write))
    (write.jobpath / ".xpm" / "done").unlink()
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        assert xp.wait().reused == 1
    assert marker_of(stage, write)
    assert stage.runs(write) == 1


def test_with_redis_wiped_only_what_is_not_done_runs_again(stage: Stage) -> None:
    note = stage.note()
    with stage.failing():
        write = Write.C(note=note).submit()
        fail = Fail.C(note=note).submit()
    wait_until(lambda: marker_of(stage, write))
    stage.wipe()
    with stage.failing() as failing:
        Copy.C(source=Write.C(note=note).submit()).submit()
        Fail.C(note=note).submit()
        summary = failing.xp.wait()
    assert (summary.done, summary.reused, summary.failed) == (2, 1, 1)
    assert stage.runs(write) == 1
    assert stage.runs(fail) == 2


def test_callbacks_and_output_are_there_for_what_was_adopted(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment():
        write = Write.C(note=note).submit()
    wait_until(lambda: marker_of(stage, write))
    stage.wipe()
    calls: list[str] = []
    with stage.experiment():
        Write.C(note=note).on_completed(lambda task: calls.append(task.written.read_text())).submit()
    assert calls == [note]


def test_script_that_waits_while_redis_is_wiped_is_told_so(stage: Stage) -> None:
    """Else it would wait for ever for jobs that nobody knows."""
    from xpm_core.errors import WipedError

    errors: list[BaseException] = []

    def script() -> None:
        try:
            with stage.experiment(lease_s=1) as xp:
                Write.C(note=stage.note()).submit(queue="nobody")
                submitted.set()
                xp.wait()
        except WipedError as error:
            errors.append(error)

    submitted = threading.Event()
    thread = threading.Thread(target=script)
    thread.start()
    assert submitted.wait(PATIENCE_S)
    wait_until(lambda: b"ready" in stage.client.hgetall(keys.counts(stage.workspace.id)))
    stage.wipe()
    thread.join(PATIENCE_S)
    [error] = errors
    assert "was it wiped?" in str(error)
    assert "Run the script again" in str(error)


def test_run_attaches_to_jobs_of_a_run_that_stopped_early(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gate = tmp_path_factory.mktemp("gate") / "gate"
    hold = Hold.C(note=stage.note(), until=gate)
    with stage.broken():
        hold.submit()
        wait_until(lambda: stage.job(hold).state is State.RUNNING)
    calls: list[Hold] = []
    with stage.experiment() as xp:
        Hold.C(note=hold.note, until=gate).on_completed(calls.append).submit()
        gate.touch()
        assert xp.wait().done == 1
    assert stage.runs(hold) == 1
    assert len(calls) == 1


def test_a_job_that_is_being_removed_is_waited_for_and_runs_anew(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment():
        write = Write.C(note=note).submit()
    wait_until(lambda: marker_of(stage, write))
    store, job = Store(stage.client, stage.workspace.id), stage.job(write)
    store.collect("gc", 60.0, {})
    assert store.forget("gc", 60.0, job.identity, job.execution)[0] is ForgetCode.TAKEN
    with stage.experiment() as xp:
        again = Write.C(note=note)
        thread = threading.Thread(target=again.submit)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        shutil.rmtree(write.jobpath)
        store.collect("gc", 0, {})
        thread.join(PATIENCE_S)
        summary = xp.wait()
    assert (summary.done, summary.reused) == (1, 0)
    assert again.written.read_text() == note


def test_a_script_that_ends_waits_for_a_removal_with_pauses_and_says_so_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    note = stage.note()
    with stage.experiment():
        write = Write.C(note=note).submit()
    wait_until(lambda: marker_of(stage, write))
    store, job = Store(stage.client, stage.workspace.id), stage.job(write)
    store.collect("gc", 60.0, {})
    assert store.forget("gc", 60.0, job.identity, job.execution)[0] is ForgetCode.TAKEN
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            store.collect("gc", 0, {})

    monkeypatch.setattr(submitter, "sleep", pause)
    monkeypatch.setattr(submitter, "MANY_PAUSES", 2)
    with contextlib.suppress(KeyError), stage.experiment():
        Write.C(note=note).submit()
        raise KeyError
    assert pauses == [submitter.REMOVAL_S] * 4
    [said] = [each.getMessage() for each in caplog.records if "being removed" in each.getMessage()]
    assert said.startswith(f"Write/{job.identity[:7]} (submitted at ")
    assert said.endswith("by xpm gc; if that was killed, this takes two minutes")


def test_a_run_has_recorded_its_jobs_before_the_server_knows_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, seen = stage.note(), []
    send = Store.send

    def looking(store: Store, experiment: str, started_ms: int, jobs: list[Submission], origins: object) -> object:
        runs = (stage.workspace.path / "experiments" / experiment / "runs").iterdir()
        record = RunDirectory(max(runs, key=lambda run: run.stat().st_mtime)).record
        seen.extend(job.identity in record.identities for job in jobs)
        return send(store, experiment, started_ms, jobs, origins)

    monkeypatch.setattr(Store, "send", looking)
    with stage.experiment() as xp:
        for n in range(3):
            Write.C(note=note, n=n).submit()
        record = RunDirectory(xp.resultspath.parent)
        xp.wait()
        assert record.record is not None
        assert (len(record.record.identities), record.record.ended) == (3, False)
    assert seen == [True] * 3
    assert record.record is not None
    assert record.record.ended


def test_a_job_that_ends_before_its_script_notes_that_it_runs_again_keeps_that_end(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script sleeps between the server's answer and the line in the index."""
    note, gate = stage.note(), tmp_path / "fails"
    gate.touch()
    with stage.failing():
        Fail.C(note=note, only_with=gate).submit()
    gate.unlink()
    add, late = SubmissionWriter.add, list[str]()

    def sleep_first(writer: SubmissionWriter, jobs: Iterable[IndexedJob]) -> None:
        found = list(jobs)
        for job in [job for job in found if job.again]:
            wait_until(lambda job=job: MergedIndex(stage.workspace.path).read()[job.identity].state is State.DONE)
            time.sleep(0.002)  # the index has milliseconds
            late.append(job.identity)
        add(writer, found)

    monkeypatch.setattr(SubmissionWriter, "add", sleep_first)
    with stage.experiment() as xp:
        Fail.C(note=note, only_with=gate).submit()
        assert xp.wait().done == 1
    assert late
    assert [MergedIndex(stage.workspace.path).read()[each].state for each in late] == [State.DONE]
