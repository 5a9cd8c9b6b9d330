"""A job's directory: attempts, the files that a retry sets aside, and writes that fail half-way."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from helpers.executions import run

from xpm_core.errors import WorkspaceError, WorkspacePathError
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import Marker
from xpm_core.workspace.job_spec import JobOptions, JobSpec, Retries
from xpm_core.workspace.kept_job import KeptJob
from xpm_core.workspace.workspace import Workspace


def set_aside(workspace: Workspace) -> list[Path]:
    return sorted((workspace.path / "old").glob("*/*"))


def test_a_first_execution_starts_in_an_empty_directory(job: JobDirectory) -> None:
    assert job.prepare(1) == 1
    assert os.listdir(job.path) == [".xpm"]
    assert (job.marker(), job.records(), job.adoptable()) == (None, [], None)


def test_looking_makes_nothing(job: JobDirectory) -> None:
    assert (job.marker(), job.records(), job.adoptable(), job.record("e")) == (None, [], None, None)
    assert not job.path.exists()


def test_what_was_written_is_read(job: JobDirectory) -> None:
    run(job, "e1", "done")
    job.write_params({"épochs": 3})
    assert job.marker() == Marker("done", "e1")
    assert job.record("e1") == {"schema": 1, "reason": "done", "number": 1, "execution": "e1"}
    assert job.records() == [job.record("e1")]
    assert json.loads(job.params.read_text()) == {"épochs": 3}
    assert not [name for _, _, files in os.walk(job.path) for name in files if name.startswith(".")]


def test_a_retry_starts_in_an_empty_directory_and_keeps_the_history(job: JobDirectory, workspace: Workspace) -> None:
    run(job, "e1", "failed")
    assert job.prepare(2) == 2
    assert sorted(os.listdir(job.path)) == [".xpm", "train.out"]
    assert job.out.read_text() == "e1\n"
    assert [record["execution"] for record in job.records()] == ["e1"]
    assert job.marker() is None
    (old,) = set_aside(workspace)
    assert (old / "result").read_text() == "e1"
    assert old.parent.name == "sweep.train"


def test_every_retry_is_set_aside_on_its_own(job: JobDirectory, workspace: Workspace) -> None:
    for number in range(1, 5):
        assert run(job, f"e{number}", "failed", number) == number
    assert job.out.read_text() == "e1\ne2\ne3\ne4\n"
    assert [record["number"] for record in job.records()] == [1, 2, 3, 4]
    assert len(set_aside(workspace)) == 3


def test_what_a_killed_execution_left_is_set_aside_too(job: JobDirectory, workspace: Workspace) -> None:
    run(job, "killed", None)
    assert job.prepare(1) == 1
    assert not (job.path / "result").exists()
    assert len(set_aside(workspace)) == 1


def test_parameters_written_beforehand_are_no_earlier_execution(job: JobDirectory, workspace: Workspace) -> None:
    job.path.mkdir(parents=True)
    job.write_params({})
    job.prepare(1)
    assert job.params.exists()
    assert set_aside(workspace) == []


def test_a_process_of_an_earlier_execution_writes_into_what_was_set_aside(
    job: JobDirectory, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.prepare(1)
    (job.path / "result").touch()
    monkeypatch.chdir(job.path)
    job.prepare(2)
    Path("late").touch()
    assert not (job.path / "late").exists()
    assert (set_aside(workspace)[0] / "late").exists()


def test_a_resumable_task_finds_its_directory_as_it_was(job: JobDirectory, workspace: Workspace) -> None:
    run(job, "e1", "failed", resumable=True)
    assert job.prepare(2, resumable=True) == 2
    assert (job.path / "result").read_text() == "e1"
    assert job.marker() is None
    assert set_aside(workspace) == []


@pytest.mark.parametrize("resumable", [False, True])
def test_a_job_that_runs_again_is_no_longer_imported(job: JobDirectory, resumable: bool) -> None:
    run(job, "e1", "done", resumable=resumable)
    assert (job.imported(), job.is_imported()) == (None, False)
    (job.path / ".xpm" / "imported.json").write_text('{"file": "digits.tar"}')
    assert (job.imported(), job.is_imported()) == ({"file": "digits.tar"}, True)
    (job.path / ".xpm" / "imported.json").write_text("{")
    assert (job.imported(), job.is_imported()) == ({}, True)
    job.prepare(2, resumable=resumable)
    assert (job.imported(), job.is_imported()) == (None, False)


def test_a_job_without_attempts_that_runs_again_is_no_longer_imported(job: JobDirectory) -> None:
    job.prepare(1)
    job.write_lost("e1")
    (job.path / ".xpm" / "imported.json").write_text("{}")
    job.prepare(2)
    assert (job.is_imported(), job.marker()) == (False, None)


def test_numbers_go_on_when_redis_counts_anew(job: JobDirectory) -> None:
    run(job, "e1", "failed", 1)
    run(job, "e2", "failed", 2)
    assert run(job, "e3", "done", 1) == 3
    assert job.adoptable() == "e3"


@pytest.mark.parametrize("execution", ["", "../up", "a/b", "a.b", "e\n", "x" * 65])
def test_an_execution_id_that_could_leave_the_directory_is_refused(job: JobDirectory, execution: str) -> None:
    job.prepare(1)
    with pytest.raises(WorkspacePathError):
        job.write_record(1, execution, {})
    with pytest.raises(WorkspacePathError):
        job.write_marker("done", execution)


@pytest.mark.parametrize("function", ["write", "fsync", "rename"])
def test_a_full_disk_leaves_the_old_marker_and_nothing_half_written(
    job: JobDirectory, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    run(job, "e1", "failed")

    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, function, refuse)
        with pytest.raises(WorkspaceError, match=r"\.xpm/done: cannot be written: no space left on device\. Free"):
            job.write_marker("done", "e2")
    assert job.marker() == Marker("failed", "e1")
    assert sorted(os.listdir(job.path / ".xpm")) == ["executions", "failed"]


def test_a_directory_deleted_under_the_job_is_not_made_again_by_its_record(job: JobDirectory) -> None:
    job.prepare(1)
    for folder in (".xpm/executions", ".xpm", ""):
        (job.path / folder).rmdir()
    with pytest.raises(WorkspaceError, match="A folder on its path was removed"):
        job.write_record(1, "e1", {})
    assert not job.path.exists()


def test_a_file_in_place_of_a_directory_is_one_clear_error(job: JobDirectory) -> None:
    job.path.parent.mkdir(parents=True)
    job.path.touch()
    with pytest.raises(WorkspaceError, match="cannot be made ready: not a directory"):
        job.prepare(1)


TASK = "models:Train"


def kept_of(job: JobDirectory, *, env: dict[str, str]) -> KeptJob:
    spec = JobSpec(job.identity, TASK, "Train", job.relative, bytes(range(256)), JobOptions(env=env))
    return KeptJob(spec, ["1d" * 32], Retries(1, 3, 0.5))


def test_what_was_handed_over_is_read_as_it_was_and_not_taken_from_others(
    job: JobDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert job.kept(TASK) is None
    job.prepare(1)
    job.keep(kept := kept_of(job, env={"KEY": "secret"}))
    assert job.kept(TASK) == job.kept(TASK, own=True) == kept
    file = job.path / ".xpm" / "handed.json"
    assert file.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert job.kept(TASK) == kept
    assert job.kept(TASK, own=True) is None
    job.keep(kept_of(job, env={}))
    job.write_params({})
    assert file.stat().st_mode == job.params.stat().st_mode


@pytest.mark.parametrize(
    "changes",
    [{"name": 1}, {"payload": None}, {"payload": ""}, {"options": []}, {"needs": "x"}, {"needs": [1]},
     {"max_retries": -1}, {"max_losses": True}, {"backoff_s": float("nan")}, {"backoff_s": float("inf")}],
    ids=str,
)  # fmt: skip
def test_damaged_words_of_what_was_handed_over_count_as_none(job: JobDirectory, changes: dict[str, object]) -> None:
    job.prepare(1)
    job.keep(kept_of(job, env={}))
    file = job.path / ".xpm" / "handed.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    assert job.kept(TASK) is None
    file.write_text("{")
    assert job.kept(TASK) is None
