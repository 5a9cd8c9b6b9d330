"""`log`: lines of metrics, at once, whatever the job's code does."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import pytest
from helpers.reporting_jobs import ReportingJob

from xpm_core import log
from xpm_core.job import running
from xpm_core.job.reporting import metrics, results


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
    assert lines(job) == [{"execution": "first"}, {"step": 0, "loss": 0.5}]
    log(1, loss=math.nan, accuracy=Scalar(), phase="warm", at=7)
    log(loss={"train": 1, "test": -math.inf})
    assert lines(job)[2:] == [
        {"step": 1, "loss": None, "accuracy": 0.25, "phase": "warm", "not_finite": {"loss": "nan"}},
        {"loss.train": 1, "loss.test": None, "not_finite": {"loss.test": "-inf"}},
    ]


def test_what_is_no_metric_is_left_out_and_said(job: ReportingJob) -> None:
    log(step=0, loss=0.5, model=object(), sizes=[1, 2])
    log(step=1, model=object())
    log(step=2, text="x" * 70_000)
    assert lines(job) == [{"execution": "first"}, {"step": 0, "loss": 0.5}]
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
    assert json.loads(text[3])["execution"] == "second"
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
