"""Files of the index are merged without losing a line."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from xpm_core.cleaning.removing import index_files
from xpm_core.cleaning.removing.index_files import DAY_S, merge
from xpm_core.errors import WorkspaceError


def file(folder: Path, name: str, text: str, days: float = 2) -> Path:
    path = folder / name
    path.write_text(text)
    os.utime(path, (time.time() - days * DAY_S,) * 2)
    return path


def test_old_files_become_one_and_a_young_one_stays(tmp_path: Path) -> None:
    file(tmp_path, "a.jsonl", "1\n2\n")
    file(tmp_path, "b.jsonl", "3")
    file(tmp_path, "c.jsonl", "4\n", days=0.5)
    file(tmp_path, "d.txt", "5\n")
    merge(tmp_path, time.time())
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("merged-")]) == 1
    assert sorted("".join(path.read_text() for path in tmp_path.glob("*.jsonl")).split()) == ["1", "2", "3", "4"]


def test_a_line_that_comes_late_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its writer has opened the file before it was merged, and writes now."""
    writer = file(tmp_path, "a.jsonl", "1\n").open("a")
    os.utime(tmp_path / "a.jsonl", (1.0, 1.0))
    write = index_files.write_atomic

    def late(*args: object, **more: object) -> None:
        write(*args, **more)  # type: ignore[arg-type]
        writer.write("2\n")
        writer.close()

    monkeypatch.setattr(index_files, "write_atomic", late)
    merge(tmp_path, time.time())
    [merged] = tmp_path.iterdir()
    assert merged.read_text() == "1\n2\n"


def test_a_folder_in_which_nothing_can_be_written_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(tmp_path, "a.jsonl", "1\n")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_files, "write_atomic", refuse)
    with pytest.raises(WorkspaceError, match="cannot be merged: no space left on device"):
        merge(tmp_path, time.time())
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
