"""Limits: too many files, too large ones, and settings that ask for more."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.code_projects import CodeProject

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.taking.files import listing, selection
from xpm_core.snapshot.taking.files.links import Surroundings
from xpm_core.snapshot.taking.files.selection import Selection, select
from xpm_core.snapshot.taking.files.settings import read_settings


def selected(root: Path, imported: tuple[str, ...] = ()) -> Selection:
    return select(str(root), read_settings(str(root)), imported, Surroundings([str(root)], ""))


def test_among_many_files_only_code_and_what_was_imported_is_kept(tmp_path: Path) -> None:
    images: dict[str, str | bytes] = {f"images/{number // 100}/{number}.jpg": "" for number in range(10_100)}
    project = CodeProject(tmp_path / "p", {"train.py": "", "pkg/util.py": "", "pkg/fast.so": "", "pkg/other.so": ""})
    project.write({**images, "pyproject.toml": "", "data.csv": ""})
    found = selected(project.root, imported=("pkg/fast.so",))
    assert sorted(found.files) == ["pkg/fast.so", "pkg/util.py", "pyproject.toml", "train.py"]
    assert found.notes.narrowed == "it has 10,106 files (images: 10,100 files, .: 3 files, pkg: 3 files)"


def test_over_the_bytes_only_code_is_kept_and_the_largest_folders_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MOST_BYTES", 5_000_000)
    files: dict[str, str | bytes] = {f"data/{number}.bin": b"\0" * 900_000 for number in range(6)}
    project = CodeProject(tmp_path / "p", {**files, "train.py": "x", "a/b.txt": b"1" * 900_000})
    found = selected(project.root)
    assert (sorted(found.files), found.large) == (["train.py"], {})
    assert found.notes.narrowed == "it has 6 MB (data: 5 MB, a: 0 MB, .: 0 MB)"


def test_included_files_are_kept_also_then_but_not_beyond_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MOST_FILES", 20)
    files: dict[str, str | bytes] = {f"data/{number}.bin": "" for number in range(40)}
    text = '[tool.xpm.snapshot]\ninclude = ["data/1*.bin"]'
    project = CodeProject(tmp_path / "p", {**files, "train.py": "", "pyproject.toml": text})
    assert len(selected(project.root).files) == 11 + 2
    project.write({"pyproject.toml": text.replace("1*", "*")})
    with pytest.raises(SnapshotError, match=r"pyproject.toml:2: include asks for 40 files, 0 MB; at most 20 files"):
        selected(project.root)


def test_included_files_are_found_though_git_ignores_them(tmp_path: Path) -> None:
    text = '[tool.xpm.snapshot]\ninclude = ["build/*.so", "*.dat", "notes", "nothing.txt"]\nexclude = ["x/secret.dat"]'
    project = CodeProject(tmp_path / "p", {".gitignore": "*\n", "pyproject.toml": text, "build/deep/no.so": ""})
    project.write(
        {"build/a.so": "", "x/y/a.dat": "1" * 1_500_000, "x/secret.dat": "", "notes/.env": "", "build/no.txt": ""}
    )
    project.git("init").git("add", "-f", "pyproject.toml")
    found = selected(project.root)
    assert sorted(found.files) == ["build/a.so", "notes/.env", "pyproject.toml", "x/y/a.dat"]
    assert (found.large, found.notes.secrets, found.notes.unmatched) == ({}, [], ["nothing.txt"])


def test_what_programs_write_is_left_out_and_said_unless_it_is_included_or_imported(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"a.py": "", "pyproject.toml": "", "job.out": "", "in.log": "", "x.log": ""})
    found = selected(project.root)
    assert (sorted(found.files), found.notes.outputs) == (["a.py", "pyproject.toml"], ["*.log", "*.out"])
    project.write({"pyproject.toml": '[tool.xpm.snapshot]\ninclude = ["*.out", "in.log"]'})
    found = selected(project.root)
    assert sorted(found.files) == ["a.py", "in.log", "job.out", "pyproject.toml"]
    assert found.notes.outputs == ["*.log"]
    assert selected(project.root, imported=("x.log",)).notes.outputs == []


def test_a_search_that_ends_early_keeps_what_was_imported_and_the_code_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = CodeProject(
        tmp_path / "p", {"train.py": "", "beside.py": "", "a.txt": "", "pkg/m.py": "", "pkg/n.py": ""}
    )
    project.write({"other/o.py": "", "pyproject.toml": ""}).commit()
    monkeypatch.setattr(listing, "files_of", _slow)
    found = selected(project.root, imported=("train.py", "pkg/m.py"))
    names = ["beside.py", "other/o.py", "pkg/m.py", "pkg/n.py", "pyproject.toml", "train.py"]
    assert sorted(found.files) == names, "git still says what it tracks"
    monkeypatch.setattr(listing, "tracked_files", _slow)
    found = selected(project.root, imported=("train.py", "pkg/m.py"))
    assert sorted(found.files) == [name for name in names if name != "other/o.py"]
    assert found.notes.narrowed.startswith("it is too large to search")


def _slow(*_: object) -> None:
    raise listing.GitSlowError("git did not answer within 4 s")


def test_a_root_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot be read"):
        selected(tmp_path / "gone")


def test_large_code_and_imported_files_are_kept_and_other_large_ones_linked(tmp_path: Path) -> None:
    large = b"\0" * 1_000_001
    project = CodeProject(
        tmp_path / "p", {"a.py": large, "b.so": large, "c.bin": large, "d.bin": large, "e.bin": large[1:]}
    )
    found = selected(project.root, imported=("c.bin",))
    assert (sorted(found.files), sorted(found.large)) == (["a.py", "b.so", "c.bin", "e.bin"], ["d.bin"])
    assert found.notes.large == [("d.bin", 1_000_001)]


def test_leftovers_of_editors_and_file_systems_are_left_out(tmp_path: Path) -> None:
    names = ["a.py~", ".a.py.swp", "#a.py#", ".nfs000000001", ".DS_Store"]
    project = CodeProject(tmp_path / "p", {"a.py": "", "~b.py": "", **dict.fromkeys(names, "")})
    (project.root / ".#a.py").symlink_to("me@host.1")
    found = selected(project.root)
    assert (sorted(found.files), found.links) == (["a.py", "~b.py"], {})


def test_what_is_excluded_is_not_kept_also_if_it_was_imported(tmp_path: Path) -> None:
    text = '[tool.xpm.snapshot]\nexclude = ["old"]'
    project = CodeProject(tmp_path / "p", {"a.py": "", "old/b.py": "", "x/old/c.py": "", "pyproject.toml": text})
    assert sorted(selected(project.root, imported=("old/b.py", "a.py")).files) == ["a.py", "pyproject.toml"]
