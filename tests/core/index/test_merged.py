"""The index read as one: what was appended is read, torn lines wait, damaged ones are counted; memory is no truth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_core.index import merged
from xpm_core.index.entries import End, ended_line, submitted_line
from xpm_core.index.folders import ends_folder, removals_folder, submissions_folder
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import RemovalWriter
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace


def identity(number: int) -> str:
    return f"{number:064x}"


def append(path: Path, *lines: str, end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("\n".join(lines) + end)
    return path


def submissions(workspace: Workspace, name: str = "run1", experiment: str = "e") -> Path:
    return submissions_folder(workspace.experiment(experiment)) / f"{name}.jsonl"


def line(number: int, at_s: float = 1.0, **params: object) -> str:
    return submitted_line(identity(number), "sweep:Train", {}, params, at_s)


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every read be remembered, in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(merged, "WORTH", 1)


def test_files_of_scripts_and_workers_are_one_index(workspace: Workspace) -> None:
    append(submissions(workspace), line(1, x=1), line(2, x=2))
    append(submissions(workspace, experiment="other"), line(2, x=2))
    append(ends_folder(workspace.path) / "w1.jsonl", ended_line(identity(2), End(State.DONE, 5.0, host="node1")))
    entries = MergedIndex(workspace.path).read()
    assert [each.params for each in entries.values()] == [{"x": 1}, {"x": 2}]
    assert entries[identity(2)].experiments == ["e", "other"]
    assert entries[identity(2)].end == End(State.DONE, 5.0, host="node1")
    assert entries[identity(1)].end is None


def test_an_empty_workspace_has_an_empty_index(workspace: Workspace) -> None:
    index = MergedIndex(workspace.path)
    assert (index.read(), index.newest_s, index.damaged) == ({}, 0.0, {})


def test_only_what_was_appended_is_read_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    path = append(submissions(workspace), line(1, x=1))
    first = MergedIndex(workspace.path).read()
    append(path, line(2, x=2))
    read: list[bytes] = []
    plain = merged.read_line
    monkeypatch.setattr(merged, "read_line", lambda text, *rest: read.append(text) or plain(text, *rest))
    entries = MergedIndex(workspace.path).read()
    assert len(read) == 1
    assert entries[identity(1)] == first[identity(1)]
    assert entries[identity(2)].params == {"x": 2}


def test_a_torn_last_line_is_read_once_it_is_whole(workspace: Workspace) -> None:
    whole = line(2, x=2)
    path = append(submissions(workspace), line(1, x=1), whole[:40], end="")
    index = MergedIndex(workspace.path)
    assert set(index.read()) == {identity(1)}
    assert index.damaged == {}
    append(path, whole[40:])
    assert set(MergedIndex(workspace.path).read()) == {identity(1), identity(2)}


def test_damaged_lines_are_counted_also_from_memory(workspace: Workspace) -> None:
    path = append(submissions(workspace), line(1), "{torn", line(2))
    for _ in range(2):
        index = MergedIndex(workspace.path)
        assert set(index.read()) == {identity(1), identity(2)}
        assert index.damaged == {str(path): 1}


@pytest.mark.parametrize("change", ["replaced", "shorter", "removed"])
def test_memory_of_a_file_that_is_another_one_now_is_forgotten(workspace: Workspace, change: str) -> None:
    path = append(submissions(workspace), line(1, x=1), line(2, x=2))
    MergedIndex(workspace.path).read()
    if change == "replaced":
        other = append(path.with_name("new"), line(3, x=3), line(4, x=4), line(5, x=5))
        os.replace(other, path)
        left = {identity(3), identity(4), identity(5)}
    elif change == "shorter":
        path.write_text(line(1, x=1) + "\n")
        left = {identity(1)}
    else:
        path.unlink()
        left = set()
    assert set(MergedIndex(workspace.path).read()) == left


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xc1\xff", b"\x81\xa7version\x01"])
def test_memory_that_is_damaged_is_passed_over(workspace: Workspace, content: bytes) -> None:
    append(submissions(workspace), line(1, x=1))
    MergedIndex(workspace.path).read()
    memory = MergedIndex(workspace.path).memory
    assert memory.stat().st_mode & 0o077 == 0
    memory.write_bytes(content)
    assert set(MergedIndex(workspace.path).read()) == {identity(1)}


def test_without_a_place_for_memory_all_is_read_each_time(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    append(submissions(workspace), line(1, x=1))
    for _ in range(2):
        assert set(MergedIndex(workspace.path).read()) == {identity(1)}


def test_an_integer_that_memory_cannot_hold_is_read_each_time(workspace: Workspace) -> None:
    append(submissions(workspace), line(1, x=2**100))
    for _ in range(2):
        assert MergedIndex(workspace.path).read()[identity(1)].params == {"x": 2**100}


def test_what_was_written_of_a_removed_job_counts_no_more_and_what_comes_later_does(workspace: Workspace) -> None:
    first, second = submissions(workspace), submissions(workspace, experiment="other")
    append(first, line(1, 1.0, x=1), line(2, 1.0))
    append(ends_folder(workspace.path) / "w1.jsonl", ended_line(identity(1), End(State.DONE, 5.0)))
    index = MergedIndex(workspace.path)
    assert set(index.read()) == {identity(1), identity(2)}
    RemovalWriter(workspace.path, "me").add(identity(1), 5.0)
    assert set(index.read()) == set(MergedIndex(workspace.path).read()) == {identity(2)}
    append(second, line(1, 6.0, x=2))
    [entry] = [each for each in index.read().values() if each.identity == identity(1)]
    assert (entry.experiments, entry.params, entry.end, entry.submitted_s) == (["other"], {"x": 2}, None, 6.0)
    RemovalWriter(workspace.path, "other").add(identity(1), 3.0)  # an earlier one changes nothing
    assert index.read()[identity(1)].experiments == ["other"]


def test_damaged_lines_on_removed_jobs_are_passed_over(workspace: Workspace) -> None:
    append(submissions(workspace), line(1, 1.0))
    damaged = ["{", '{"id": 3}', '{"removed": -1, "id": "x"}', '{"rem']
    append(removals_folder(workspace.path) / "me.jsonl", *damaged, end="")
    assert set(MergedIndex(workspace.path).read()) == {identity(1)}


def test_a_removal_is_read_that_comes_after_a_line_that_a_crash_has_cut(workspace: Workspace) -> None:
    append(submissions(workspace), line(1, 1.0))
    append(removals_folder(workspace.path) / "me.jsonl", '{"removed": 4', end="")
    RemovalWriter(workspace.path, "me").add(identity(1), 5.0)
    assert MergedIndex(workspace.path).read() == {}


def test_reading_on_brings_what_is_known_up_to_date(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    file = append(submissions(workspace), line(1, x=1))
    index = MergedIndex(workspace.path)
    known = index.read()[identity(1)]
    monkeypatch.setattr(merged, "recall", None)  # nothing is read from the beginning
    append(file, line(2, x=2))
    append(ends_folder(workspace.path) / "w1.jsonl", ended_line(identity(1), End(State.DONE, 5.0)))
    entries = index.read_on()
    assert entries[identity(2)].params == {"x": 2}
    assert entries[identity(1)] is known
    assert known.state is State.DONE
    assert index.read_on() == entries


def test_reading_on_begins_anew_if_a_file_was_replaced(workspace: Workspace) -> None:
    file = append(submissions(workspace), line(1, x=1))
    index = MergedIndex(workspace.path)
    assert set(index.read_on()) == {identity(1)}  # also as the first reading
    file.unlink()
    append(submissions(workspace, "run2"), line(2, x=2))
    assert set(index.read_on()) == {identity(2)}
