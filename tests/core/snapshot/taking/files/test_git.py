"""How a checkout stands when a snapshot of it is taken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.code_projects import CodeProject

from xpm_core.snapshot.provenance import GitState
from xpm_core.snapshot.taking.files.git import MOST_CHANGED, GitRefused, StateAsked, files_of


def state(folder: Path) -> GitState | None:
    asked = StateAsked(str(folder))
    try:
        return asked.state(files_of(str(folder), 60))
    finally:
        asked.close()


@pytest.fixture
def project(tmp_path: Path) -> CodeProject:
    return CodeProject(tmp_path / "p", {"a.py": "1", "b.py": "1", "c.py": "1", "sub/d.py": "1"}).commit()


def test_a_clean_checkout_has_a_commit_and_a_branch(project: CodeProject) -> None:
    found = state(project.root)
    assert found is not None
    assert (len(found.commit), found.branch, found.is_dirty) == (40, "main", False)
    os.utime(project.root / "a.py", ns=(1, 1))  # the same content at another time is no change
    assert state(project.root) == found


def test_each_kind_of_change_counts(project: CodeProject) -> None:
    project.write({"b.py": "2"}).git("add", "b.py").write({"b.py": "1", "a.py": "2", "new.py": ""})
    (project.root / "c.py").unlink()
    found = state(project.root)
    assert found is not None
    assert (found.changed, found.changed_count) == (["a.py", "b.py", "c.py", "new.py"], 4)
    inside = state(project.root / "sub")
    assert inside is not None
    assert inside.changed == []
    project.write({"sub/d.py": "2"}).git("add", "-A")
    inside = state(project.root / "sub")
    assert inside is not None
    assert inside.changed == ["d.py"]


def test_a_detached_head_has_no_branch(project: CodeProject) -> None:
    project.git("checkout", "--detach")
    found = state(project.root)
    assert found is not None
    assert (len(found.commit), found.branch) == (40, "")


def test_before_the_first_commit_all_files_are_new(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"a.py": "", "b.py": ""}).git("init").git("add", "a.py")
    assert state(project.root) == GitState("", "main", ["a.py", "b.py"], 2)


def test_long_lists_are_cut_and_counted_and_odd_names_are_text(project: CodeProject) -> None:
    project.write({f"n{number:03}": "" for number in range(80)})
    (project.root / os.fsdecode(b"\xff")).touch()
    found = state(project.root)
    assert found is not None
    assert (len(found.changed), found.changed_count) == (MOST_CHANGED, 81)
    assert found.changed[-1].encode()


def test_outside_of_git_there_is_no_state(tmp_path: Path) -> None:
    asked = StateAsked(str(tmp_path))
    assert asked.state(None) is None
    asked.close()
    with pytest.raises(GitRefused, match="not a git repository"):
        files_of(str(tmp_path), 60)
