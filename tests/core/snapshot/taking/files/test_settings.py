"""What a project says about its snapshots, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.errors import SettingsError
from xpm_core.project.settings import project_settings
from xpm_core.snapshot.taking.files.settings import read_settings


def write(folder: Path, text: str) -> str:
    (folder / "pyproject.toml").write_text(text)
    return str(folder)


def test_without_a_file_or_a_table_nothing_is_set(tmp_path: Path) -> None:
    for text in (None, "", "[tool.xpm]\ntemplates = true", "[tool.black]\nsnapshot = 1"):
        found = read_settings(write(tmp_path, text) if text is not None else str(tmp_path))
        assert (found.include.patterns, found.exclude.patterns, found.also) == ((), (), ())


def test_all_settings_are_read(tmp_path: Path) -> None:
    for folder in ("app", "lib"):
        (tmp_path / folder).mkdir()
    (tmp_path / "link").symlink_to("lib")
    text = '[tool.xpm]\ntemplates = false\n[tool.xpm.snapshot]\ninclude = ["build/*.so"]\nexclude = ["data"]'
    text += '\nalso = ["../link"]'
    root = write(tmp_path / "app", text)
    found = read_settings(root)
    assert found.include.match("build/a.so")
    assert found.exclude.match("data/x/y")
    assert found.also == (str(tmp_path / "lib"),)
    assert found.where == f"{root}/pyproject.toml:4"
    assert project_settings(root) == {"templates": False}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("includes = []", 2, "unknown setting 'tool.xpm.snapshot.includes'. Did you mean 'include'?"),
        ('include = "*.so"', 2, "include: expected a list of strings. Give paths or patterns of files."),
        ("exclude = [1]", 2, "exclude: expected a list of strings"),
        ('also = [""]', 2, "also: expected a list of strings"),
        ('include = ["../x"]', 2, "include: '../x' leaves the project"),
        ('exclude = ["/data"]', 2, "exclude: '/data' leaves the project"),
        ('also = ["../nowhere"]', 2, "also: there is no folder"),
    ],
)
def test_what_is_wrong_is_an_error_with_its_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    root = write(tmp_path, f"[tool.xpm.snapshot]\n{text}\n")
    with pytest.raises(SettingsError) as raised:
        read_settings(root)
    assert str(raised.value).startswith(f"{root}/pyproject.toml:{line}: ")
    assert problem in str(raised.value)


def test_a_table_that_is_none_and_a_file_that_is_no_toml_are_errors(tmp_path: Path) -> None:
    for text, problem in (("[tool.xpm]\nsnapshot = 1", "expected a table"), ("[tool.xpm.snapshot", "is not TOML")):
        with pytest.raises(SettingsError, match=problem):
            read_settings(write(tmp_path, text))
