"""Generated paths of configurations that belong to tasks: found where the task that has them wrote them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from xpm_core.config import Config, Meta, Param, PathGenerator, Task, field, outputs, state_of
from xpm_core.identity import seal
from xpm_core.wire import live_task, payload


class Result(Config):
    note: Param[str]
    file: Meta[Path] = field(default_factory=PathGenerator("result.txt"))


class Produce(Task):
    result: Param[Result]

    def task_outputs(self, dep: Callable[[Any], Any]) -> Any:
        return dep(self.result)

    def execute(self) -> None:
        self.result.file.write_text(self.result.note)


class Consume(Task):
    result: Param[Result]

    def execute(self) -> None:
        Path(self.__taskdir__, "consumed.txt").write_text(self.result.file.read_text())


def run(task: Task, workspace: Path) -> Path:
    """What a worker does with a task; returns the job's directory."""
    jobpath = workspace / "jobs" / type(task).__name__.lower() / seal(task)
    jobpath.mkdir(parents=True)
    data = payload.pack(task, workspace)
    live_task.execute(payload.load(data, workspace=workspace, identity=seal(task), jobpath=jobpath))
    state_of(task).submitted = SimpleNamespace(jobpath=jobpath, where="here:1")
    return jobpath


def test_a_job_finds_the_folders_of_its_nested_generated_paths(tmp_path: Path) -> None:
    jobpath = run(Produce.C(result=Result.C(note="made")), tmp_path)
    assert (jobpath / "out" / "result" / "result.txt").read_text() == "made"


def test_a_tasks_output_is_read_where_the_task_wrote_it(tmp_path: Path) -> None:
    produce = Produce.C(result=Result.C(note="made"))
    made = run(produce, tmp_path)
    result = outputs(produce)
    taken = run(Consume.C(result=result), tmp_path)
    assert (taken / "consumed.txt").read_text() == "made"
    assert result.file == made / "out" / "result" / "result.txt"
