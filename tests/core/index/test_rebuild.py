"""The index is made again from the job directories, and says then what it said before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from helpers.playground import Stage
from helpers.study import NAME, OTHER, Study

from xpm_core.index.entries import End, Entry, submitted_line
from xpm_core.index.folders import ends_folder, submissions_folder
from xpm_core.index.merged import MergedIndex
from xpm_core.index.rebuild import lacking, rebuild
from xpm_core.states import State
from xpm_core.workspace.files import write_atomic

pytestmark = [pytest.mark.redis, pytest.mark.slow]

RAN = ("done0", "done1", "failed", "other")


@pytest.fixture(scope="module")
def study(stage: Stage) -> Iterator[Study]:
    study = Study(stage)
    yield study
    study.finish()


def ran(study: Study) -> dict[str, Entry]:
    """The entries of the jobs that have run. Times differ by how they are measured, so they are left out."""
    found = MergedIndex(study.stage.workspace.path).read()
    entries = {name: found[study.identity(name)] for name in RAN if study.identity(name) in found}
    return {name: _without_times(entry) for name, entry in entries.items()}


def _without_times(entry: Entry) -> Entry:
    end = entry.end and replace(entry.end, ended_s=0.0, started_s=0.0)
    return replace(entry, submitted_s=0.0, described_s=0.0, end=end)


def test_a_whole_index_lacks_nothing(study: Study) -> None:
    assert lacking(study.stage.workspace).jobs == 0
    assert rebuild(study.stage.workspace).jobs == 0


def test_an_index_that_was_removed_is_made_again(study: Study) -> None:
    workspace = study.stage.workspace
    before = ran(study)
    assert set(before) == set(RAN)
    for folder in (ends_folder(workspace.path), *(submissions_folder(workspace.experiment(n)) for n in (NAME, OTHER))):
        shutil.rmtree(folder)
    assert rebuild(workspace).jobs == len(RAN) + 1  # the running job has its parameters, and no end
    assert ran(study) == before
    assert lacking(workspace).jobs == 0


def test_a_retried_job_gets_its_later_end(study: Study) -> None:
    workspace = study.stage.workspace
    identity = study.identity("failed")
    directory = workspace.job_at(str(study.stage.directory(study.tasks["failed"]).relative))
    late = max(path.stat().st_mtime for path in ends_folder(workspace.path).iterdir()) + 10
    directory.write_record(9, "later", {"reason": "done", "started_s": late - 1, "ended_s": late, "host": "node9"})
    directory.write_marker("done", "later")
    assert lacking(workspace).ends == {identity: End(State.DONE, late, late - 1, "node9", "", "later", 9)}
    rebuild(workspace)
    end = MergedIndex(workspace.path).read()[identity].end
    assert end is not None
    assert (end.state, end.execution) == (State.DONE, "later")


def test_damaged_lines_are_taken_out(study: Study) -> None:
    workspace = study.stage.workspace
    (file, *_) = submissions_folder(workspace.experiment(NAME)).iterdir()
    with file.open("a") as stream:
        stream.write("{torn\n")
    index = MergedIndex(workspace.path)
    index.read()
    assert index.damaged == {str(file): 1}
    rebuild(workspace)
    index = MergedIndex(workspace.path)
    index.read()
    assert index.damaged == {}


def test_a_line_that_its_writer_adds_during_the_repair_is_kept(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = study.stage.workspace
    (file, *_) = submissions_folder(workspace.experiment(NAME)).iterdir()
    late = "f" * 64
    line = submitted_line(late, "study:Late", {}, {}, 1.0)
    with file.open("a") as stream:
        stream.write("{torn\n" + line[:20])

    def replaced(path: str, data: bytes, *, durable: bool) -> None:
        with open(path, "a") as stream:
            stream.write(line[20:] + "\n")
        write_atomic(path, data, durable=durable)

    monkeypatch.setattr("xpm_core.index.rebuild.write_atomic", replaced)
    rebuild(workspace)
    index = MergedIndex(workspace.path)
    assert index.read()[late].task == "study:Late"
    assert index.damaged == {}


def test_what_is_no_link_to_a_job_is_passed_over(study: Study) -> None:
    jobs = study.stage.workspace.path / "experiments" / NAME / "jobs"
    (jobs / "a file").write_text("")
    (jobs / "write" / "a folder").mkdir()
    (jobs / "write" / "elsewhere").symlink_to("/etc/passwd")
    (jobs / "write" / "gone").symlink_to("../../../../jobs/x.y/" + "ab" * 32)
    assert lacking(study.stage.workspace).jobs == 0
