"""What of a folder is exported: files, and copies of what links in it lead to; never what lies elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from xpm_core.exchange.exporting.folders import Folder


def found(path: Path) -> tuple[list[str], list[str]]:
    """The files and what was left out."""
    folder = Folder(path)
    return [file.name for file in folder.files()], folder.left_out


def test_files_are_found_by_name(tmp_path: Path) -> None:
    for name in ("b", "a/x", "a/b/y"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert found(tmp_path) == (["a/b/y", "a/x", "b"], [])


def test_links_within_the_folder_become_copies(tmp_path: Path) -> None:
    (tmp_path / "step1").mkdir()
    (tmp_path / "step1" / "model").write_text("m")
    (tmp_path / "best").symlink_to("step1")
    (tmp_path / "last").symlink_to("step1/model")
    assert found(tmp_path) == (["best/model", "last", "step1/model"], [])


def test_links_that_lead_elsewhere_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret").write_text("s")
    job = tmp_path / "job"
    job.mkdir()
    (job / "up").symlink_to("../other")
    (job / "file").symlink_to("../other/secret")
    (job / "gone").symlink_to("nothing")
    (job / "root").symlink_to("/")
    assert found(job) == ([], ["file", "gone", "root", "up"])


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("x")
    (tmp_path / "a" / "self").symlink_to("../a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a").symlink_to("../a")
    (tmp_path / "me").symlink_to(".")
    names, left_out = found(tmp_path)
    assert names == ["a/x", "b/a/x"]
    assert left_out == ["a/self", "b/a/self", "me"]


def test_pipes_are_left_out_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert found(tmp_path) == ([], ["pipe"])
