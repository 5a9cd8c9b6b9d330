"""What a job's directory says of an execution whose starter died."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from xpm_core.workspace.workspace import Workspace
from xpm_worker.slot.ends.reporter import Reporter

IDENTITY, EXECUTION = "a" * 64, "e" * 32


@pytest.fixture
def reporter() -> Reporter:
    claimer: Any = SimpleNamespace(worker=SimpleNamespace(host="node1", name="w"), lose=lambda held: False)
    nothing: Any = None
    return Reporter(claimer, nothing, nothing, nothing)


@pytest.fixture
def held() -> Any:
    lease = SimpleNamespace(execution=EXECUTION, attempt=2, spec=SimpleNamespace(task="train"))
    return SimpleNamespace(lease=lease, about={"code": "c"}, reported={})


def test_an_execution_has_a_record_although_its_starter_died_before_it_said_its_number(
    workspace: Workspace, reporter: Reporter, held: Any
) -> None:
    directory = workspace.job("train", IDENTITY)
    directory.prepare(2)
    reporter.lose(held, directory, 0, 0)
    [record] = directory.records()
    assert (record["number"], record["reason"], record["code"]) == (2, "lost", "c")


def test_an_execution_that_has_a_record_keeps_its_number(workspace: Workspace, reporter: Reporter, held: Any) -> None:
    directory = workspace.job("train", IDENTITY)
    directory.write_record(directory.prepare(1), EXECUTION, {"reason": "done"})
    reporter.lose(held, directory, 0, 0)
    assert [(record["number"], record["reason"]) for record in directory.records()] == [(1, "lost")]


def test_a_job_whose_starter_died_before_it_had_a_directory_gets_none(
    workspace: Workspace, reporter: Reporter, held: Any
) -> None:
    directory = workspace.job("train", IDENTITY)
    reporter.lose(held, directory, 0, 0)
    assert not directory.path.exists()
