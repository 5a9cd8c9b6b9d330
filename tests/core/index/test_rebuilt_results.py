"""What the index says of results, when it is made again from the directories, and when a job is removed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from helpers.finished_jobs import Study

from xpm_core.index.entries import End, ended_line
from xpm_core.index.folders import ends_folder
from xpm_core.index.merged import MergedIndex
from xpm_core.index.rebuild import ended, lacking, rebuild
from xpm_core.index.writers import RemovalWriter
from xpm_core.states import State
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.reported.results_file import Reported

REPORTED = {"results": {"accuracy": 0.9}}


def end_of(study: Study, job: JobDirectory) -> End:
    end = MergedIndex(study.workspace.path).read()[job.identity].end
    assert end is not None
    return end


def bare_index(study: Study, line: str, name: str = "zoo.0.jsonl") -> None:
    """An index of ends that has one line. The usual name of its file comes after that of a repair."""
    for file in ends_folder(study.workspace.path).iterdir():
        file.unlink()
    (ends_folder(study.workspace.path) / name).write_text(line + "\n")


def test_an_index_that_was_removed_gets_results_from_the_records(tmp_path: Path) -> None:
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    for file in ends_folder(tmp_path).iterdir():
        file.unlink()
    rebuild(study.workspace)
    assert end_of(study, job).results == {"accuracy": 0.9}


def test_a_line_without_the_results_of_its_execution_is_completed_once(tmp_path: Path) -> None:
    """A worker of an earlier xpm, which knew nothing of results, has written it: later than the record says."""
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    known = end_of(study, job)
    bare = End(known.state, known.ended_s + 5, execution=known.execution)
    bare_index(study, ended_line(job.identity, bare), "old.jsonl")
    assert job.identity in lacking(study.workspace).ends
    rebuild(study.workspace)
    assert end_of(study, job).results == {"accuracy": 0.9}
    assert lacking(study.workspace).jobs == 0


def test_a_job_that_was_removed_has_no_results(tmp_path: Path) -> None:
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    RemovalWriter(tmp_path, "me").add(job.identity, time.time() + 1)
    assert job.identity not in MergedIndex(tmp_path).read()


def test_a_job_that_was_adopted_before_gets_the_results_of_the_execution_that_counts(tmp_path: Path) -> None:
    """A worker of an earlier xpm has noted its own execution, which has not run."""
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    known = end_of(study, job)
    bare = End(known.state, known.ended_s + 5, execution="another")
    bare_index(study, ended_line(job.identity, bare), "old.jsonl")
    rebuild(study.workspace)
    end = end_of(study, job)
    assert (end.results, end.execution) == ({"accuracy": 0.9}, known.execution)
    assert lacking(study.workspace).jobs == 0


def test_a_job_whose_worker_was_lost_has_what_its_file_says(tmp_path: Path) -> None:
    study = Study(tmp_path)
    job = study.grid(1)[1]
    job.write_record(7, "lost", {"reason": "lost"})
    job.write_marker("failed", "lost")
    Reported("lost", {"accuracy": 0.5}).write(job)
    end = ended(job)
    assert end is not None
    assert (end.execution, end.results) == ("lost", {"accuracy": 0.5})
    Reported("earlier", {"accuracy": 0.5}).write(job)
    assert (end := ended(job)) is not None
    assert end.results == {}


def test_what_is_completed_counts_whatever_the_name_of_the_file_that_lacks_it(tmp_path: Path) -> None:
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    known = end_of(study, job)
    bare_index(study, ended_line(job.identity, End(known.state, known.ended_s + 5, execution=known.execution)))
    rebuild(study.workspace)
    assert end_of(study, job).results == {"accuracy": 0.9}
    assert lacking(study.workspace).jobs == 0


def test_an_end_by_a_clock_that_is_ahead_gives_way_to_that_of_a_later_execution(tmp_path: Path) -> None:
    """The machine of the first execution had the wrong time. Executions have numbers."""
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    known = end_of(study, job)
    record = {"reason": "done", "ended_s": known.ended_s + 1, "results": {"accuracy": 1}}
    job.write_record(known.attempt + 1, "second", record)
    job.write_marker("done", "second")
    ahead = replace(known, state=State.FAILED, ended_s=known.ended_s + 600, results={})
    bare_index(study, ended_line(job.identity, ahead))
    rebuild(study.workspace)
    assert (end_of(study, job).execution, end_of(study, job).results) == ("second", {"accuracy": 1})
    assert lacking(study.workspace).jobs == 0


def test_a_job_that_was_done_after_it_counted_as_lost_is_done(tmp_path: Path) -> None:
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    known = end_of(study, job)
    bare_index(study, ended_line(job.identity, End(State.FAILED, known.ended_s + 9, execution=known.execution)))
    rebuild(study.workspace)
    assert end_of(study, job).state is State.DONE
    assert lacking(study.workspace).jobs == 0


def test_the_numbers_of_the_server_are_not_those_of_the_directory(tmp_path: Path) -> None:
    """The server was wiped, and counts from 1 again. The worker of the new execution was lost before it began."""
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    known = end_of(study, job)
    job.write_record(known.attempt + 5, "second", {"reason": "failed", "ended_s": known.ended_s + 1})
    job.write_marker("failed", "second")
    lost = End(State.FAILED, known.ended_s + 600, started_s=known.ended_s + 599, execution="third", attempt=1)
    bare_index(study, ended_line(job.identity, lost))
    assert job.identity not in lacking(study.workspace).ends


def test_a_job_that_was_cancelled_when_its_worker_was_lost_is_not_done(tmp_path: Path) -> None:
    """The worker died between the marker and its call. Nothing makes that execution count any more."""
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    known = end_of(study, job)
    bare_index(study, ended_line(job.identity, End(State.CANCELLED, known.ended_s + 9, execution=known.execution)))
    assert job.identity not in lacking(study.workspace).ends


def test_an_end_whose_time_is_moved_took_as_long_as_before(tmp_path: Path) -> None:
    """Else tables and forecasts would count the error of a clock as time of the job."""
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    known = end_of(study, job)
    job.write_record(known.attempt + 1, "second", {"reason": "done", "started_s": 1000.0, "ended_s": 1030.0})
    job.write_marker("done", "second")
    bare_index(study, ended_line(job.identity, known))
    rebuild(study.workspace)
    end = end_of(study, job)
    assert (end.execution, round(end.ended_s - end.started_s, 3)) == ("second", 30.0)
    RemovalWriter(tmp_path, "me").add(job.identity, end.ended_s + 60)
    rebuild(study.workspace)
    end = end_of(study, job)
    assert (end.execution, round(end.ended_s - end.started_s, 3)) == ("second", 30.0)
