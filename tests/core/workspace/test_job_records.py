"""The records in a job's directory, and which of them are believed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from helpers.executions import run

from xpm_core.workspace.job_directory import JobDirectory, readable
from xpm_core.workspace.job_records import Marker, read_own, read_small, read_whole


def test_a_done_marker_is_adopted_if_its_execution_is_the_newest(job: JobDirectory) -> None:
    run(job, "e1", "done")
    assert job.adoptable() == "e1"
    job.write_record(2, "e2", {"reason": "failed"})
    assert job.adoptable() is None


def test_a_failed_marker_is_not_adopted(job: JobDirectory) -> None:
    run(job, "e1", "failed")
    assert job.adoptable() is None


def test_a_marker_without_its_record_is_not_adopted(job: JobDirectory) -> None:
    job.prepare(1)
    job.write_marker("done", "e1")
    assert job.marker() == Marker("done", "e1")
    assert job.adoptable() is None


def test_late_markers_of_two_executions_leave_the_later_one(job: JobDirectory) -> None:
    run(job, "e1", "failed")
    job.write_record(2, "e2", {})
    job.write_marker("done", "e2")
    assert job.marker() == Marker("done", "e2")
    (job.path / ".xpm" / "failed").write_text('{"execution": "e1"}')  # as a crash between two steps leaves it
    assert job.marker() == Marker("done", "e2")
    assert job.adoptable() == "e2"


@pytest.mark.parametrize("fields", [{}, {"a": 1, "b": "é, \n", "c": None}, {"a": {"b": [1, 2]}}, {"a": [1], "b": 0.5}])
def test_what_people_read_has_a_line_for_each_field(fields: dict[str, object]) -> None:
    assert readable(fields).decode() == json.dumps(fields, ensure_ascii=False, indent=1) + "\n"


def test_damaged_files_are_no_marker_and_an_unreadable_record(job: JobDirectory) -> None:
    run(job, "e1", "done")
    (job.path / ".xpm" / "executions" / "2-e2.json").write_text("")
    (job.path / ".xpm" / "executions" / "notes.txt").write_text("by hand")
    assert job.records()[1] == {"number": 2, "execution": "e2", "reason": "unreadable"}
    for content in ("", "{", "[]", '{"execution": "../up"}', '{"execution": 3}'):
        (job.path / ".xpm" / "done").write_text(content)
        assert job.marker() is None


def test_records_are_in_the_order_of_their_numbers(job: JobDirectory) -> None:
    job.prepare(1)
    for number in (10, 9, 100, 1):
        job.write_record(number, f"e{number}", {})
    assert [record["number"] for record in job.records()] == [1, 9, 10, 100]


def test_pipes_and_devices_are_no_records(job: JobDirectory, tmp_path: Path) -> None:
    run(job, "e1", "done")
    pipe, device = tmp_path / "pipe", tmp_path / "device"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        for read in (read_whole, read_own):
            with pytest.raises(OSError, match="no regular file"):
                read(str(path))
    assert read_small(str(pipe)) == b""
    for name in ("done", "imported.json", "executions/2-e2.json"):
        (job.path / ".xpm" / name).unlink(missing_ok=True)
        os.mkfifo(job.path / ".xpm" / name)
    assert (job.marker(), job.imported()) == (None, {})
    assert job.records()[1] == {"number": 2, "execution": "e2", "reason": "unreadable"}
