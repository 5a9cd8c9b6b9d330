"""Which files are the project's, by their path."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from xpm_worker.job.trace.places import Places
from xpm_worker.protocol.messages import RunJob

SNAPSHOT = "8c1f" * 16
CODE = {
    "/home/me/digits": f"/tmp/xpm-1/code/{SNAPSHOT}/digits",
    "/home/me/links/src": f"/tmp/xpm-1/code/{SNAPSHOT}/digits/src",
    "/home/me/digits/lib": f"/tmp/xpm-1/code/{SNAPSHOT}/lib",
}


def message(code: dict[str, str], workspace: str = "/home/me/digits/runs") -> RunJob:
    fields: dict[str, Any] = {name: None for name in RunJob._fields if name not in RunJob._field_defaults}
    return RunJob(**{**fields, "workspace": workspace, "snapshot": SNAPSHOT, "code": code})


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"/tmp/xpm-1/code/{SNAPSHOT}/digits/data/a.csv", ("digits", "data/a.csv")),
        ("/home/me/digits/data/a.csv", ("digits", "data/a.csv")),
        ("/home/me/links/src/a.py", ("digits", "src/a.py")),
        ("/home/me/digits/lib/a.py", ("lib", "a.py")),
        ("/home/me/digits2/a.py", None),
        ("/home/me/digits", None),
        (f"/tmp/xpm-1/code/{SNAPSHOT}/digits", None),
        (f"/tmp/xpm-1/code/{'0' * 64}/digits/a.py", None),
        ("/home/me/digits/../a", None),
        (f"/tmp/xpm-1/code/{SNAPSHOT}/digits/pkg/../plugins//a.py", ("digits", "plugins/a.py")),
        ("", None),
    ],
)
def test_a_file_has_a_place_in_its_tree(path: str, place: tuple[str, str] | None) -> None:
    assert Places(message(CODE)).place(path) == place


@pytest.mark.parametrize(
    ("path", "is_data"),
    [
        ("/home/me/digits/data/a.csv", True),
        (f"/tmp/xpm-1/code/{SNAPSHOT}/digits/runs/a.csv", True),
        ("/home/me/digits/runs/jobs/a.csv", False),
        ("/home/me/digits/train.py", True),
        ("/home/me/digits/train.pyc", False),
        ("/home/me/digits/__pycache__/train.cpython-312.pyc", False),
        ("/home/me/digits/.venv/lib/python3.12/site-packages/numpy/a.txt", False),
        ("/home/me/digits/src/digits.egg-info/entry_points.txt", False),
        ("/home/me/digits/.git/HEAD", False),
        ("/etc/passwd", False),
        ("", False),
    ],
)
def test_code_packages_and_the_workspace_are_no_data(path: str, is_data: bool) -> None:
    assert Places(message(CODE)).is_data(path) is is_data


@pytest.mark.parametrize("workspace", ["/home/me/digits", "/home/me"])
def test_in_a_workspace_that_holds_the_project_only_what_xpm_keeps_is_no_data(workspace: str) -> None:
    places = Places(message(CODE, workspace))
    assert places.is_data("/home/me/digits/data/a.csv")
    assert places.is_data("/home/me/digits/jobs/a/out.txt") is (workspace == "/home/me")
    assert not places.is_data(f"{workspace}/jobs/a/out.txt")


def test_an_environment_in_the_projects_folder_is_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/home/me/digits/env")
    assert not Places(message(CODE)).is_data("/home/me/digits/env/share/a.txt")


def test_a_python_above_the_project_makes_nothing_of_the_project_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/home/me")
    assert Places(message(CODE)).is_data("/home/me/digits/data/a.csv")


def test_a_folder_is_known_by_its_path_without_links_too(tmp_path: Path) -> None:
    tree = tmp_path / "real" / SNAPSHOT / "digits"
    tree.mkdir(parents=True)
    os.symlink(tmp_path / "real", tmp_path / "link")
    places = Places(message({"/nowhere/digits": str(tmp_path / "link" / SNAPSHOT / "digits")}))
    assert places.place(str(tree / "a.csv")) == ("digits", "a.csv")
    assert places.is_copy(str(tmp_path / "link" / SNAPSHOT / "digits" / "a.csv"))


def test_code_that_lies_in_no_copy_of_the_snapshot_has_no_places() -> None:
    places = Places(message({"/home/me/digits": "/home/me/copy/digits"}))
    assert not places.is_data("/home/me/digits/a.csv")
    assert places.place("/home/me/copy/digits/a.csv") is None
