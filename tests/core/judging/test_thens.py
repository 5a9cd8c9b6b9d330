"""What this machine remembers of the directories of done jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.judging import thens as thens_module
from xpm_core.judging.then import Packages, Then
from xpm_core.judging.thens import Thens
from xpm_core.snapshot.provenance import Provenance
from xpm_core.workspace.job_directory import JobDirectory

THEN = Then(
    "1" * 64, "2" * 64, (("p", ""), ("p", "src")), frozenset({"queue"}), (("p", "train.py", "Train"),),
    Packages("3" * 64, "3.12.4"), Packages("4" * 64, "3.11.7"),
)  # fmt: skip
OTHER = THEN._replace(ran="5" * 64)


class Directories:
    """Stands for what the directories say."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(thens_module, "then_of", self._then)
        monkeypatch.setattr(thens_module, "WORTH", 2)
        self.workspace = tmp_path / "workspace"
        self.says: dict[str, Then | str] = {"e1": THEN, "e2": THEN, "e3": OTHER, "": THEN}
        self.read: list[str] = []

    def _then(self, directory: JobDirectory, task: str, provenance_of: object, execution: str) -> Then | str:
        self.read.append(execution)
        return self.says[execution]

    def thens(self, workspace: Path | None = None) -> Thens:
        """Those of a new process."""
        return Thens(workspace or self.workspace, lambda digest: Provenance("", []))

    def asked(self, thens: Thens, *executions: str) -> list[Then | str]:
        """What it says of executions."""
        directory = JobDirectory(self.workspace, f"jobs/train.train/{'1' * 64}")
        return [thens.of(directory, "train:Train", each) for each in executions]


@pytest.fixture
def directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directories:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Directories(tmp_path, monkeypatch)


def files(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache").rglob("*.msgpack"))


def test_each_execution_is_read_once_also_by_later_processes(directories: Directories) -> None:
    first = directories.thens()
    assert directories.asked(first, "e1", "e2", "e3", "e1") == [THEN, THEN, OTHER, THEN]
    first.remember({"e1", "e2", "e3"})
    assert directories.asked(directories.thens(), "e3", "e2", "e1") == [OTHER, THEN, THEN]
    assert directories.read == ["e1", "e2", "e3"]


def test_an_execution_that_the_index_lacks_is_forgotten(directories: Directories) -> None:
    first = directories.thens()
    directories.asked(first, "e1", "e2")
    first.remember({"e2"})
    directories.read.clear()
    directories.asked(directories.thens(), "e1", "e2")
    assert directories.read == ["e1"]


def test_what_is_not_known_is_read_again(directories: Directories) -> None:
    directories.says |= {"e1": "there is no record of how it ran"}
    first = directories.thens()
    for _ in range(2):
        directories.asked(first, "e1", "")
    first.remember({"e1", ""})
    assert directories.read == ["e1", "", "e1", ""]


def test_few_new_ones_are_not_worth_a_file(directories: Directories, tmp_path: Path) -> None:
    first = directories.thens()
    directories.asked(first, "e1")
    first.remember({"e1"})
    assert files(tmp_path) == []


def test_a_file_that_is_damaged_or_of_another_workspace_is_passed_over(
    directories: Directories, tmp_path: Path
) -> None:
    first = directories.thens()
    directories.asked(first, "e1", "e3")
    first.remember({"e1", "e3"})
    [file] = files(tmp_path)
    whole = file.read_bytes()
    for damaged in (b"", whole[:-3], b"\x80", b"\xc0", whole.replace(b"\xa7version\x01", b"\xa7version\x02")):
        file.write_bytes(damaged)
        directories.read.clear()
        assert directories.asked(directories.thens(), "e1", "e3") == [THEN, OTHER]
        assert directories.read == ["e1", "e3"]
    file.write_bytes(whole.replace(bytes(str(directories.workspace), "utf-8"), b"x" * len(str(directories.workspace))))
    directories.read.clear()
    directories.asked(directories.thens(), "e1")
    assert directories.read == ["e1"]


def test_without_a_place_for_the_file_all_works(
    directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no-folder").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no-folder"))
    first = directories.thens()
    assert directories.asked(first, "e1", "e3") == [THEN, OTHER]
    first.remember({"e1", "e3"})
