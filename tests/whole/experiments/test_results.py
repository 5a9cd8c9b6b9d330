"""What jobs report, on its way to their directories, to the index, to later jobs and to scripts."""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path

import jobapi_tasks as tasks
import pytest
from helpers.daemons import Crew
from helpers.playground import Stage
from helpers.typed_commands import Shell
from helpers.waiting import wait_until

from xpm_core import Task, experiment, look
from xpm_core.errors import DryRunError, ExperimentError
from xpm_core.filters import Filter
from xpm_core.index.entries import End
from xpm_core.index.folders import ends_folder
from xpm_core.index.merged import MergedIndex
from xpm_core.results.foreign import ForeignImport, keep
from xpm_core.results.table import Row
from xpm_core.states import State
from xpm_core.workspace.reported.job_results import JobResults
from xpm_core.workspace.reported.results_file import Reported

pytestmark = pytest.mark.redis

ALL = {"loss.train": math.nan, "loss.test": 0.25, "accuracy": 0.5}
BAD = "model: expected a JSON value, got object"


def end_of(crew: Crew, task: Task) -> End:
    """How a task's job has ended, by the index. A worker writes it after it has told the server."""

    def end() -> End | None:
        entry = MergedIndex(crew.workspace.path).read().get(crew.job(task).identity)
        return entry and entry.end

    return wait_until(end, show=lambda: crew.explain(task))


def test_results_reach_the_directory_the_record_and_the_index(crew: Crew) -> None:
    crew.run(task := tasks.Reporting.C(note="x"))
    found = JobResults(crew.directory(task).path)
    assert (repr(dict(found["loss"])), found["accuracy"]) == ("{'train': nan, 'test': 0.25}", 0.5)
    assert (list(found.files), found.problems) == (["model.bin"], [BAD])
    record = crew.record(task)
    assert (record["files"], record["result_problems"]) == (["model.bin"], [BAD])
    assert repr(end_of(crew, task).results) == repr(ALL)
    assert f"xpm: not kept as a result: {BAD}" in crew.directory(task).err.read_text()
    lines = [json.loads(line) for line in (crew.directory(task).path / "metrics.jsonl").read_text().splitlines()]
    assert [each.get("step") for each in lines] == [None, 0, 1, 2]
    assert lines[0]["xpm_execution"] == end_of(crew, task).execution


def test_a_job_that_is_killed_keeps_what_it_had_reported(crew: Crew, tmp_path: Path) -> None:
    crew.started()
    crew.submit(task := tasks.Reporting.C(note="x", until=tmp_path / "never"))
    file = crew.directory(task).path / "pid"
    wait_until(lambda: file.exists() and file.read_text(), show=lambda: crew.explain(task))
    pid = int((crew.directory(task).path / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    crew.wait(task, State.FAILED)
    assert end_of(crew, task).state == "failed"
    assert repr(end_of(crew, task).results) == repr({name: ALL[name] for name in ("loss.train", "loss.test")})


def test_a_later_job_and_the_script_read_them(stage: Stage) -> None:
    with experiment(stage.workspace.path, "results", redis=stage.url) as xp:
        first = tasks.Reporting.C(note="later").submit()
        second = tasks.Using.C(first=first).submit()
        xp.wait()
    entries = MergedIndex(stage.workspace.path).read()
    ends = [entry.end for entry in entries.values() if entry.task == "jobapi_tasks:Using"]
    assert [end.results for end in ends if end is not None] == [{"result": 1.25}]
    assert (first.results["accuracy"], dict(second.results)) == (0.5, {"result": 1.25})
    with look(stage.workspace.path, redis=stage.url) as view:
        _, task = view.experiment("results").run("latest").tasks()
        assert dict(task.results) == {"result": 1.25}


def test_a_task_before_the_job_s_own_reports_as_the_job(stage: Stage) -> None:
    with experiment(stage.workspace.path, "warm", redis=stage.url) as xp:
        task = tasks.Reporting.C(note="warmed").submit(init_tasks=[tasks.Warming.C(degrees=40)])
        xp.wait()
    assert (task.results["degrees"], list(task.results.files)) == (40, ["warm.bin", "model.bin"])
    text = (task.jobpath / "metrics.jsonl").read_text()
    assert [json.loads(line).get("step") for line in text.splitlines()] == [None, -1, 0, 1, 2]


def test_threads_report_and_other_processes_are_warned(crew: Crew) -> None:
    crew.run(task := tasks.Spreading.C(note="x"))
    assert dict(JobResults(crew.directory(task).path)) == {"thread": 1}
    assert crew.directory(task).err.read_text().count("result() does nothing here: only the process of the job") == 2


def test_a_resumed_job_keeps_its_results_also_if_the_server_has_forgotten_its_attempts(crew: Crew) -> None:
    task = tasks.Resuming.C(note="x")
    directory = crew.directory(task)
    directory.write_record(directory.prepare(1), "earlier", {"reason": "failed"})
    Reported("earlier", {"epochs": 3}).write(directory)
    crew.run(task, State.FAILED, options={"resumable": True})
    wait_until(lambda: crew.job(task).identity in MergedIndex(crew.workspace.path).read())
    assert end_of(crew, task).results == {"epochs": 3}


def test_a_task_that_was_not_submitted_has_none(crew: Crew) -> None:
    crew.run(task := tasks.Using.C(first=tasks.Reporting.C(note="x")), State.FAILED)
    assert "Reporting.results: it was not submitted, but is part of the task that runs" in crew.explain(task)


def test_a_class_that_uses_the_names_keeps_them(crew: Crew) -> None:
    crew.run(task := tasks.Naming.C(result=3))
    assert (crew.directory(task).path / "out.txt").read_text() == "3 inherited x mine"
    crew.run(other := tasks.Assigning.C(note="own"))
    assert (crew.directory(other).path / "out.txt").read_text() == "own"


def test_a_script_has_the_table_of_its_own_jobs(stage: Stage) -> None:
    with experiment(stage.workspace.path, "earlier", redis=stage.url):
        tasks.Reporting.C(note="elsewhere").submit()
    with experiment(stage.workspace.path, "own", redis=stage.url) as xp:
        first = tasks.Reporting.C(note="one").tag("note", "one").submit()
        tasks.Using.C(first=first).submit()
        tasks.Reporting.C(note="two").tag("note", "two").submit()
        assert xp.wait()
        table = xp.results("task=Reporting and accuracy>0.1")
        assert [(row["note"], row["accuracy"], row.state) for row in table] == [
            ("one", 0.5, State.DONE),
            ("two", 0.5, State.DONE),
        ]
        assert {row.identity for row in xp.results()} == {row.identity for row in look_at(stage, "own")}
        silent = tasks.Holding.C(names=[]).submit()
        assert xp.wait()
        for empty in ("", "  ", Filter()):
            assert silent.identity not in {row.identity for row in xp.results(empty)}
            assert silent.identity not in {row.identity for row in look_at(stage, "own", empty)}
    after = xp.results("task=Using")  # also when the block has ended
    assert [row["result"] for row in after] == [1.25]
    assert [row["accuracy"] for row in look_at(stage, "own", "accuracy!=none")] == [0.5, 0.5]


def test_foreign_rows_come_after_the_jobs_of_a_run(stage: Stage) -> None:
    run = {"id": f"csv:{1:064x}", "params": {"note": "old", "width": 3}, "tags": {}, "results": {"accuracy": 0.25}}
    source = ForeignImport("old.csv", "csv", "beside", "old.csv", "/old.csv", "0" * 64, 1e9, "ana", 1)
    keep(stage.workspace.path, source, [run])
    with experiment(stage.workspace.path, "beside", redis=stage.url) as xp:
        tasks.Reporting.C(note="new").tag("note", "new").submit()
        assert xp.wait()
        for table in (xp.results(), look_at(stage, "beside")):
            assert [(row["note"], row["accuracy"], row["foreign"]) for row in table] == [
                ("new", 0.5, None),
                ("old", 0.25, "old.csv"),
            ]
        assert [row["foreign"] for row in xp.results("width=3")] == ["old.csv"]
        assert [note.partition(",")[0] for note in xp.results().notes] == ["1 row is foreign: old.csv"]


def look_at(stage: Stage, name: str, filter: str | Filter = "") -> list[Row]:
    with look(stage.workspace.path, redis=stage.url) as view:
        return list(view.results(name, filter))


def test_a_table_says_which_jobs_have_not_ended(crew: Crew, tmp_path: Path, redis_url: str) -> None:
    crew.started()
    with experiment(crew.workspace.path, "results", redis=redis_url) as xp:
        task = tasks.Reporting.C(note="x", until=tmp_path / "go").submit()
        wait_until(lambda: xp.tracker.states()[task.identity] is State.RUNNING)
        table = xp.results("state=running")
        assert all(row.worker for row in table)
        assert "Not all jobs have ended: 1 running." in table.notes
        (tmp_path / "go").touch()


def test_a_table_of_a_run_does_not_wait_for_the_index(crew: Crew, redis_url: str) -> None:
    """A worker writes the index after it has told the server: until then, the job's directory says what is known."""
    crew.started()
    with experiment(crew.workspace.path, "results", redis=redis_url) as xp:
        tasks.Reporting.C(note="x").submit()
        xp.wait()
        wait_until(lambda: MergedIndex(crew.workspace.path).read())
        for file in ends_folder(crew.workspace.path).iterdir():
            file.write_bytes(b"")
        (row,) = xp.results()
        assert (row["accuracy"], row.state, row.host) == (0.5, State.DONE, row.job.host)
        assert row.host


def test_a_dry_run_and_an_experiment_that_was_never_open_have_no_table(stage: Stage) -> None:
    with pytest.raises(ExperimentError, match="is not open"):
        experiment(stage.workspace.path, "results").results()
    with (
        pytest.raises(DryRunError, match=r"asks for xp\.results"),
        experiment(stage.workspace.path, "results", redis=stage.url, dry_run=True) as xp,
    ):
        xp.results()


def test_a_retry_of_a_done_job_replaces_its_results(crew: Crew, tmp_path: Path, redis_url: str) -> None:
    log = tmp_path / "log"
    crew.started()
    crew.submit(task := tasks.Counting.C(log=log))
    crew.wait(task)
    wait_until(lambda: crew.job(task).identity in MergedIndex(crew.workspace.path).read())
    assert end_of(crew, task).results == {"result": 1}
    identity = crew.directory(task).identity
    done = crew.record(task)["execution"]
    shell = Shell(crew.workspace.path, redis_url, tmp_path / "home")
    shell.run("retry", identity, "--yes")
    wait_until(lambda: end_of(crew, task).execution not in ("", done), show=lambda: crew.explain(task))
    assert end_of(crew, task).results == {"result": 2}
    assert dict(JobResults(crew.directory(task).path)) == {"result": 2}
    assert json.loads(shell.run("jobs", "-o", "json").stdout)["jobs"][0]["results"] == {"result": 2}
