"""Workers: whether they see this directory, which versions they run, their clocks, and what they leave behind."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.simulated_jobs import Lab

from xpm_core.diagnosis import mark
from xpm_core.diagnosis.mark import Mark, mark_file, versions
from xpm_core.diagnosis.patient import Patient
from xpm_core.diagnosis.surroundings import workers
from xpm_core.reading.server import server_time
from xpm_core.store import keys
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Doctor
    from helpers.daemons import Crew

pytestmark = pytest.mark.redis

SUBJECT = "worker node1-1"


@pytest.fixture
def joined(lab: Lab) -> Lab:
    lab.join()
    return lab


def noted(lab: Lab, **changes: Any) -> None:
    """Let the worker have noted another mark."""
    key = keys.worker(lab.workspace.id, lab.worker.name)
    found = Mark.read(lab.client.hget(key, "mark") or b"")
    assert found is not None
    lab.client.hset(key, "mark", replace(found, **changes).written())


def test_worker_in_this_directory_is_fine(joined: Lab, doctor: Doctor) -> None:
    assert doctor().faults == []
    assert doctor().levels("workers") == ["ok"]


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({"nonce": "other"}, "error", "another directory with the same id: "),
        ({"at_s": 9e9}, "error", "another directory with the same id: "),
        ({"problem": "permission denied"}, "error", "its mark cannot be read in "),
        ({"ahead_s": -100.0}, "warning", "the clock of node1 is 1 min 40 s behind the server's"),
        ({"free_bytes": 5 * 10**6}, "warning", "5 MB free in "),
        ({"versions": {**versions(), "python": "3.1.4"}}, "warning", "Python 3.1.4, you have "),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_mark_says_is_wrong_is_found(
    joined: Lab, doctor: Doctor, changes: dict[str, Any], level: str, said: str
) -> None:
    noted(joined, **changes)
    found = doctor()
    assert found.about(SUBJECT)["level"] == level
    assert said in found.about(SUBJECT)["text"]
    assert found.about(SUBJECT)["remedy"]
    assert found.code == (1 if level == "error" else 0)


def test_worker_of_another_version_is_a_warning(joined: Lab, doctor: Doctor) -> None:
    joined.client.hset(keys.worker(joined.workspace.id, joined.worker.name), "version", "0.0.3")
    found = doctor().about(SUBJECT)
    assert found["text"] == f"xpm 0.0.3, you have {versions()['xpm']}"
    assert found["remedy"] == "restart it with this version"


def test_worker_that_writes_no_mark_is_unknown(lab: Lab, doctor: Doctor) -> None:
    lab.store.join(lab.worker, pid=1, path=str(lab.workspace.path), version=versions()["xpm"])
    found = doctor().about(SUBJECT)
    assert (found["level"], found["remedy"]) == ("unknown", "restart it with this version")


def test_mark_that_a_shared_file_system_may_hide_is_unknown(
    joined: Lab, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_file(joined.workspace.path, "node1-1").unlink()
    assert doctor().about(SUBJECT)["level"] == "error"
    monkeypatch.setattr(workers.file_system, "is_shared", lambda _: True)
    assert doctor().about(SUBJECT)["level"] == "unknown"


def test_worker_that_leaves_while_it_is_looked_at_is_no_fault(
    joined: Lab, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = workers.known_daemons

    def then_it_leaves(patient: Patient) -> list[workers.Daemon]:
        found = known(patient)
        joined.store.leave(joined.worker.name)
        mark_file(joined.workspace.path, "node1-1").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(workers, "known_daemons", then_it_leaves)
    assert doctor().faults == []


def test_silent_worker_is_a_warning(joined: Lab, doctor: Doctor) -> None:
    soon_ms = round((server_time(joined.client) + 5) * 1000)
    joined.client.zadd(keys.workers(joined.workspace.id), {joined.worker.name: soon_ms})
    found = doctor().about(SUBJECT)
    assert (found["level"], found["text"].startswith("silent for 2")) == ("warning", True)
    assert "its job is free" in found["text"]


def test_marks_of_workers_that_are_gone_are_removed(joined: Lab, doctor: Doctor) -> None:
    old = mark_file(joined.workspace.path, "gone-1")
    fresh = mark_file(joined.workspace.path, "elsewhere-1")
    for file in (old, fresh):
        file.write_text(Mark("x", "y", time.time(), "node9", "/").written())
    os.utime(old, (1, 1))
    found = doctor()
    assert found.about("workers")["text"] == "1 mark left over of workers that are gone"
    assert "this server does not know it" in found.about("worker elsewhere-1")["text"]
    mended = doctor("--repair")
    assert mended.levels("workers") == ["mended", "ok"]
    assert (old.exists(), fresh.exists()) == (False, True)


@pytest.mark.slow
def test_daemon_in_a_copy_of_the_workspace_is_found(crew: Crew, doctor: Doctor, tmp_path: Path) -> None:
    worker = crew.started("--name", "here", slots=2)
    copy = tmp_path / "copy"
    shutil.copytree(crew.workspace.path, copy)
    own, crew.workspace = crew.workspace, Workspace.open(copy)
    crew.started("--name", "there")
    crew.workspace = own
    found = doctor()
    [daemon] = [each for each in found.faults if each["subject"].startswith("worker ")]
    assert daemon["subject"].startswith("worker there-")
    assert f"it works in another directory with the same id: {copy} on " in daemon["text"]
    assert "delete its .xpm/workspace.json" in daemon["remedy"]
    assert [each["subject"] for each in found.faults] == [f"workspace {copy}", daemon["subject"]]
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert not list(mark.marks_folder(own.path).glob("here-*"))
