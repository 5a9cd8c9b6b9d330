"""The directory of a workspace: writing, renaming, space, the kind of file system, and copies with the same id."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until

from xpm_core.diagnosis import file_system
from xpm_core.diagnosis.findings import Finding, Level
from xpm_core.diagnosis.patient import Patient
from xpm_core.diagnosis.surroundings import place
from xpm_core.errors import WorkspaceError
from xpm_core.reading.look import View
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


@pytest.fixture
def patient(lab: Lab, redis_url: str) -> Iterator[Patient]:
    with View(lab.workspace, redis_url) as view:
        yield Patient(view)


def faults(patient: Patient) -> list[Finding]:
    return [each for each in place.check(patient) if each.level is not Level.OK]


def test_healthy_directory_is_said_to_be_so(patient: Patient) -> None:
    [finding] = place.check(patient)
    assert finding.subject == f"workspace {patient.workspace.path}"
    assert finding.text.startswith("writable, ")
    assert "rename is atomic" in finding.text
    assert not list((patient.workspace.path / ".xpm").glob(".probe*"))


def test_directory_that_is_not_writable_is_an_error(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    [finding] = place.check(patient)
    assert (finding.level, finding.text, finding.remedy) == (Level.ERROR, "not writable", "make it writable for you")


def test_disk_that_is_full_is_an_error(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Any, data: bytes, **_: Any) -> None:
        raise WorkspaceError(str(path), "cannot be written: no space left on device", "Free some space there.")

    monkeypatch.setattr(place, "write_atomic", full)
    [finding] = place.check(patient)
    assert (finding.level, finding.remedy) == (Level.ERROR, "Free some space there.")


def unlinked(path: Path, data: bytes, seen: Callable[[], None]) -> None:
    path.unlink()
    seen()
    path.write_bytes(data)


def torn(path: Path, data: bytes, seen: Callable[[], None]) -> None:
    path.write_bytes(b"")
    seen()
    path.write_bytes(data)


def ignored(path: Path, data: bytes, seen: Callable[[], None]) -> None:
    seen()


@pytest.mark.parametrize(
    ("replace", "said"),
    [(unlinked, "was missing"), (torn, "a part of a file"), (ignored, "still had its old content")],
)
def test_rename_that_is_not_atomic_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: Callable[..., None], said: str
) -> None:
    reads: list[Path] = []
    read = Path.read_bytes

    def counted(path: Path) -> bytes:
        reads.append(path)
        return read(path)

    def seen() -> None:
        """Wait until the file was read once more, from the beginning."""
        before = len(reads)
        wait_until(lambda: len(reads) > before + 1)

    file = tmp_path / "probe"
    file.write_bytes(b"0")
    monkeypatch.setattr(Path, "read_bytes", counted)
    monkeypatch.setattr(place, "RENAMES", 2)
    monkeypatch.setattr(place, "write_atomic", lambda path, data, **_: replace(path, data, seen))
    fault = place.renaming_fault(file)
    assert fault.startswith("rename is not atomic: ")
    assert said in fault


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({"f_bavail": 5 * 10**8}, Level.WARNING, "500 MB free"),
        ({"f_bavail": 5 * 10**6}, Level.ERROR, "5 MB free"),
        ({"f_favail": 5000}, Level.WARNING, "only 5000 files can still be made"),
        ({"f_favail": 5}, Level.ERROR, "only 5 files can still be made"),
        ({"f_files": 0, "f_favail": 0}, None, ""),
    ],
    ids=str,
)
def test_little_space_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, int], level: Level | None, said: str
) -> None:
    class About:
        f_bavail, f_frsize, f_files, f_favail = 10**12, 1, 10**9, 10**8

    for name, value in changes.items():
        setattr(About, name, value)
    monkeypatch.setattr(os, "statvfs", lambda _: About)
    found = list(place.space_faults("workspace", tmp_path))
    assert [(each.level, each.text) for each in found if said in each.text] == (
        [(level, found[0].text)] if level is not None else []
    )


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="needs a file system in memory")
def test_workspace_in_memory_is_a_warning() -> None:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        if file_system.kind_of(folder) != "tmpfs":
            pytest.skip("/dev/shm is no tmpfs here")
        [finding] = place.kind_faults("workspace", folder)
        assert (finding.level, "lies in memory (tmpfs)" in finding.text) == (Level.WARNING, True)
    finally:
        shutil.rmtree(folder)


def test_clock_of_the_disk_that_differs_is_a_warning(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.time, "time", lambda: 0.0)
    [finding] = faults(patient)
    assert (finding.level, "that of its disk" in finding.text) == (Level.WARNING, True)


def test_copy_with_the_same_id_in_which_workers_work_is_an_error(lab: Lab, patient: Patient, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(lab.workspace.path, copy)
    lab.store.join(lab.worker, pid=1, path=str(copy), version="0")
    [finding] = faults(patient)
    assert (finding.level, finding.subject) == (Level.ERROR, f"workspace {copy}")
    assert f"delete {copy}/.xpm/workspace.json" in finding.remedy
    (copy / ".xpm" / "workspace.json").unlink()
    Workspace.open(copy)
    assert faults(patient) == []
