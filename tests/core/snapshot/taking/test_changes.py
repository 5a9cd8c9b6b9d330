"""What differs between a snapshot and the folders that it was taken from, and today's code of these."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from helpers.code_projects import TASK, CodeProject, kept_files

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.snapshot.taking.changes import changed_files, retaken
from xpm_core.snapshot.taking.snapshotter import Snapshotter


@pytest.fixture
def project(tmp_path: Path) -> CodeProject:
    files = {"train.py": "import _version\n" + TASK, "_version.py": "v = 1", "lib/util.py": "x = 1", ".gitignore": "_*"}
    return CodeProject(tmp_path / "p", {**files, "big.bin": b"\0" * 1_500_000}).commit()


@pytest.fixture
def before(project: CodeProject, workspace: Path) -> tuple[Provenance, Manifest]:
    (project.root / "away").symlink_to("/tmp")
    taken = Snapshotter(workspace).current([project.load().Learn])
    assert taken is not None
    return Provenance(taken.snapshot, taken.trees), CodeStore(workspace).manifest(taken.snapshot)


def test_nothing_differs_right_after(workspace: Path, before: tuple[Provenance, Manifest]) -> None:
    provenance, manifest = before
    assert changed_files(manifest, provenance.trees) == []
    again = retaken(workspace, provenance, manifest)
    assert (again.snapshot, again.lines, again.trees) == (manifest.digest, [], provenance.trees)


def test_each_kind_of_difference_is_named(
    project: CodeProject, workspace: Path, before: tuple[Provenance, Manifest]
) -> None:
    provenance, manifest = before
    (project.root / "lib" / "util.py").unlink()
    (project.root / "away").unlink()
    (project.root / "away").symlink_to("/usr")
    os.utime(project.root / "big.bin", ns=(1, 1))
    project.write({"train.py": TASK, "_version.py": "v = 2", "new.py": "", "new.csv": ""})
    names = ["_version.py", "away", "big.bin", "lib/util.py (removed)", "new.py (new)", "train.py"]
    assert changed_files(manifest, provenance.trees) == names
    taken = retaken(workspace, provenance, manifest)
    assert taken.lines[0].startswith(
        f"code {taken.snapshot[:7]}: 7 files changed since {manifest.digest[:7]} (_version.py"
    )
    assert kept_files(workspace, taken.snapshot)["p/_version.py"] == b"v = 2"


def test_a_root_that_is_gone_is_one_difference_and_cannot_be_taken(
    project: CodeProject, workspace: Path, before: tuple[Provenance, Manifest]
) -> None:
    provenance, manifest = before
    shutil.rmtree(project.root)
    assert changed_files(manifest, provenance.trees) == [f"{project.root} (removed)"]
    with pytest.raises(SnapshotError, match="is gone"):
        retaken(workspace, provenance, manifest)


def test_paths_of_several_trees_begin_with_their_names(tmp_path: Path, workspace: Path) -> None:
    one, two = (CodeProject(tmp_path / name, {f"m_{name}.py": TASK, "pyproject.toml": ""}) for name in ("one", "two"))
    taken = Snapshotter(workspace).current([one.load("m_one").Learn, two.load("m_two").Learn])
    assert taken is not None
    two.write({"m_two.py": ""})
    assert changed_files(CodeStore(workspace).manifest(taken.snapshot), taken.trees) == ["two/m_two.py"]


def test_a_secret_that_is_included_no_more_is_not_taken_again(tmp_path: Path, workspace: Path) -> None:
    settings = '[tool.xpm.snapshot]\ninclude = [".env"]'
    project = CodeProject(tmp_path / "q", {"train.py": TASK, ".env": "KEY=1", "pyproject.toml": settings})
    first = Snapshotter(workspace).current([project.load().Learn])
    assert first is not None
    provenance, manifest = Provenance(first.snapshot, first.trees), CodeStore(workspace).manifest(first.snapshot)
    assert ".env" in [each.path for each in manifest.files]
    assert changed_files(manifest, provenance.trees) == []
    project.write({"pyproject.toml": ""})
    assert changed_files(manifest, provenance.trees) == [".env (removed)", "pyproject.toml"]
    taken = retaken(workspace, provenance, manifest)
    assert sorted(kept_files(workspace, taken.snapshot)) == ["q/pyproject.toml", "q/train.py"]
