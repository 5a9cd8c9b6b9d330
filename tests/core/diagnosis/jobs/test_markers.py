"""Markers: each fault is found, and mended only if server and records prove what is right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.diagnosis.jobs import markers
from xpm_core.diagnosis.patient import Patient
from xpm_core.labels import short
from xpm_core.reading.look import View
from xpm_core.states import State
from xpm_core.workspace.job_records import marker_text

if TYPE_CHECKING:
    from conftest import Doctor

pytestmark = pytest.mark.redis

SUBJECT = "jobs"
Damage = Callable[[Lab], object]


def files(lab: Lab, name: str) -> Path:
    return lab.directory(name).path / ".xpm"


def record_of(lab: Lab, name: str) -> Path:
    [found] = (files(lab, name) / "executions").iterdir()
    return found


def write(lab: Lab, name: str, kind: str, content: bytes) -> None:
    (files(lab, name) / kind).write_bytes(content)


MENDED: dict[str, tuple[str, Damage]] = {
    "done without marker": ("without a marker", lambda lab: (files(lab, "good") / "done").unlink()),
    "failed without marker": ("without a marker", lambda lab: (files(lab, "bad") / "failed").unlink()),
    "an empty marker": ("damaged marker", lambda lab: write(lab, "good", "done", b"")),
    "a torn marker": ("damaged marker", lambda lab: write(lab, "bad", "failed", b'{"exec')),
    "both markers": ("both markers", lambda lab: write(lab, "good", "failed", marker_text("other"))),
    "another execution": ("another execution", lambda lab: write(lab, "good", "done", marker_text("other"))),
    "the other marker": (
        "something else than the server",
        lambda lab: (files(lab, "good") / "done").rename(files(lab, "good") / "failed"),
    ),
}
"""Faults that the records prove: what is said, and how they come about."""

KEPT: dict[str, tuple[str, Damage]] = {
    "directory gone": ("the directory is gone", lambda lab: shutil.rmtree(lab.directory("good").path)),
    "no marker and no record": (
        "without a marker",
        lambda lab: (record_of(lab, "good").unlink(), (files(lab, "good") / "done").unlink()),
    ),
    "no marker, and a record that says failed": (
        "without a marker",
        lambda lab: (
            record_of(lab, "good").write_text('{"reason": "failed"}'),
            (files(lab, "good") / "done").unlink(),
        ),
    ),
    "torn marker and torn record": (
        "damaged marker",
        lambda lab: (write(lab, "good", "done", b"{"), record_of(lab, "good").write_text("{")),
    ),
}
"""Faults that nothing proves: they stay, with what to do."""


def add_record(lab: Lab, name: str, content: str) -> None:
    """A record of a later attempt, which the server does not know."""
    (files(lab, name) / "executions" / "2-later.json").write_text(content)


@pytest.fixture
def ended(lab: Lab) -> Lab:
    lab.end("good")
    lab.end("bad", State.FAILED, ERROR)
    return lab


def names_in(lab: Lab) -> dict[str, list[str]]:
    return {name: sorted(path.name for path in files(lab, name).glob("[df]*")) for name in ("good", "bad")}


def test_right_markers_are_no_fault(ended: Lab, doctor: Doctor) -> None:
    assert doctor().levels(SUBJECT) == ["ok"]


@pytest.mark.parametrize("name", MENDED)
def test_marker_that_the_record_proves_is_written_anew(ended: Lab, doctor: Doctor, name: str) -> None:
    said, damage = MENDED[name]
    before = {kind: (files(ended, job) / kind).read_bytes() for job, kind in (("good", "done"), ("bad", "failed"))}
    damage(ended)
    found = doctor().about(SUBJECT)
    assert said in found["text"]
    assert found["remedy"] == "xpm doctor --repair"
    mended = doctor("--repair")
    assert (mended.code, mended.levels(SUBJECT)) == (0, ["mended", "ok"])
    assert names_in(ended) == {"good": ["done"], "bad": ["failed"]}
    after = {kind: (files(ended, job) / kind).read_bytes() for job, kind in (("good", "done"), ("bad", "failed"))}
    assert after == before
    assert doctor("--repair").levels(SUBJECT) == ["ok"]


@pytest.mark.parametrize("name", KEPT)
def test_result_that_nothing_proves_is_not_invented(ended: Lab, doctor: Doctor, name: str) -> None:
    said, damage = KEPT[name]
    damage(ended)
    before = sorted(files(ended, "good").rglob("*"))
    found = doctor("--repair")
    assert found.code == 1
    assert said in found.about(SUBJECT)["text"]
    assert short(ended.identity("good")) in found.about(SUBJECT)["text"]
    assert "run their script again" in found.about(SUBJECT)["remedy"]
    assert sorted(files(ended, "good").rglob("*")) == before


def test_marker_without_a_record_is_a_warning(ended: Lab, doctor: Doctor) -> None:
    record_of(ended, "good").unlink()
    found = doctor()
    assert (found.code, found.about(SUBJECT)["level"]) == (0, "warning")
    assert "no record" in found.about(SUBJECT)["text"]


def test_job_that_the_server_forgot_is_judged_by_its_newest_record(ended: Lab, doctor: Doctor) -> None:
    ended.client.flushall()
    write(ended, "good", "done", b"")
    write(ended, "bad", "done", b"")  # its record says failed: both markers are there, and `failed` is right
    assert sorted(doctor().levels(SUBJECT)) == ["error", "error"]
    assert doctor("--repair").levels(SUBJECT) == ["mended", "mended", "ok"]
    assert names_in(ended) == {"good": ["done"], "bad": ["failed"]}
    assert ended.directory("good").adoptable() is not None


def test_torn_marker_that_the_newest_record_contradicts_stays(ended: Lab, doctor: Doctor) -> None:
    ended.client.flushall()
    (files(ended, "bad") / "failed").unlink()
    write(ended, "bad", "done", b"")
    found = doctor("--repair")
    assert (found.code, found.levels(SUBJECT)) == (1, ["error"])
    assert (files(ended, "bad") / "done").read_bytes() == b""


def test_result_with_a_newer_record_than_the_servers_is_not_marked(ended: Lab, doctor: Doctor) -> None:
    add_record(ended, "good", '{"reason": "done"}')
    write(ended, "good", "done", marker_text("later"))
    found = doctor("--repair")
    assert (found.code, found.about(SUBJECT)["repairable"]) == (1, False)
    assert "another execution" in found.about(SUBJECT)["text"]
    assert (files(ended, "good") / "done").read_bytes() == marker_text("later")


@pytest.mark.parametrize("reason", ["released", "lost", "refused", "cancelled"])
def test_record_that_is_no_end_proves_nothing_of_a_forgotten_job(ended: Lab, doctor: Doctor, reason: str) -> None:
    ended.client.flushall()
    add_record(ended, "bad", f'{{"reason": "{reason}"}}')
    write(ended, "bad", "done", b"")
    assert doctor("--repair").levels(SUBJECT) == ["error"]
    assert names_in(ended)["bad"] == ["done", "failed"]


def test_failure_before_the_directory_was_entered_leaves_the_marker_of_before(ended: Lab, doctor: Doctor) -> None:
    ended.join()
    ended.store.retry(ended.identity("bad"))
    ended.store.finish(ended.worker, ended.claim(ended.identity("bad")), State.FAILED, error=ERROR)
    assert doctor().levels(SUBJECT) == ["ok"]


def test_without_the_server_markers_are_not_written(ended: Lab, doctor: Doctor) -> None:
    write(ended, "good", "done", b"")
    found = doctor("--repair", away=True)
    assert found.levels(SUBJECT) == ["error", "unknown"]
    assert (files(ended, "good") / "done").read_bytes() == b""


def test_marker_of_a_job_that_is_retried_meanwhile_is_not_written(ended: Lab, redis_url: str) -> None:
    (files(ended, "bad") / "failed").unlink()
    with View(ended.workspace, redis_url) as view:
        [finding] = markers.check(Patient(view))
        assert finding.mend is not None
        ended.store.retry(ended.identity("bad"))
        assert finding.mend().startswith("0 markers written anew")
    assert names_in(ended)["bad"] == []


def test_marker_of_a_job_that_is_retried_in_that_moment_is_taken_back(
    ended: Lab, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files(ended, "bad") / "failed").unlink()
    read = Patient.read

    def retried_after(patient: Patient, identities: list[str]) -> object:
        found = read(patient, identities)
        ended.store.retry(ended.identity("bad"))
        return found

    with View(ended.workspace, redis_url) as view:
        [finding] = markers.check(Patient(view))
        assert finding.mend is not None
        monkeypatch.setattr(Patient, "read", retried_after)
        finding.mend()
    assert names_in(ended)["bad"] == []


def test_marker_that_a_worker_is_about_to_write_is_awaited(
    ended: Lab, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = files(ended, "good") / "done"
    content = marker.read_bytes()
    marker.unlink()
    monkeypatch.setattr(markers.time, "sleep", lambda _: marker.write_bytes(content))
    with View(ended.workspace, redis_url) as view:
        [finding] = markers.check(Patient(view))
    assert finding.level == "ok"


def test_marker_that_a_shared_file_system_may_hide_is_unknown(
    ended: Lab, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files(ended, "good") / "done").unlink()
    monkeypatch.setattr(markers, "is_shared", lambda _: True)
    with View(ended.workspace, redis_url) as view:
        [finding] = markers.check(Patient(view))
    assert (finding.level, finding.mend) == ("unknown", None)


def test_failed_job_that_never_had_a_directory_is_no_fault(lab: Lab, doctor: Doctor) -> None:
    lease = lab.start("early")
    lab.store.finish(lab.worker, lease, State.FAILED, error=ERROR)
    assert doctor().levels(SUBJECT) == ["ok"]


def test_job_whose_workers_were_lost_is_marked_as_failed(lab: Lab, doctor: Doctor) -> None:
    lease = lab.start("lost")
    lab.directory("lost").prepare(1)
    lab.client.hset(f"xpm:{lab.workspace.id}:job:{lease.identity}", "max_losses", 0)
    lab.store.lose(lease)
    assert "without a marker" in doctor().about(SUBJECT)["text"]
    assert doctor("--repair").levels(SUBJECT) == ["mended", "ok"]
    marker = lab.directory("lost").marker()
    assert marker == ("failed", lease.execution)
