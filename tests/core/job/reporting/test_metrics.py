"""`log`: lines of metrics, at once, whatever the job's code does."""

from __future__ import annotations

import json
import math
import os
import threading
from typing import Any

import pytest
from helpers.reporting_jobs import ReportingJob

from xpm_core import log, output, result
from xpm_core.job import running
from xpm_core.job.reporting import metrics, results
from xpm_core.results.curves import curves
from xpm_core.results.latest import latest_metrics


def lines(job: ReportingJob) -> list[dict[str, Any]]:
    """The lines of the file, without their times."""
    text = (job.path / "metrics.jsonl").read_text()
    assert text.endswith("\n")
    found = [json.loads(line, parse_constant=lambda word: pytest.fail(word)) for line in text.splitlines() if line]
    assert all(isinstance(each.pop("at"), (int, float)) for each in found)
    return found


class Scalar:
    shape = ()

    def item(self) -> float:
        return 0.25


def test_each_call_is_a_line_that_is_there_at_once(job: ReportingJob) -> None:
    log(step=0, loss=0.5)
    assert lines(job) == [{"xpm_execution": "first"}, {"step": 0, "loss": 0.5}]
    log(1, loss=math.nan, accuracy=Scalar(), phase="warm")
    log(loss={"train": 1, "test": -math.inf})
    assert lines(job)[2:] == [
        {"step": 1, "loss": None, "accuracy": 0.25, "phase": "warm", "not_finite": {"loss": "nan"}},
        {"loss.train": 1, "loss.test": None, "not_finite": {"loss.test": "-inf"}},
    ]


def test_what_is_no_metric_is_left_out_and_said(job: ReportingJob) -> None:
    log(step=0, loss=0.5, model=object(), sizes=[1, 2])
    log(step=1, model=object())
    log(step=2, text="x" * 70_000)
    log(step=3, sizes=(1, 2))
    assert lines(job) == [{"xpm_execution": "first"}, {"step": 0, "loss": 0.5}]
    *first, last = results.summary()["result_problems"]
    assert first == [
        "log(): model: expected a JSON value, got object",
        "log(): sizes: a list is no metric: expected a number",
    ]
    assert last.endswith("bytes: expected at most 64000")


def test_a_line_that_was_cut_gets_an_end(job: ReportingJob) -> None:
    log(step=0, loss=0.5)
    with (job.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 1, "lo')
    job.begin("second")
    log(step=1, loss=0.25)
    text = (job.path / "metrics.jsonl").read_text().splitlines()
    assert text[2] == '{"step": 1, "lo'
    assert json.loads(text[3])["xpm_execution"] == "second"
    assert json.loads(text[4])["loss"] == 0.25


def test_a_descriptor_that_the_job_has_closed_harms_no_other_file(job: ReportingJob) -> None:
    log(step=0, loss=0.5)
    own = running.current
    assert own is not None
    assert own.metrics is not None
    os.close(own.metrics._fd)
    other = os.open(job.path / "other.bin", os.O_RDWR | os.O_CREAT)
    try:
        assert other == own.metrics._fd
        log(step=1, loss=0.25)
        assert os.fstat(other).st_size == 0
    finally:
        os.close(other)
    assert [each.get("step") for each in lines(job)] == [None, 0, None, 1]


def test_after_a_full_disk_the_next_line_is_whole(job: ReportingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    log(step=0, loss=0.5)
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:5]))
    log(step=1, loss=0.5)
    log(step=2, loss=0.5)
    monkeypatch.undo()
    job.begin("first")
    log(step=3, loss=0.5)
    assert (job.path / "metrics.jsonl").read_text().count('{"step": 3') == 1
    text = (job.path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(text[-1])["step"] == 3


def test_a_disk_that_is_full_for_a_while_loses_only_those_lines(
    job: ReportingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(step=0, loss=0.5)
    with monkeypatch.context() as full:
        write = os.write
        full.setattr(metrics.os, "write", lambda fd, data: write(fd, data[:5]) if data.startswith(b"{") else 0)
        log(step=1, loss=0.5)
        log(step=2, loss=0.5)
    log(step=3, loss=0.5)
    text = (job.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in text[1:] if line.endswith("}")] == [0, 3]
    assert results.summary()["result_problems"] == ["log(): metrics.jsonl lacks lines: the disk is full"]


def test_a_directory_that_is_gone_fails_nothing(job: ReportingJob) -> None:
    (job.path / ".xpm" / "executions").rmdir()
    (job.path / ".xpm").rmdir()
    job.path.rmdir()
    log(step=0, loss=0.5)
    assert len(results.summary()["result_problems"]) == 2


def test_outside_of_a_job_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "current", None)
    log(step=0, loss=object())


def test_a_forked_process_writes_nothing_and_is_warned(job: ReportingJob) -> None:
    log(step=0, loss=0.5)
    job.begin("first").pid = os.getppid()
    with pytest.warns(UserWarning, match=r"log\(\) does nothing here"):
        log(step=1, loss=0.5)
    assert len(lines(job)) == 2


def test_a_metric_may_be_called_execution(job: ReportingJob) -> None:
    log(execution=0.71)
    log(execution="e1")
    assert lines(job)[1:] == [{"execution": 0.71}, {"execution": "e1"}]
    assert latest_metrics(job.path).values["execution"].value == "e1"
    assert curves(job.path)["execution"] == [(0, 0.71)]


def test_names_that_are_taken_are_no_metrics_and_this_is_said(job: ReportingJob) -> None:
    log(step=0, loss=0.5, at=3.0, not_finite={"loss": "nan"}, xpm_execution="other")
    assert lines(job) == [{"xpm_execution": "first"}, {"step": 0, "loss": 0.5}]
    problems = results.summary()["result_problems"]
    assert [each.split(":")[1].strip() for each in problems] == ["at", "not_finite", "xpm_execution"]


def test_no_line_is_written_before_the_one_that_says_which_execution_begins(
    job: ReportingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in range(4):
        log(step=step, loss=1.0)
    job.begin("second")
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda fd, data: 0)
        log(step=1, loss=2.0)
    log(step=2, loss=2.0)
    assert [each["xpm_execution"] for each in lines(job) if "xpm_execution" in each] == ["first", "second"]
    assert curves(job.path)["loss"] == [(0, 1.0), (1, 1.0), (2, 2.0)]


def test_threads_that_log_at_once_begin_one_execution(job: ReportingJob) -> None:
    ready = threading.Barrier(8)

    def work(number: int) -> None:
        ready.wait()
        for step in range(50):
            log(step=step, **{f"m{number}": number})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    found = lines(job)
    assert [each for each in found if "step" not in each] == [{"xpm_execution": "first"}]
    assert len(found) == 401


def test_a_process_that_the_job_has_started_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one for each GPU: what it reports is lost, and nobody would know it."""
    monkeypatch.setattr(running, "current", None)
    monkeypatch.setattr(results, "_warned", set())
    monkeypatch.setenv(running.JOB_VARIABLE, "0" * 64)
    for report in (lambda: log(step=1, loss=0.5), lambda: result("accuracy", 0.5), lambda: output("x")):
        with pytest.warns(UserWarning, match=r"\(\) does nothing here"):
            report()
        report()


def test_a_job_that_makes_errors_of_warnings_is_not_failed_by_them(
    job: ReportingJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "_warned", set())
    job.begin("first").pid = os.getppid()
    log(step=1, loss=0.5)  # pytest does so
    assert "log() does nothing here" in capsys.readouterr().err
