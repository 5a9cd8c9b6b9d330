"""What is remembered of an index is what was read: entries of all forms, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.index import memory
from xpm_core.index.entries import End, Entry
from xpm_core.index.folders import memory_file
from xpm_core.index.memory import Memory, Seen, recall, remember
from xpm_core.states import State


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of an index that has ten bytes."""
    path = tmp_path / "run.jsonl"
    path.write_text("0123456789")
    return path


def entries() -> dict[str, Entry]:
    """Jobs of several tasks, with different names of tags and parameters, one after the other."""
    error = {"type": "ValueError", "line": 3}
    found = [
        Entry(
            "a1", "m:Train", {"n": 1}, {"lr": 0.1, "n": 1}, ["e"], 1.0, 2.0, End(State.DONE, 5.0, 4.0, "h", "w", "x", 1)
        ),
        Entry("b1", "m:Test", {}, {"k": [1, 2]}, ["e", "f"], 1.5, 1.5),
        Entry("a2", "m:Train", {"n": 2}, {"lr": 1, "n": 2}, ["f"], 3.0, 3.0, End(State.FAILED, 6.0, error=error)),
        Entry("a3", "m:Train", {}, {"lr": 0.1, "n": 1}, [], 0.0, 0.0, End(State.CANCELLED, 7.0)),
        Entry("c1", end=End(State.DONE, 8.0, code="live", commit="1a+", packages="06", live_files=True)),
    ]
    return {entry.identity: entry for entry in found}


def remembered(tmp_path: Path, file: Path) -> Memory:
    seen = {str(file): Seen(file.stat().st_ino, 10)}
    remember(tmp_path, Memory(entries(), seen, {str(file): 2}))
    return recall(tmp_path, {str(file)})


def test_entries_are_recalled_as_they_were_in_their_order(tmp_path: Path, file: Path) -> None:
    found = remembered(tmp_path, file)
    assert found.entries == entries()
    assert list(found.entries) == ["a1", "b1", "a2", "a3", "c1"]
    assert (found.seen, found.damaged) == ({str(file): Seen(file.stat().st_ino, 10)}, {str(file): 2})


def test_what_was_recalled_can_be_changed_and_remembered_again(tmp_path: Path, file: Path) -> None:
    found = remembered(tmp_path, file)
    found.entries["a1"].experiments.append("g")
    found.entries["a1"].tags = {"n": 3}
    found.entries["b1"].end = End(State.FAILED, 9.0)
    remember(tmp_path, found)
    again = recall(tmp_path, {str(file)}).entries
    assert (again["a1"].experiments, again["a1"].tags, again["a1"].params) == (
        ["e", "g"],
        {"n": 3},
        {"lr": 0.1, "n": 1},
    )
    assert again["b1"].end == End(State.FAILED, 9.0)
    assert again["a2"] == entries()["a2"]


@pytest.mark.parametrize("change", ["shorter", "replaced", "gone"])
def test_nothing_is_recalled_of_a_file_that_has_not_only_grown(tmp_path: Path, file: Path, change: str) -> None:
    remembered(tmp_path, file)
    assert recall(tmp_path, set()).entries == {}
    if change == "shorter":
        file.write_text("012")
    else:
        file.rename(file.with_name("old"))
        if change == "replaced":
            file.write_text("0123456789")
    assert recall(tmp_path, {str(file)}).entries == {}


def test_another_workspace_has_another_memory(tmp_path: Path, file: Path) -> None:
    remembered(tmp_path, file)
    assert memory_file(tmp_path) != memory_file(tmp_path / "other")
    assert recall(tmp_path / "other", {str(file)}).entries == {}


def test_what_an_xpm_remembers_that_compared_ends_otherwise_is_not_recalled(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to version 5, a job that was done after it had counted as lost could be remembered as failed."""
    with monkeypatch.context() as earlier:
        earlier.setattr(memory, "VERSION", [5, *memory.VERSION[1:]])
        assert remembered(tmp_path, file).entries == entries()
    assert recall(tmp_path, {str(file)}).entries == {}
