"""What was in the files that a job has read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from xpm_core.fingerprints.ran import OpenedFile
from xpm_worker.job.trace import opened
from xpm_worker.job.trace.opened import Digests, stamp
from xpm_worker.job.trace.places import Places
from xpm_worker.protocol.messages import RunJob

SNAPSHOT = "8c1f" * 16


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of a copy."""
    tree = tmp_path / "code" / SNAPSHOT / "digits"
    tree.mkdir(parents=True)
    return tree


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """Where the project lies."""
    (tmp_path / "live").mkdir()
    return tmp_path / "live"


def looked_at(
    tree: Path, live: Path, *paths: Path, written: Iterable[Path] = (), meanwhile: Callable[[], object] = bool
) -> list[OpenedFile]:
    fields = {name: None for name in RunJob._fields if name not in RunJob._field_defaults}
    job = RunJob(**{**fields, "workspace": "/w", "snapshot": SNAPSHOT, "code": {str(live): str(tree)}})  # type: ignore[arg-type]
    noted = {str(path): stamp(str(path)) for path in paths}
    meanwhile()
    return Digests(Places(job), map(str, written)).of(noted)


def test_a_file_has_its_digest_in_the_copy_and_where_the_project_lies(tree: Path, live: Path) -> None:
    (tree / "a").write_bytes(b"old")
    (live / "b").write_bytes(b"")
    assert looked_at(tree, live, tree / "a", live / "b") == [
        OpenedFile("digits", "a", "digest", sha256(b"old").hexdigest()),
        OpenedFile("digits", "b", "digest", sha256(b"").hexdigest(), live=True),
    ]


def test_a_live_file_that_was_changed_after_it_was_opened_is_unknown(tree: Path, live: Path) -> None:
    for name in ("a", "b", "gone"):
        (live / name).write_bytes(b"1")

    def change() -> None:
        (live / "a").write_bytes(b"2")
        (live / "gone").unlink()
        (live / "come").write_bytes(b"")

    found = looked_at(tree, live, *(live / name for name in ("a", "b", "gone", "come", "no")), meanwhile=change)
    assert [each.state for each in found] == ["unknown", "digest", "unknown", "unknown", "absent"]


def test_one_of_the_copy_is_not_changed_by_anybody(tree: Path, live: Path) -> None:
    (tree / "a").write_bytes(b"")
    found = looked_at(tree, live, tree / "a", meanwhile=lambda: os.utime(tree / "a", (1, 1)))
    assert [(each.state, each.live) for each in found] == [("digest", False)]


def test_the_error_of_a_signal_goes_on_to_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: str) -> None:
        raise TimeoutError("the job's own time is over")

    assert stamp("/nonexistent/a") == ()
    monkeypatch.setattr(os, "stat", interrupted)
    with pytest.raises(TimeoutError, match="own time"):
        stamp("/nonexistent/a")


def test_large_files_have_size_and_time_also_behind_a_link(
    tree: Path, live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "LARGEST", 10)
    (tmp_path / "big.bin").write_bytes(b"x" * 11)
    os.utime(tmp_path / "big.bin", ns=(1, 5))
    os.symlink(tmp_path / "big.bin", tree / "big.bin")
    assert looked_at(tree, live, tree / "big.bin") == [OpenedFile("digits", "big.bin", "large", "", 11, 5, True)]


def test_what_is_over_the_limit_for_all_together_has_size_and_time(
    tree: Path, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "MOST_BYTES", 15)
    for name in "abc":
        (tree / name).write_bytes(b"x" * 10)
    (tree / "c").write_bytes(b"x" * 5)
    assert [each.state for each in looked_at(tree, live, *(tree / name for name in "abc"))] == [
        "digest",
        "large",
        "digest",
    ]


def test_a_reading_that_takes_too_long_ends(tree: Path, live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_S", 0)
    (tree / "a").write_bytes(b"x")
    assert looked_at(tree, live, tree / "a") == [OpenedFile("digits", "a", "unknown")]


def test_absent_files_are_said_and_written_ones_are_unknown(tree: Path, live: Path) -> None:
    (live / "log").write_bytes(b"")
    found = looked_at(tree, live, tree / "no", live / "log", live / "gone", written=[live / "log", live / "gone"])
    assert [(each.path, each.state, each.live) for each in found] == [
        ("no", "absent", False),
        ("log", "unknown", True),
        ("gone", "unknown", True),
    ]


def test_folders_pipes_and_other_files_are_left_out(tree: Path, live: Path) -> None:
    (tree / "folder").mkdir()
    os.mkfifo(tree / "pipe")
    assert looked_at(tree, live, tree / "folder", tree / "pipe", Path("/etc/passwd")) == []


def test_no_descriptor_is_left_open(tree: Path, live: Path) -> None:
    (tree / "a").write_bytes(b"x" * 3_000_000)
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    looked_at(tree, live, tree / "a")
    after = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    assert len(before) == len(after)
