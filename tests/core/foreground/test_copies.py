"""Copies of folders, from which nothing leads back to the original."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_core.foreground import copies
from xpm_core.foreground.copies import Size, copy, size_of


def folder_in(tmp_path: Path) -> Path:
    """A folder with files, folders, links of all kinds, and a pipe."""
    folder = tmp_path / "job"
    (folder / "deep" / "empty").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("a")
    (folder / "b.txt").write_text("bb")
    (folder / "log.out").write_text("a long log")
    (tmp_path / "elsewhere.txt").write_text("input")
    (folder / "within").symlink_to(folder / "deep" / "a.txt")
    (folder / "relative").symlink_to("deep")
    (folder / "outside").symlink_to("../elsewhere.txt")
    os.mkfifo(folder / "pipe")
    return folder


def test_copy_holds_the_same_and_a_change_of_it_changes_no_original(tmp_path: Path) -> None:
    folder, target = folder_in(tmp_path), tmp_path / "scratch"
    target.mkdir()
    copy(folder, target, ["log.out"])
    assert sorted(os.listdir(target)) == ["b.txt", "deep", "outside", "relative", "within"]
    assert (target / "deep" / "empty").is_dir()
    assert (target / "outside").read_text() == "input"
    (target / "within").write_text("changed")
    (target / "relative" / "new.txt").write_text("new")
    assert (target / "deep" / "a.txt").read_text() == "changed"
    assert (folder / "deep" / "a.txt").read_text() == "a"
    assert sorted(os.listdir(folder / "deep")) == ["a.txt", "empty"]


def test_size_counts_files_and_neither_links_nor_what_is_left_out(tmp_path: Path) -> None:
    assert size_of(folder_in(tmp_path), ["log.out"]) == Size(2, 3)
    assert size_of(tmp_path / "nowhere") == Size(0, 0)
    copy(tmp_path / "nowhere", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_sizes_are_written_in_units_that_people_read() -> None:
    texts = [str(Size(2, size)) for size in (10, 1500, 2_500_000, 4_000_000_000)]
    assert texts == ["2 files, 10 B", "2 files, 1.5 kB", "2 files, 2.5 MB", "2 files, 4.0 GB"]
    assert str(Size(1, 10**6)) == "1 file, 1.0 MB"


def test_file_that_a_running_job_removes_meanwhile_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kept.bin", "removed.bin"):
        (tmp_path / name).write_bytes(b"1234")
    entries = list(os.scandir(tmp_path))
    (tmp_path / "removed.bin").unlink()
    monkeypatch.setattr(copies, "_files", lambda folder, without: iter(entries))
    assert size_of(tmp_path) == (1, 4)
