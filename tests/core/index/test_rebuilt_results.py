"""What the index says of results, when it is made again from the directories, and when a job is removed."""

from __future__ import annotations

import time
from pathlib import Path

from helpers.finished_jobs import Study

from xpm_core.index.entries import End, ended_line
from xpm_core.index.folders import ends_folder
from xpm_core.index.merged import MergedIndex
from xpm_core.index.rebuild import lacking, rebuild
from xpm_core.index.writers import RemovalWriter
from xpm_core.workspace.job_directory import JobDirectory

REPORTED = {"results": {"accuracy": 0.9}}


def end_of(study: Study, job: JobDirectory) -> End:
    end = MergedIndex(study.workspace.path).read()[job.identity].end
    assert end is not None
    return end


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
    for file in ends_folder(tmp_path).iterdir():
        file.unlink()
    bare = End(known.state, known.ended_s + 5, execution=known.execution)
    (ends_folder(tmp_path) / "old.jsonl").write_text(ended_line(job.identity, bare) + "\n")
    assert job.identity in lacking(study.workspace).ends
    rebuild(study.workspace)
    assert end_of(study, job).results == {"accuracy": 0.9}
    assert lacking(study.workspace).jobs == 0


def test_a_job_that_was_removed_has_no_results(tmp_path: Path) -> None:
    study = Study(tmp_path)
    job = study.grid(1, record=REPORTED)[1]
    RemovalWriter(tmp_path, "me").add(job.identity, time.time() + 1)
    assert job.identity not in MergedIndex(tmp_path).read()
