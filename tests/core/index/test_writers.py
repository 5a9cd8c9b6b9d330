"""The writers of the index: what they write, once, and what they do where they cannot."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from xpm_core.index.entries import End
from xpm_core.index.folders import ends_folder, submissions_folder
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import EndWriter, IndexedJob, SubmissionWriter
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

A, B = "aa" * 32, "bb" * 32


def job(identity: str, tags: Mapping[str, Any] = {}, **params: Any) -> IndexedJob:  # it is not changed
    return IndexedJob(identity, "sweep:Train", tags, lambda: params)


def test_a_run_writes_each_new_job_once(workspace: Workspace) -> None:
    directory = workspace.experiment("e")
    writer = SubmissionWriter(directory, "run1")
    writer.add([job(A, x=1), job(B, x=2)])
    writer.add([job(A, x=1)])
    (file,) = submissions_folder(directory).iterdir()
    assert (file.name, len(file.read_text().splitlines())) == ("run1.jsonl", 2)


def test_a_later_run_writes_only_what_is_new_or_has_other_tags(workspace: Workspace) -> None:
    directory = workspace.experiment("e")
    SubmissionWriter(directory, "run1").add([job(A, {"n": 1}, x=1), job(B, {"n": 2}, x=2)])
    asked: list[str] = []

    def params() -> dict[str, Any]:
        asked.append("params")
        return {"x": 1}

    SubmissionWriter(directory, "run2").add([IndexedJob(A, "sweep:Train", {"n": 1}, params)])
    assert asked == []
    assert not (submissions_folder(directory) / "run2.jsonl").exists()
    SubmissionWriter(directory, "run3").add([IndexedJob(A, "sweep:Train", {"n": 7}, params)])
    assert MergedIndex(workspace.path).read()[A].tags == {"n": 7}


def test_another_experiment_has_its_own_line(workspace: Workspace) -> None:
    for name in ("one", "two"):
        SubmissionWriter(workspace.experiment(name), "run1").add([job(A, x=1)])
    assert MergedIndex(workspace.path).read()[A].experiments == ["one", "two"]


def test_a_worker_writes_each_end(workspace: Workspace) -> None:
    writer = EndWriter(workspace.path, "node1.0")
    writer.add(A, End(State.FAILED, 1.0, error={"type": "ValueError"}))
    writer.add(A, End(State.DONE, 2.0))
    assert len((ends_folder(workspace.path) / "node1.0.jsonl").read_text().splitlines()) == 2
    assert MergedIndex(workspace.path).read()[A].end == End(State.DONE, 2.0)


def test_a_run_that_writes_late_loses_no_end_that_came_since(workspace: Workspace) -> None:
    """Between the server's answer and the line, the job ran again and ended. Another run gave it other tags."""
    EndWriter(workspace.path, "w").add(A, End(State.DONE, 20.0))
    SubmissionWriter(workspace.experiment("e"), "run2").add([job(A, {"n": 2}, x=1)._replace(asked_s=15.0)])
    SubmissionWriter(workspace.experiment("e"), "run1").add(
        [job(A, {"n": 1}, x=1)._replace(again=True, new=True, asked_s=10.0)]
    )
    entry = MergedIndex(workspace.path).read()[A]
    assert (entry.state, entry.tags) == (State.DONE, {"n": 2})


def test_a_cancellation_that_is_written_late_loses_no_end_that_came_since(workspace: Workspace) -> None:
    EndWriter(workspace.path, "w").add(A, End(State.DONE, 20.0))
    EndWriter(workspace.path, "xpm").cancelled([A], 10.0)
    assert MergedIndex(workspace.path).read()[A].state is State.DONE


def test_what_cannot_be_written_is_said_once_and_stops_nothing(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    ends_folder(workspace.path).parent.mkdir(exist_ok=True)
    ends_folder(workspace.path).write_text("")  # a file stands where the folder belongs
    writer = EndWriter(workspace.path, "node1.0")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            writer.add(A, End(State.DONE, 1.0))
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "the index cannot be written: Not a directory"
    ]


def test_a_line_after_a_torn_one_begins_anew(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = EndWriter(workspace.path, "node1.0")
    plain = os.write

    def full_disk(descriptor: int, data: Any) -> int:
        if len(data) > 20:
            return plain(descriptor, bytes(data)[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(
        os, "write", lambda descriptor, data: full_disk(descriptor, bytes(data)[: 21 if len(data) > 40 else 1])
    )
    writer.add(A, End(State.DONE, 1.0))
    monkeypatch.setattr(os, "write", plain)
    writer.add(B, End(State.DONE, 2.0))
    index = MergedIndex(workspace.path)
    assert set(index.read()) == {B}
    assert sum(index.damaged.values()) == 1


def test_names_that_are_no_unicode_are_written(workspace: Workspace) -> None:
    name = os.fsdecode(b"/data/\xff")
    SubmissionWriter(workspace.experiment("e"), "run1").add([job(A, where={"path": name})])
    assert MergedIndex(workspace.path).read()[A].params == {"where": {"path": name}}


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    EndWriter(tmp_path, "w").add(A, End(State.DONE, 1.0))
    assert (tmp_path / ".xpm" / "index" / "w.jsonl").is_file()
