"""The files of a project at one time, and which of them a module is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from xpm_core.fingerprints.project import Folders
from xpm_core.project.import_path import PACKAGES, STANDARD, ImportPath

if TYPE_CHECKING:
    from core.fingerprints.conftest import MakeProject

FILES = {
    "train.py": "",
    "json.py": "",
    "lib/json.py": "",
    "lib/tools.py": "",
    "tools/__init__.py": "",
    "tools/deep/__init__.py": "",
    "tools/deep/end.py": "",
    "space/inner.py": "",
    "lib/space/other.py": "",
    "both.py": "",
    "both.abi3.so": "",
    "src/pkg/__init__.py": "",
    "src/pkg/mod.py": "",
}


@pytest.mark.parametrize(
    ("name", "importer", "found"),
    [
        ("train", "train.py", ["train.py"]),
        ("tools", "train.py", ["tools/__init__.py"]),
        ("tools.deep.end", "train.py", ["tools/__init__.py", "tools/deep/__init__.py", "tools/deep/end.py"]),
        ("tools.none", "train.py", []),
        ("space.inner", "train.py", ["", "space/inner.py"]),
        ("space.other", "train.py", ["", "lib/space/other.py"]),
        ("both", "train.py", ["both.abi3.so"]),
        ("numpy.linalg", "train.py", None),
        ("json", "train.py", None),
        (".end", "tools/deep/__init__.py", ["tools/deep/__init__.py", "tools/deep/end.py"]),
        (".", "tools/deep/end.py", ["tools/deep/__init__.py"]),
        ("..deep.end", "tools/deep/end.py", ["tools/__init__.py", "tools/deep/__init__.py", "tools/deep/end.py"]),
        ("....", "tools/deep/end.py", []),
        ("pkg.mod", "src/pkg/mod.py", ["src/pkg/__init__.py", "src/pkg/mod.py"]),
        ("pkg.mod", "train.py", None),
    ],
)
def test_modules_are_found_as_python_finds_them(
    project: MakeProject, name: str, importer: str, found: list[str] | None
) -> None:
    result = project(FILES, ("", "lib")).find(name, ("p", importer))
    assert result.is_outside == (found is None)
    assert [each.path for each in result.modules] == (found or [])


def test_a_file_is_taken_for_a_module_of_the_standard_library_only_if_the_script_does(project: MakeProject) -> None:
    taken = project(FILES, ("", "lib"), taken="json").find("json", ("p", "train.py"))
    assert [each.path for each in taken.modules] == ["json.py"]


def test_folders_are_those_of_the_import_path_that_lie_in_trees() -> None:
    path = ImportPath(
        ["/home/me/digits", STANDARD, "/opt/lib", "/home/me/digits/src", PACKAGES, "/links/src/a"],
        {"json": True, "io": False},
    )
    roots = {"/home/me/digits": "digits", "/links/src": "digits/src"}
    assert Folders.of(path, roots) == Folders(
        [("digits", ""), ("digits", "src"), ("digits", "src/a")], frozenset({"json"})
    )


def test_packages_of_a_file_end_where_there_is_none(project: MakeProject) -> None:
    found = project({**FILES, "a/b/__init__.py": "", "a/b/c.py": ""})
    assert found.packages_of(("p", "tools/deep/end.py")) == [
        ("p", "tools/deep/__init__.py"),
        ("p", "tools/__init__.py"),
    ]
    assert found.packages_of(("p", "tools/deep/__init__.py")) == [("p", "tools/__init__.py")]
    assert found.packages_of(("p", "a/b/c.py")) == [("p", "a/b/__init__.py")]
