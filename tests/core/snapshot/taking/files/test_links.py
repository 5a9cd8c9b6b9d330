"""Links: followed inside of roots, kept outside, and refused if they go round in a circle."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.code_projects import CodeProject
from hypothesis import given, settings
from hypothesis import strategies as st

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.taking.files import links
from xpm_core.snapshot.taking.files.links import Surroundings
from xpm_core.snapshot.taking.files.selection import Selection, select
from xpm_core.snapshot.taking.files.settings import read_settings


def selected(root: Path, *others: Path, imported: tuple[str, ...] = (), workspace: str = "") -> Selection:
    roots = [str(root), *map(str, others)]
    return select(str(root), read_settings(str(root)), imported, Surroundings(roots, workspace))


@pytest.fixture(params=["plain", "git"])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> CodeProject:
    project = CodeProject(tmp_path / "p", {"a.py": "1", "data/x.txt": "1", "data/deep/y.txt": "1"})
    return project.git("init") if request.param == "git" else project


def link(project: CodeProject, path: str, target: str | Path) -> None:
    (project.root / path).parent.mkdir(parents=True, exist_ok=True)
    (project.root / path).symlink_to(target)


def test_links_in_the_root_are_followed_through_each_other(project: CodeProject) -> None:
    link(project, "one", "data")
    link(project, "two", "one/deep")
    link(project, "three.txt", "two/y.txt")
    link(project, "data/z.txt", "../a.py")
    found = selected(project.root)
    names = ["a.py", "data/deep/y.txt", "data/x.txt", "data/z.txt"]
    names += ["one/deep/y.txt", "one/x.txt", "one/z.txt", "three.txt", "two/y.txt"]
    assert (sorted(found.files), found.links) == (names, {})
    assert not any(os.path.islink(file.place) for file in found.files.values())


@pytest.mark.parametrize("target", [".", "..", "data/deep/up", "loop"])
def test_a_circle_is_an_error_that_names_the_line(project: CodeProject, target: str) -> None:
    link(project, "data/loop", {"..": "..", ".": "."}.get(target, target))
    link(project, "data/deep/up", "../../data")
    with pytest.raises(SnapshotError, match=r"this link leads to a folder that holds it.*exclude = \[\"data/"):
        selected(project.root)
    (project.root / "pyproject.toml").write_text('[tool.xpm.snapshot]\nexclude = ["data/loop", "data/deep/up"]')
    assert "data/x.txt" in selected(project.root).files


def test_a_circle_over_two_folders_is_an_error(project: CodeProject) -> None:
    link(project, "b/to_data", "../data")
    link(project, "data/to_b", "../b")
    with pytest.raises(SnapshotError, match="a folder that holds it"):
        selected(project.root)


def test_links_that_leave_keep_their_absolute_targets(project: CodeProject, tmp_path: Path) -> None:
    CodeProject(tmp_path / "out", {"f.txt": "1", "m.py": "1"})
    for path, target in (
        ("root", "/"),
        ("up", ".."),
        ("data/out", "../../out"),
        ("null", "/dev/null"),
        ("m.py", "../out/m.py"),
    ):
        link(project, path, target)
    found = selected(project.root, imported=("m.py",))
    out = str(tmp_path / "out")
    assert found.links == {"root": "/", "up": str(tmp_path), "data/out": out, "null": "/dev/null"}
    assert found.notes.leaving == sorted(found.links)
    assert found.files["m.py"].place == f"{out}/m.py", "what was imported is kept, wherever its link leads"


def test_links_into_another_root_are_followed(project: CodeProject, tmp_path: Path) -> None:
    other = CodeProject(tmp_path / "lib", {"lib/u.py": "1"})
    link(project, "lib", "../lib/lib")
    assert selected(project.root).links == {"lib": f"{tmp_path}/lib/lib"}
    assert "lib/u.py" in selected(project.root, other.root).files


def test_links_into_environments_and_workspaces_stay_links(project: CodeProject) -> None:
    project.write({"env/pyvenv.cfg": "", "env/bin/python": "", "ws/.xpm/workspace.json": "", "runs/x": ""})
    for path, target in (("python", "env/bin/python"), ("results", "ws"), ("latest", "runs"), ("head", ".git")):
        link(project, path, target)
    (project.root / ".git").mkdir(exist_ok=True)
    found = selected(project.root, workspace=str(project.root / "runs"))
    assert sorted(found.links) == ["head", "latest", "python", "results"]


def test_a_link_to_a_secret_is_no_way_around(project: CodeProject) -> None:
    project.write({"deploy/.env": "KEY"})
    link(project, "settings.txt", "deploy/.env")
    found = selected(project.root)
    assert found.notes.secrets == ["deploy/.env", "settings.txt"]


def test_ignored_data_behind_a_link_is_followed(project: CodeProject) -> None:
    project.write({".gitignore": "cache/", "cache/big/x.txt": "1"})
    link(project, "set", "cache/big")
    assert "set/x.txt" in selected(project.root).files


def test_a_folder_that_became_a_link_is_listed_once(project: CodeProject, tmp_path: Path) -> None:
    CodeProject(tmp_path / "elsewhere", {"x.txt": "1", "deep/y.txt": "1"})
    project.commit()
    (project.root / "data").rename(project.root / "old")
    link(project, "data", "../elsewhere")
    found = selected(project.root)
    assert found.links == {"data": str(tmp_path / "elsewhere")}
    assert not any(path.startswith("data/") for path in found.files)


def test_links_that_multiply_are_an_error(project: CodeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_FOLLOWED", 1000)
    for number in range(30):
        for name in ("left", "right"):
            link(project, f"d{number}/{name}", f"../d{number + 1}")
    project.write({"d30/end.txt": "1"})
    with pytest.raises(SnapshotError, match="links like this lead to more than 1,000 files"):
        selected(project.root)


spots = st.sampled_from(["", "a", "b", "a/c"])
some_links = st.lists(
    st.tuples(spots, st.sampled_from(["x", "y", "z"]), spots, st.sampled_from(["", "f", "x", "y"])), max_size=5
)


@settings(max_examples=80)
@given(made=some_links)
def test_whatever_the_links_what_is_kept_is_what_they_lead_to(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, str, str, str]]
) -> None:
    root = tmp_path_factory.mktemp("links")
    project = CodeProject(root, {"f": "0", "a/f": "1", "b/f": "2", "a/c/f": "3"})
    for folder, name, target, end in made:
        place = root / folder / name
        if not os.path.lexists(place):
            place.symlink_to(os.path.relpath(root / target / end, place.parent))
    try:
        found = selected(project.root)
    except SnapshotError as error:
        assert "a folder that holds it" in str(error)  # noqa: PT017
        assert made
        return
    there = {
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _, names in os.walk(root, followlinks=True)
        for name in names
        if os.path.exists(os.path.join(folder, name))
    }
    assert set(found.files) == there
    assert all(Path(file.place).read_bytes() == (root / path).read_bytes() for path, file in found.files.items())


def test_sockets_pipes_and_devices_behind_links_are_left_out(project: CodeProject) -> None:
    os.mkfifo(project.root / "data" / "pipe")
    link(project, "to_pipe", "data/pipe")
    found = selected(project.root)
    assert not {"to_pipe", "data/pipe"} & ({*found.files} | {*found.links})
