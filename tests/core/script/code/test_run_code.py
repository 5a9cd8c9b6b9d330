"""The code of the tasks of a run: snapshots, live code, and the document of how they were submitted."""

from __future__ import annotations

import importlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.import_folders import on_path

from xpm_core.errors import SnapshotError
from xpm_core.script.code.run_code import RunCode
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Provenance

TASK = "from xpm_core import Task\n\nclass Say(Task):\n    def execute(self): ...\n"


class Project:
    """A checkout with one module, and a run that submits its task."""

    def __init__(self, folder: Path, workspace: Path) -> None:
        self.folder, self.workspace = folder, workspace
        self.said: list[str] = []
        self.code = RunCode(workspace, self.said.append)
        self.store = CodeStore(workspace)

    def take(self, cls: type, *, live: bool = False) -> Any:
        return self.code.of({cls}, live=live)

    def provenance(self, digest: str) -> Provenance:
        return Provenance.read(self.store.get("provenance", digest))

    def edit(self, text: str) -> None:
        """Change the module. Files that were imported are believed for 50 ms."""
        (self.folder / "run_code_study.py").write_text(text)
        self.code._snapshotter._imports_due = 0.0


@pytest.fixture
def cls(tmp_path: Path) -> Iterator[type]:
    for folder in on_path(tmp_path / "project"):
        (folder / "run_code_study.py").write_text(TASK)
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        yield importlib.import_module("run_code_study").Say


@pytest.fixture
def project(cls: type, tmp_path: Path) -> Project:
    return Project(tmp_path / "project", tmp_path / "workspace")


def test_tasks_get_one_snapshot_until_a_file_changes_and_each_is_described(project: Project, cls: type) -> None:
    first = project.take(cls)
    assert project.take(cls) == first
    provenance = project.provenance(first.provenance)
    assert provenance.snapshot == first.snapshot
    assert [tree.roots[0] for tree in provenance.trees] == [str(project.folder)]
    assert provenance.host
    assert project.store.get("packages", provenance.packages)
    project.edit(TASK + "# edited\n")
    second = project.take(cls)
    assert second.snapshot != first.snapshot
    assert [line[:5] for line in project.said if not line.startswith("code: ")] == ["code "] * 2
    assert project.code.changed(first.snapshot) == ["run_code_study.py"]
    assert project.code.changed(second.snapshot) == []


def test_a_link_to_the_root_that_is_imported_from_later_is_described_too(
    project: Project, cls: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.take(cls)
    link = tmp_path / "link"
    link.symlink_to(project.folder)
    monkeypatch.syspath_prepend(str(link))
    second = project.take(cls)
    assert second.snapshot == first.snapshot
    assert list(project.provenance(first.provenance).trees[0].roots) == [str(project.folder)]
    assert list(project.provenance(second.provenance).trees[0].roots) == [str(project.folder), str(link)]
    assert project.take(cls) == second


def test_data_that_a_script_has_written_since_is_no_difference(project: Project, cls: type) -> None:
    first = project.take(cls)
    (project.folder / "results.csv").write_text("1")
    (project.folder / "extra.py").write_text("")
    project.edit(TASK + "# edited\n")
    assert project.take(cls).snapshot != first.snapshot
    assert project.code.changed(first.snapshot) == ["extra.py (new)", "run_code_study.py"]


def test_a_list_of_packages_that_was_there_is_marked_as_used(project: Project, cls: type) -> None:
    packages = project.provenance(project.take(cls).provenance).packages
    path = project.store.document_path("packages", packages)
    os.utime(path, (1e9, 1e9))  # so `xpm gc` may be about to remove it
    RunCode(project.workspace, project.said.append).of({cls}, live=False)
    assert os.stat(path).st_mtime > 1e9


def test_live_code_is_described_with_its_roots_and_its_checkout(project: Project, cls: type) -> None:
    (project.folder / "out.log").write_text("its own output")
    found = project.take(cls, live=True)
    provenance = project.provenance(found.provenance)
    assert (found.snapshot, provenance.snapshot, project.said) == ("", "", [])
    (tree,) = provenance.trees
    assert list(tree.roots) == [str(project.folder)]
    assert tree.git is not None
    assert "run_code_study.py" in tree.git.changed
    assert "out.log" not in tree.git.changed
    assert not (project.workspace / "code" / "objects").exists()


def test_what_differs_from_live_code_is_seen_in_its_files(project: Project, cls: type) -> None:
    kept = project.take(cls)
    live = RunCode(project.workspace, project.said.append)
    live.of({cls}, live=True)
    assert live.changed(kept.snapshot) == []
    project.edit(TASK + "# edited\n")
    assert live.changed(kept.snapshot) == ["run_code_study.py"]


def test_code_that_is_installed_has_no_snapshot(project: Project) -> None:
    found = project.take(dict)
    assert found.snapshot == ""
    assert list(project.provenance(found.provenance).trees) == []


def test_what_differs_is_not_known_if_the_description_is_gone(project: Project, cls: type) -> None:
    project.take(cls)
    assert project.code.changed("0" * 64) is None
    with pytest.raises(SnapshotError):
        project.store.manifest("0" * 64)
