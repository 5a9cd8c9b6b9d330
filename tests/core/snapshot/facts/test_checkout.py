"""The state of a checkout is what git says of it, and no program of the checkout is run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.package_sites import git

from xpm_core.snapshot.facts.checkout import Checkout, checkout, stamps


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A checkout with one commit, and two folders."""
    folder = tmp_path / "lab"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.py").write_text("a = 1\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_folder_is_dirty_only_by_its_own_files(lab: Path) -> None:
    commit = git(lab, "rev-parse", "HEAD")
    assert checkout(str(lab)) == Checkout(commit, False)
    (lab / "one" / "a.py").write_text("a = 2\n")
    assert checkout(str(lab / "one")) == Checkout(commit, True)
    assert checkout(str(lab / "two")) == Checkout(commit, False)
    (lab / "two" / "new.py").write_text("")
    assert checkout(str(lab / "two")) == Checkout(commit, True)


def test_outside_of_git_there_is_no_state(tmp_path: Path) -> None:
    assert checkout(str(tmp_path)) is None
    assert stamps(str(tmp_path)) == []


def test_before_the_first_commit_there_is_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert checkout(str(tmp_path)) == Checkout("", False)


@pytest.mark.parametrize("way", ["plain", "detached", "packed", "worktree"])
def test_without_the_program_the_commit_is_read_from_its_files(
    lab: Path, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, folder = git(lab, "rev-parse", "HEAD"), lab
    if way == "detached":
        git(lab, "checkout", "-q", "--detach")
    elif way == "packed":
        git(lab, "pack-refs", "--all")
    elif way == "worktree":
        folder = tmp_path / "tree"
        git(lab, "worktree", "add", "-q", "-b", "side", str(folder))
    assert checkout(str(folder)) == Checkout(commit, False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout(str(folder)) == Checkout(commit, None)


def test_a_commit_changes_the_stamps(lab: Path) -> None:
    before = stamps(str(lab / "one"))
    git(lab, "commit", "-q", "--allow-empty", "-m", "second")
    assert stamps(str(lab / "one")) != before


def test_variables_of_git_and_programs_of_the_checkout_do_not_count(lab: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    git(lab, "config", "core.fsmonitor", str(program))
    os.environ["GIT_DIR"] = str(tmp_path)
    try:
        found = checkout(str(lab))
    finally:
        del os.environ["GIT_DIR"]
    assert found is not None
    assert found.commit
    assert not (tmp_path / "ran").exists()
