"""The Python files of a package, and the digest of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.snapshot.facts import python_files
from xpm_core.snapshot.facts.python_files import digest_of, look_through


def make(root: Path, *paths: str) -> None:
    for path in paths:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(path)


def test_environments_workspaces_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "src/lab/b.py", "src/lab/data.csv", "build/c.py")
    make(
        tmp_path,
        ".tox/x.py",
        "src/__pycache__/x.py",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "conda/conda-meta/h",
        "conda/x.py",
    )
    make(tmp_path, "runs/.xpm/workspace.json", "runs/jobs/x.py", "site-packages/x.py")
    (tmp_path / "src" / "again").symlink_to(tmp_path)
    found = look_through(str(tmp_path))
    assert found is not None
    assert found.python == ["a.py", "build/c.py", "src/lab/b.py"]


def test_a_folder_that_is_an_environment_or_a_workspace_itself_is_looked_through(tmp_path: Path) -> None:
    make(tmp_path, "a.py", ".xpm/workspace.json")
    found = look_through(str(tmp_path))
    assert found is not None
    assert found.python == ["a.py"]


def test_the_stamp_changes_with_each_file(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "b.yaml")
    first = look_through(str(tmp_path))
    assert look_through(str(tmp_path)) == first
    (tmp_path / "b.yaml").write_text("longer than before")
    second = look_through(str(tmp_path))
    assert second != first
    make(tmp_path, "c.py")
    assert look_through(str(tmp_path)) != second


def test_the_digest_changes_with_contents_and_names(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "b.py")
    first = digest_of(str(tmp_path), ["a.py", "b.py"])
    assert digest_of(f"{tmp_path}/", ["a.py", "b.py"]) == first
    (tmp_path / "a.py").write_text("changed")
    second = digest_of(str(tmp_path), ["a.py", "b.py"])
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    third = digest_of(str(tmp_path), ["a.py", "c.py"])
    gone = digest_of(str(tmp_path), ["a.py", "gone.py"])
    assert len({first, second, third, gone}) == 4


def test_a_folder_with_too_much_or_that_is_gone_is_not_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.py", "b.py", "c.py")
    monkeypatch.setattr(python_files, "MOST_ENTRIES", 2)
    assert look_through(str(tmp_path)) is None
    assert look_through(str(tmp_path / "gone")) is None


def test_what_cannot_be_looked_at_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "a.py")
    (tmp_path / "nothing.py").symlink_to(tmp_path / "gone")
    found = look_through(str(tmp_path))
    assert found is not None
    assert found.python == ["a.py", "nothing.py"]
