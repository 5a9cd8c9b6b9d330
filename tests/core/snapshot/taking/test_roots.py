"""The root of a class, roots that lie in each other, and the names by which a process reaches a root."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from helpers.code_projects import TASK, CodeProject, kept_files
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.project.moved_code import MovedCode
from xpm_core.snapshot.provenance import Provenance
from xpm_core.snapshot.taking import snapshotter
from xpm_core.snapshot.taking.imported import Imports
from xpm_core.snapshot.taking.roots import Root, arranged, names_of, root_of
from xpm_core.snapshot.taking.snapshotter import Snapshotter


@pytest.mark.parametrize(
    ("files", "module", "folder", "root"),
    [
        ({"train.py": TASK}, "train", "", ""),
        ({"a/b/train.py": TASK}, "train", "a/b", "a/b"),
        ({"a/pkg/__init__.py": "", "a/pkg/train.py": TASK}, "pkg.train", "a", "a"),
        ({"a/pkg/__init__.py": TASK}, "pkg", "a", "a"),
        ({"pyproject.toml": "", "src/pkg/train.py": TASK}, "pkg.train", "src", ""),
        ({"pyproject.toml": "", "app/pyproject.toml": "", "app/train.py": TASK}, "train", "app", "app"),
        ({".git": "gitdir: elsewhere", "app/train.py": TASK}, "train", "app", ""),
    ],
)
def test_the_root_is_the_nearest_marked_folder_else_the_one_of_the_import(
    tmp_path: Path, files: dict[str, str | bytes], module: str, folder: str, root: str
) -> None:
    project = CodeProject(tmp_path / "p", files)
    assert root_of(project.load(module, folder).Learn) == str(project.root / root).rstrip("/")


def test_classes_of_packages_of_python_and_of_xpm_have_none(tmp_path: Path) -> None:
    import click

    project = CodeProject(tmp_path / "p", {"pyproject.toml": "", ".venv/lib/site-packages/train.py": TASK})
    installed = project.load("train", ".venv/lib/site-packages").Learn
    assert [root_of(each) for each in (click.Command, Path, int, Snapshotter, installed)] == [None] * 5


def test_roots_in_each_other_are_one_tree_and_equal_names_are_told_apart() -> None:
    found = arranged(["/mono/app", "/mono", "/mono-2", "/x/lib", "/y/lib", "/mono/a/b", "/mono"])
    assert found == [
        Root("/x/lib", "lib"),
        Root("/y/lib", "lib-2"),
        Root("/mono", "mono", ("a/b", "app")),
        Root("/mono-2", "mono-2"),
    ]
    assert arranged(["/"]) == [Root("/", "root")]


paths = st.lists(st.sampled_from(["a", "b", "a-2", "a2"]), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@given(st.sets(paths, min_size=1))
def test_every_root_is_in_exactly_one_tree_and_no_two_trees_have_one_name(roots: set[str]) -> None:
    found = arranged(roots)
    assert sorted(roots) == sorted(
        path for root in found for path in (root.path, *(f"{root.path}/{i}" for i in root.inner))
    )
    assert len({root.name for root in found}) == len(found)
    assert found == arranged(sorted(roots, reverse=True))


def test_links_to_a_root_and_into_it_are_its_names(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"pyproject.toml": "", "src/train.py": TASK, "src/deep/other.py": ""})
    (tmp_path / "link").symlink_to("p")
    (tmp_path / "inside").symlink_to("p/src")
    sys.path.insert(0, str(tmp_path / "link" / "src" / "deep"))
    sys.path.insert(0, str(tmp_path / "inside"))
    names = names_of(str(project.root), [])
    assert names.roots == [str(project.root), str(tmp_path / "link")]
    assert names.inner == {str(tmp_path / "inside"): "src"}
    learn = CodeProject(tmp_path / "inside", {}).load("train").Learn
    assert root_of(learn) == str(project.root)
    taken = Snapshotter(workspace).current([learn])
    assert taken is not None
    read = Provenance.read(Provenance(taken.snapshot, taken.trees).written())
    assert read.trees == taken.trees
    code = MovedCode({root: f"/here/{name}" for root, name in read.roots.items()})
    for there, here in (("link/src/train.py", "src/train.py"), ("inside/train.py", "src/train.py"), ("p/x", "x")):
        assert code.here(str(tmp_path / there)) == f"/here/p/{here}"


def test_an_inner_root_keeps_its_place_and_its_own_settings(tmp_path: Path, workspace: Path) -> None:
    mono = CodeProject(
        tmp_path / "mono", {"tools.py": TASK, "app/train.py": TASK, "app/big.bin": "1", ".gitignore": "*.bin"}
    )
    mono.write({"app/pyproject.toml": '[tool.xpm.snapshot]\ninclude = ["*.bin"]'}).commit()
    taken = Snapshotter(workspace).current([mono.load("tools").Learn, mono.load("train", "app").Learn])
    assert taken is not None
    assert [tree.roots for tree in taken.trees] == [[str(mono.root)]]
    names = [".gitignore", "app/big.bin", "app/pyproject.toml", "app/train.py", "tools.py"]
    assert sorted(kept_files(workspace, taken.snapshot)) == [f"mono/{name}" for name in names]


def test_an_ignored_project_in_a_repository_is_looked_at_as_without_git(tmp_path: Path, workspace: Path) -> None:
    home = CodeProject(
        tmp_path / "home", {".gitignore": "*", "p/pyproject.toml": "", "p/train.py": TASK, "p/a.csv": "1"}
    )
    home.git("init")
    taken = Snapshotter(workspace).current([home.load("train", "p").Learn])
    assert taken is not None
    assert sorted(kept_files(workspace, taken.snapshot)) == ["p/a.csv", "p/pyproject.toml", "p/train.py"]
    assert len(taken.lines) == 1


def test_a_name_that_comes_later_is_known_at_the_next_look(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshotter, "_IMPORTS_S", 0)
    project = CodeProject(tmp_path / "p", {"train.py": TASK})
    learn, snaps = project.load().Learn, Snapshotter(workspace)
    snaps.current([learn])
    (tmp_path / "link").symlink_to("p")
    sys.path.insert(0, str(tmp_path / "link"))
    taken = snaps.current([learn])
    assert taken is not None
    assert (taken.trees[0].roots, taken.lines) == ([str(project.root), str(tmp_path / "link")], [])


def test_a_class_whose_file_is_gone_has_its_root(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"pyproject.toml": "", "train.py": TASK})
    learn = project.load().Learn
    (project.root / "train.py").unlink()
    assert root_of(learn) == str(project.root)


def test_modules_are_asked_nothing(tmp_path: Path) -> None:
    import types

    class Lazy(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            raise AssertionError(name)

    sys.modules["lazy_one"] = Lazy("lazy_one")
    try:
        assert "lazy_one" not in {each.module for each in Imports().files()}
    finally:
        del sys.modules["lazy_one"]
