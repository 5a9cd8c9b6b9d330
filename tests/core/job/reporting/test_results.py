"""`result`, `output` and what `execute` returns, as the job that runs in this process reports them."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.reporting_jobs import ReportingJob
from helpers.waiting import PATIENCE_S

from xpm_core import Task, output, result
from xpm_core.errors import UnknownResultError, WorkspaceError
from xpm_core.job import running
from xpm_core.job.reporting import results
from xpm_core.language.graph.state import state_of
from xpm_core.states import State
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.reported import results_file
from xpm_core.workspace.reported.job_results import JobResults
from xpm_core.workspace.reported.results_file import Reported, checked, results_form, results_in
from xpm_worker.protocol.codec import LARGEST_REPORT, encode
from xpm_worker.protocol.messages import ResultsReported


def file(job: ReportingJob) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((job.path / "results.json").read_bytes())
    return found


def test_a_result_is_in_the_file_at_once(job: ReportingJob) -> None:
    result("accuracy", 0.5)
    result("loss", {"train": math.inf, "test": 0.25})
    result("accuracy", 0.75)
    assert file(job) == {
        "schema": 1,
        "execution": "first",
        "results": {"accuracy": 0.75, "loss": {"train": None, "test": 0.25}},
        "not_finite": {"loss.train": "inf"},
    }
    assert results.summary() == {
        "results": {"accuracy": 0.75, "loss.train": None, "loss.test": 0.25},
        "not_finite": {"loss.train": "inf"},
    }
    result("loss", 0.5)
    assert "not_finite" not in file(job)


def test_many_results_are_written_at_the_end(job: ReportingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MANY", 3)
    monkeypatch.setattr(results, "PAUSE_S", 3600.0)
    for number in range(10):
        result(f"r{number}", number)
    assert len(file(job)["results"]) == 3
    results.summary()
    assert len(file(job)["results"]) == 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {}),
        ({}, {}),
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 2}}),
        (0.5, {"result": 0.5}),
        ([1, 2], {"result": [1, 2]}),
        ({1: "x"}, {"1": "x"}),
        ({"a": 1, "b": object()}, {"a": 1}),
        (object(), {}),
        ({(1, 2): 3, "a": 1}, {"a": 1}),
    ],
)
def test_what_execute_returns_are_results(job: ReportingJob, value: Any, expected: dict[str, Any]) -> None:
    results.returned(value)
    results.summary()
    assert dict(JobResults(job.path)) == expected


class Hostile(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        raise RuntimeError("no items today")

    def __iter__(self) -> Any:
        raise RuntimeError("no items today")

    def __len__(self) -> int:
        return 1


class Number:
    shape = ()

    def item(self) -> Any:
        raise RuntimeError("CUDA error")


def test_nothing_that_is_reported_fails_the_job(job: ReportingJob, capsys: pytest.CaptureFixture[str]) -> None:
    results.returned(Hostile())
    result("x", Number())
    result("model", {"weights": object()})
    result("model", {"weights": object()})
    result("", 1)
    result(3, 1)  # type: ignore[arg-type]
    result("text", "x" * 2_000_000)
    problems = results.summary()["result_problems"]
    assert problems == file(job)["problems"]
    assert problems == [
        "what execute returned: RuntimeError: no items today",
        "x: RuntimeError: CUDA error",
        "model.weights: expected a JSON value, got object",
        "'': expected a name for the result",
        "3: expected a name for the result",
        "text: it takes 2000002 characters: expected at most 1000000; keep it in a file",
    ]
    assert capsys.readouterr().err.splitlines() == [f"xpm: not kept as a result: {each}" for each in problems]


def test_a_full_disk_is_said_and_fails_nothing(job: ReportingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **options: Any) -> None:
        raise WorkspaceError("results.json", "cannot be written: no space left", "Make room.")

    monkeypatch.setattr(results_file, "write_atomic", full)
    result("accuracy", 0.5)
    found = results.summary()
    assert found["results"] == {"accuracy": 0.5}
    assert "no space left" in found["result_problems"][0]


def test_a_file_is_announced_and_its_folder_made(job: ReportingJob, tmp_path: Path) -> None:
    path = output("models/best.bin")
    path.write_bytes(b"1")
    assert output(job.path / "models/best.bin") == path == job.path / "models" / "best.bin"
    assert JobResults(job.path).files == {"models/best.bin": path}
    output("../elsewhere")
    output(tmp_path / "x")
    assert results.summary()["files"] == ["models/best.bin"]
    assert len(results.summary()["result_problems"]) == 2


def test_outside_of_a_job_nothing_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(running, "current", None)
    monkeypatch.setattr(results, "_latest", None)
    monkeypatch.chdir(tmp_path)
    result("accuracy", object())
    assert output("a/b.bin") == Path("a/b.bin")
    results.returned({"a": 1})
    assert results.summary() == {}
    assert list(tmp_path.iterdir()) == []


def test_a_forked_process_reports_nothing_and_is_warned(job: ReportingJob) -> None:
    result("accuracy", 0.5)
    job.begin("first").pid = os.getppid()
    with pytest.warns(UserWarning, match=r"result\(\) does nothing here: only the process of the job itself reports"):
        result("accuracy", 0.9)
    assert file(job)["results"] == {"accuracy": 0.5}


def test_a_resumed_execution_keeps_what_was_reported(job: ReportingJob) -> None:
    result("epochs", 3)
    result("bad", object())
    job.begin("second")
    result("accuracy", 0.5)
    assert (file(job)["execution"], file(job)["results"]) == ("second", {"epochs": 3, "accuracy": 0.5})
    job.begin("third")
    results.resume()
    assert file(job)["execution"] == "third", "at once: it may be killed before it reports anything"
    assert results.summary() == {"results": {"epochs": 3, "accuracy": 0.5}}
    assert file(job)["execution"] == "third"


def test_of_very_many_results_the_least_deep_reach_the_tables_and_this_is_said(job: ReportingJob) -> None:
    result("confusion", {f"{number}": {"hits": number, "list": [1]} for number in range(300)})
    results.returned({"accuracy": 0.5, "loss": {"test": 0.25}})
    found = results.summary()
    assert len(found["results"]) == 200
    assert (found["results"]["accuracy"], found["results"]["loss.test"]) == (0.5, 0.25)
    assert found["result_problems"] == ["too many results for tables: results.json alone has 102 of them"]
    assert len(JobResults(job.path)["confusion"]) == 300
    result("confusion", None)
    assert (results.summary()["results"]["accuracy"], len(results.summary()["results"])) == (0.5, 3)


def test_a_signal_handler_may_report_while_something_is_written(
    job: ReportingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Reported.write

    def interrupted(reported: Reported, directory: JobDirectory) -> None:
        monkeypatch.setattr(Reported, "write", write)
        result("checkpoint", 3)
        write(reported, directory)

    monkeypatch.setattr(Reported, "write", interrupted)
    thread = threading.Thread(target=result, args=("accuracy", 0.5), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), "it waits for itself"
    assert file(job)["results"] == {"accuracy": 0.5, "checkpoint": 3}


def test_names_of_files_that_are_none_fail_nothing(job: ReportingJob) -> None:
    assert output(3) == job.path / "3"  # type: ignore[arg-type]
    output("a\0/b")
    output("x" * 600)
    assert results.summary()["files"] == ["3", "a\0/b"]
    assert len(results.summary()["result_problems"]) == 3


def test_a_summary_is_small_enough_for_a_message_however_many_files_there_are(job: ReportingJob) -> None:
    for number in range(1010):
        results.of_this_process("output").add_file(f"{number:04}" + "\N{SNOWMAN}" * 400)  # type: ignore[union-attr]
    assert len(file(job)["files"]) == 1000
    encode(ResultsReported(results.summary()), LARGEST_REPORT)
    (problem,) = results.summary()["result_problems"]
    assert "not listed: expected at most 1000 files" in problem


# -- reading -----------------------------------------------------------------------------------------------------------


def test_a_missing_result_is_named_with_those_that_are_there(job: ReportingJob) -> None:
    result("accuracy", 0.5)
    result("loss", {"test": 0.1})
    found = JobResults(job.path)
    assert (found["loss.test"], found.get("nothing", 3), "nothing" in found, len(found)) == (0.1, 3, False, 2)
    with pytest.raises(UnknownResultError, match=r"has no result 'acuracy'. Did you mean 'accuracy'\? There are: acc"):
        found["acuracy"]
    with pytest.raises(KeyError, match=r"has no result 'loss.train'"):
        found["loss.train"]


def test_a_job_that_has_reported_nothing(tmp_path: Path) -> None:
    found = JobResults(tmp_path / "jobs" / "m.learn" / ("0" * 64))
    assert (dict(found), found.files, found.problems) == ({}, {}, [])
    with pytest.raises(UnknownResultError, match=r"nor any other\. Report it in execute"):
        found["accuracy"]


def test_a_job_that_is_to_run_again_has_none(job: ReportingJob) -> None:
    result("accuracy", 0.5)
    found = JobResults(job.path, State.READY)
    assert (dict(found), found.files) == ({}, {})
    with pytest.raises(UnknownResultError, match=r"has no result 'accuracy': the job is ready\. Wait for it"):
        found["accuracy"]


class Learn(Task):
    def execute(self) -> None: ...


@pytest.mark.parametrize("about", [{"state": State.READY}, {"state": State.DONE}, {}])
def test_a_script_reads_what_counts_and_a_later_job_what_is_there(job: ReportingJob, about: dict[str, State]) -> None:
    result("accuracy", 0.5)
    state_of(task := Learn.C()).submitted = SimpleNamespace(jobpath=job.path, **about)
    assert dict(task.results) == ({} if about.get("state") is State.READY else {"accuracy": 0.5})


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"schema": 2, "results": {}}', b'{"schema": 1, "results": []}', b"[" * 99999],
)
def test_a_damaged_file_counts_as_missing(job: ReportingJob, content: bytes) -> None:
    (job.path / "results.json").write_bytes(content)
    assert results_file.read(job.directory) is None
    result("accuracy", 0.5)
    assert file(job)["results"] == {"accuracy": 0.5}


def test_a_summary_is_checked_because_the_job_may_have_sent_anything() -> None:
    summary = {
        "results": {"a": 1, "b": [1], "c": {"d": 1}, 3: 4, "e": 2**80, "f": None},
        "not_finite": {"f": "nan", "a": 3, "g": "much"},
        "files": ["x", 3],
        "result_problems": "no list",
        "more_results": "yes",
        "state": "done",
    }
    assert checked(summary) == {"results": {"a": 1, "f": None}, "not_finite": {"f": "nan"}, "files": ["x"]}
    assert checked({"results": 3}) == {}


def test_the_forms_of_the_index_are_each_others_opposite() -> None:
    values = {"a": 0.5, "b": -math.inf, "c": None, "d": "x", "e": True}
    assert results_in(json.loads(json.dumps(results_form(values), allow_nan=False))) == values
    assert Reported(results={"a": None}, not_finite={"a": "nan"}).values["a"] != 0
