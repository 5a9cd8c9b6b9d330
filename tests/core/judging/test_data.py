"""Whether files that a job has read are what they were."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from xpm_core.fingerprints.ran import OpenedFile, Ran
from xpm_core.judging import data as data_module
from xpm_core.judging.data import Changed, Data
from xpm_core.snapshot.manifest import KeptFile, LargeFile, Link, Manifest

NONE = Manifest(["p"], [])


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def kept(path: str, text: str) -> Manifest:
    return Manifest(["p"], [KeptFile(0, path, 0o644, digest(text), len(text))])


def read(path: str, text: str) -> OpenedFile:
    return OpenedFile("p", path, "digest", digest(text), live=True)


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
    assert now.fate(OpenedFile("p", "a.csv", "absent", live=True), NONE) == "changed"
    assert now.fate(OpenedFile("p", "gone.csv", "absent", live=True), NONE) == "same"


def test_what_cannot_be_read_is_never_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("1")
    now = Data(NONE, {"p": str(tmp_path)})
    assert now.fate(OpenedFile("p", "a.csv", "unknown"), NONE) == "unknown"
    assert now.fate(OpenedFile("other", "a.csv", "digest", digest("1"), live=True), NONE) == "unknown"
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


def test_a_large_file_is_compared_with_the_snapshot_of_each_job(tmp_path: Path) -> None:
    """Files of a copy have one time, so of two jobs with other contents of one size the record says the same."""
    file = OpenedFile("p", "a.bin", "large", "", 1, 0)
    now = Data(kept("a.bin", "2"), {"p": str(tmp_path)})
    assert [now.fate(file, kept("a.bin", text)) for text in "212"] == ["same", "changed", "same"]


def test_two_files_of_one_path_are_told_apart(tmp_path: Path) -> None:
    two = Manifest(["p", "q"], [KeptFile(0, "a", 0o644, digest("1"), 1), KeptFile(1, "a", 0o644, digest("1"), 1)])
    now = Data(two, {"p": str(tmp_path), "q": str(tmp_path)})
    copy, other = OpenedFile("p", "a", "digest", digest("2")), OpenedFile("q", "a", "digest", digest("1"))
    assert now.of(Ran("monitoring", files=[copy, other]), NONE) == Changed(("a",))
    live = OpenedFile("p", "a", "digest", digest("1"))
    assert now.of(Ran("monitoring", files=[live, copy]), NONE) == Changed(("a",))


@pytest.mark.parametrize("ran", [None, Ran("monitoring", processes=["fork"])])
def test_a_job_that_may_have_read_unseen_is_not_the_same_if_a_file_of_its_snapshot_has_changed(
    tmp_path: Path, ran: Ran | None
) -> None:
    now = Data(kept("a.csv", "1"), {"p": str(tmp_path)})
    assert now.of(ran, kept("a.csv", "2")) == Changed((), ("the file a.csv, which it may have read unseen",))
    assert now.of(ran, kept("gone.csv", "2")) == Changed((), ("the file gone.csv, which it may have read unseen",))
    assert now.of(ran, kept("a.csv", "1")) == Changed()
    for path in ("a.py", "README.md", "docs/notes.ipynb", ".gitignore", "pyproject.toml"):
        assert now.of(ran, kept(path, "2")) == Changed()
    assert now.of(Ran("monitoring"), kept("a.csv", "2")) == Changed()


def test_a_large_file_or_a_link_that_has_moved_counts_by_what_it_is_and_not_by_its_tree(tmp_path: Path) -> None:
    before = Manifest(["p"], [LargeFile(0, "a", "/a", 3, 5), Link(0, "b", "/b")])
    now = Data(Manifest(["o", "p"], [LargeFile(1, "a", "/a", 3, 5), Link(1, "b", "/c")]), {"p": str(tmp_path)})
    assert now.of(None, before).why == ("the file b, which it may have read unseen",)


def test_code_that_was_read_as_text_is_unknown_if_it_has_changed(tmp_path: Path) -> None:
    now = Data(kept("conf.py", "1"), {"p": str(tmp_path)})
    assert [now.fate(read("conf.py", text), NONE) for text in "12"] == ["same", "unknown"]


def test_a_file_of_the_copy_is_not_looked_for_where_the_project_lies(tmp_path: Path) -> None:
    """A job that runs today has a copy of today's snapshot. What git ignores is on the disk, and not in the copy."""
    (tmp_path / "local.json").write_text("1")
    now = Data(NONE, {"p": str(tmp_path)})
    assert now.fate(OpenedFile("p", "local.json", "absent"), NONE) == "same"
    assert now.fate(OpenedFile("p", "local.json", "digest", digest("1")), NONE) == "changed"
    assert Data(kept("local.json", "1"), {}).fate(OpenedFile("p", "local.json", "absent"), NONE) == "unknown"
    assert Data(kept("local.json", "1"), {"p": "/"}).fate(OpenedFile("p", "local.json", "absent"), NONE) == "changed"
