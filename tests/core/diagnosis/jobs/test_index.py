"""The index and the server's lists: what they lack is added, damaged lines go."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import PATIENCE_S

from xpm_core.diagnosis.jobs import index, markers
from xpm_core.index.entries import End
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import EndWriter, RemovalWriter
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import Store
from xpm_core.workspace.job_spec import Retries

if TYPE_CHECKING:
    from conftest import Doctor

pytestmark = pytest.mark.redis

SUBJECT = "index"


def index_files(lab: Lab) -> list[Path]:
    place = lab.workspace.path
    return [*place.glob("experiments/*/index/*.jsonl"), *place.glob(".xpm/index/*.jsonl")]


def test_damaged_lines_are_removed(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    for file in index_files(lab):
        with file.open("a") as stream:
            stream.write("torn\n")
    found = doctor()
    assert (found.code, found.levels(SUBJECT)) == (1, ["error", "error"])
    assert all("1 line cannot be read: " in each["text"] for each in found.faults)
    mended = doctor("--repair")
    assert mended.levels(SUBJECT) == ["mended", "ok"]
    assert any("2 damaged lines removed" in each["text"] for each in mended.findings)


def test_jobs_that_are_missing_are_added(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    for file in index_files(lab):
        file.unlink()
    found = doctor()
    assert (found.code, found.levels(SUBJECT)) == (1, ["error"])
    assert "it lacks something of 1 job" in found.about(SUBJECT)["text"]
    assert doctor("--repair").levels(SUBJECT) == ["mended", "ok"]
    assert doctor("--repair").levels(SUBJECT) == ["ok"]


def test_job_that_was_removed_and_whose_directory_was_put_back_is_added(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    RemovalWriter(lab.workspace.path, "me").add(lab.identity("a"), time.time())
    assert "it lacks something of 1 job" in doctor().about(SUBJECT)["text"]
    assert doctor("--repair").levels(SUBJECT) == ["mended", "ok"]
    entry = MergedIndex(lab.workspace.path).read()[lab.identity("a")]
    assert (entry.task, entry.state) == ("sweep:Train", State.DONE)


def test_jobs_without_a_directory_are_added_by_their_script(lab: Lab, doctor: Doctor) -> None:
    lab.submit("a")
    for file in index_files(lab):
        file.unlink()
    found = doctor("--repair").about(SUBJECT)
    assert found["text"] == "it lacks 1 job of the server: no directory has its parameters"
    assert (found["level"], found["remedy"]) == ("error", "run their script again, it adds them")


def test_jobs_whose_parameters_cannot_be_read_are_added_by_their_script(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    lab.directory("a").params.write_text("{")
    for file in index_files(lab):
        file.unlink()
    assert doctor("--repair").levels(SUBJECT) == ["mended", "error"]
    assert doctor().about(SUBJECT)["text"] == "it lacks 1 job of the server: no directory has its parameters"


def test_jobs_that_the_server_does_not_know_are_named(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    lab.client.flushall()
    found = [each["text"] for each in doctor().findings if each["subject"] == SUBJECT]
    assert any("1 job of it the server does not know" in text for text in found)


def test_a_cancellation_that_was_never_noted_is_added(lab: Lab, doctor: Doctor) -> None:
    """Whoever cancelled the job died between the server's answer and the line. It has no directory."""
    identity = lab.submit("a")
    Store(lab.client, lab.workspace.id).cancel(identity)
    found = doctor()
    assert (found.code, found.levels(SUBJECT)) == (1, ["error"])
    assert f"it lacks how 1 job ended, which the server knows: {identity[:7]}" in found.about(SUBJECT)["text"]
    assert doctor("--repair").levels(SUBJECT) == ["mended", "ok"]
    assert MergedIndex(lab.workspace.path).read()[identity].state is State.CANCELLED
    assert doctor().levels(SUBJECT) == ["ok"]


def test_a_cancelled_retry_that_was_never_noted_has_nothing_of_the_attempt_before(lab: Lab, doctor: Doctor) -> None:
    lab.end("a", State.FAILED, ERROR, results={"accuracy": 0.5})
    identity, store = lab.identity("a"), Store(lab.client, lab.workspace.id)
    store.retry(identity)
    store.cancel(identity)
    assert doctor("--repair").levels(SUBJECT) == ["mended", "ok"]
    end = MergedIndex(lab.workspace.path).read()[identity].end
    assert end == End(State.CANCELLED, end.ended_s if end is not None else 0.0)


def test_a_loss_that_was_never_noted_is_added(lab: Lab, doctor: Doctor) -> None:
    lease = lab.start("a", retries=Retries(max_losses=0))
    lab.store.lose(lease)
    lab.directory("a").prepare(1)
    doctor("--repair")
    end = MergedIndex(lab.workspace.path).read()[lease.identity].end
    assert end is not None
    assert (end.state, end.execution) == (State.FAILED, lease.execution)
    assert doctor().levels(SUBJECT) == ["ok"]


def test_an_end_that_a_late_line_of_a_retry_has_hidden_is_added(lab: Lab, doctor: Doctor) -> None:
    """An earlier xpm noted a retry late, when the job had run and ended."""
    lab.finish("a", lab.start("a"), results={"accuracy": 0.5}, started_s=time.time() - 1, ended_s=time.time())
    identity = lab.identity("a")
    EndWriter(lab.workspace.path, "xpm").again([identity], time.time() + 60)
    assert "it lacks how 1 job ended" in doctor().about(SUBJECT)["text"]
    assert doctor("--repair").levels(SUBJECT) == ["mended", "ok"]
    end = MergedIndex(lab.workspace.path).read()[identity].end
    assert end is not None
    assert (end.state, end.results) == (State.DONE, {"accuracy": 0.5})
    assert round(end.ended_s - end.started_s, 1) == 1.0, "it took as long as its record says"


def test_an_end_that_may_still_be_written_is_not_missing(
    lab: Lab, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine has written it, and the file system does not show it yet."""
    Store(lab.client, lab.workspace.id).cancel(lab.submit("a"))
    monkeypatch.setattr(index, "is_shared", lambda path: True)
    assert doctor().levels(SUBJECT) == ["ok"]
    monkeypatch.setattr(index, "LISTING_LAG_S", -60.0)
    assert doctor().levels(SUBJECT) == ["error"]


def test_an_end_that_is_written_while_the_doctor_looks_is_not_missing(
    lab: Lab, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = lab.submit("a")
    Store(lab.client, lab.workspace.id).cancel(identity)
    ends = EndWriter(lab.workspace.path, "xpm")
    monkeypatch.setattr(markers, "MOMENT_S", PATIENCE_S)
    monkeypatch.setattr(index.time, "sleep", lambda _: ends.cancelled([identity], time.time()))
    assert doctor().levels(SUBJECT) == ["ok"]


def test_lists_that_an_earlier_xpm_did_not_keep_are_made_whole(lab: Lab, doctor: Doctor) -> None:
    lab.end("bad", State.FAILED, ERROR)
    lab.end("good")
    lab.submit("after", "bad")
    failed = keys.listed(lab.workspace.id, "failed")
    lab.client.delete(failed)
    lab.client.zadd(failed, {lab.identity("good"): 1})
    found = doctor()
    assert (found.code, found.levels("lists")) == (1, ["error"])
    mended = doctor("--repair")
    assert (mended.code, mended.levels("lists")) == (0, ["mended", "ok"])
    assert lab.client.zrange(failed, 0, -1) == [lab.identity("bad").encode()]
