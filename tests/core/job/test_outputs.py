"""Outputs of running tasks as the job's directory keeps them, also when it was damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xpm_core.errors import WorkspaceError
from xpm_core.job.outputs import arguments, is_output, kept
from xpm_core.workspace.job_directory import JobDirectory

OUTPUT: dict[str, Any] = {"of": "Learn", "identity": "0" * 64, "method": "saved", "args": [1], "kwargs": {"items": {}}}


@pytest.fixture
def directory(tmp_path: Path) -> JobDirectory:
    """A job's directory."""
    found = JobDirectory(tmp_path, "jobs/m.learn/" + "0" * 64)
    found.prepare(1)
    return found


def test_a_directory_without_any_has_none(directory: JobDirectory, tmp_path: Path) -> None:
    assert kept(directory) == []
    assert kept(JobDirectory(tmp_path, "jobs/m.learn/1")) == []


def test_a_line_that_was_cut_is_left_out_and_harms_no_other(directory: JobDirectory) -> None:
    file = directory.path / ".xpm" / "outputs.jsonl"
    directory.add_output(json.dumps(OUTPUT))
    with file.open("a") as opened:
        opened.write(json.dumps(OUTPUT)[:20])
    directory.add_output(json.dumps({**OUTPUT, "args": [2]}))
    with file.open("ab") as damaged:
        damaged.write(b'\xff\n[]\n{"of": 3}\n')
    assert [output["args"] for output in kept(directory)] == [[1], [2]]


def test_a_directory_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="cannot be written"):
        JobDirectory(tmp_path, "jobs/m.learn/1").add_output("{}")


@pytest.mark.parametrize("change", [{"of": 1}, {"identity": None}, {"args": {}}, {"kwargs": {}}, {"kwargs": None}])
def test_what_has_another_form_is_no_output(change: dict[str, Any]) -> None:
    assert is_output(OUTPUT)
    assert not is_output({**OUTPUT, **change})


def test_paths_are_those_of_this_machine(directory: JobDirectory, tmp_path: Path) -> None:
    told = [{"path": "a/b", "in": "job"}, {"path": "c", "in": "workspace"}, {"path": "/d", "in": ""}]
    args, _ = arguments({**OUTPUT, "args": told}, directory)
    assert args == [directory.path / "a/b", tmp_path / "c", Path("/d")]


@pytest.mark.parametrize(
    "told",
    [{"path": "../a", "in": "job"}, {"path": "/a", "in": "job"}, {"path": "a", "in": ""}, {"path": "a", "in": "x"}],
)
def test_paths_that_lead_elsewhere_are_refused(directory: JobDirectory, told: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="leads elsewhere"):
        arguments({**OUTPUT, "args": [told]}, directory)
