"""Whether files that a job has read are what they were."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from xpm_core.fingerprints.ran import OpenedFile
from xpm_core.judging import data as data_module
from xpm_core.judging.data import Data
from xpm_core.snapshot.manifest import KeptFile, LargeFile, Manifest

NONE = Manifest(["p"], [])


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def kept(path: str, text: str) -> Manifest:
    return Manifest(["p"], [KeptFile(0, path, 0o644, digest(text), len(text))])


def read(path: str, text: str) -> OpenedFile:
    return OpenedFile("p", path, "digest", digest(text))


def test_a_file_of_the_snapshot_is_compared_with_the_snapshot(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("2")
    now = Data(kept("a.csv", "1"), {"p": str(tmp_path)})
    assert now.fate(read("a.csv", "1"), NONE) == "same"
    assert now.fate(read("a.csv", "2"), NONE) == "changed"


def test_a_file_that_no_snapshot_keeps_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    now = Data(NONE, {"p": str(tmp_path)})
    assert now.fate(read("a.csv", "1"), NONE) == "same"
    assert now.fate(read("a.csv", "2"), NONE) == "changed"
    assert now.fate(read("gone.csv", "2"), NONE) == "changed"
    assert now.fate(OpenedFile("p", "a.csv", "absent"), NONE) == "changed"
    assert now.fate(OpenedFile("p", "gone.csv", "absent"), NONE) == "same"


def test_what_cannot_be_read_is_never_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("1")
    now = Data(NONE, {"p": str(tmp_path)})
    assert now.fate(OpenedFile("p", "a.csv", "unknown"), NONE) == "unknown"
    assert now.fate(OpenedFile("other", "a.csv", "digest", digest("1")), NONE) == "unknown"
    monkeypatch.setattr(data_module, "LARGEST", 0)
    assert now.fate(read("a.csv", "1"), NONE) == "unknown"


def test_of_a_large_file_size_and_time_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"123")
    os.utime(path, ns=(5, 5))
    now = Data(NONE, {"p": str(tmp_path)})
    assert now.fate(OpenedFile("p", "a.bin", "large", "", 3, 5), NONE) == "same"
    assert now.fate(OpenedFile("p", "a.bin", "large", "", 4, 5), NONE) == "changed"
    assert now.fate(OpenedFile("p", "a.bin", "large", "", 3, 6), NONE) == "unknown"
    assert now.fate(OpenedFile("p", "gone.bin", "large", "", 3, 6), NONE) == "changed"


def test_a_large_file_of_a_snapshot_has_what_the_snapshot_says(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"123")
    os.utime(path, ns=(5, 5))
    file = OpenedFile("p", "a.bin", "large", "", 3, 0)
    linked = Manifest(["p"], [LargeFile(0, "a.bin", str(path), 3, 5)])
    assert Data(linked, {"p": str(tmp_path)}).fate(file, linked) == "same"
    assert Data(kept("a.bin", "1"), {"p": str(tmp_path)}).fate(file, kept("a.bin", "1")) == "same"
    assert Data(kept("a.bin", "2"), {"p": str(tmp_path)}).fate(file, kept("a.bin", "1")) == "changed"
