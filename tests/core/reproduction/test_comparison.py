"""Two folders compared: which files count, what differs, and by how much numbers do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.reproduction import comparison
from xpm_core.reproduction.comparison import compare, relative_difference

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def folder(place: Path, **files: str) -> Path:
    for name, text in files.items():
        file = place / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return place


def results(then: Path, now: Path, *without: str) -> dict[str, str]:
    return {each.path: each.result for each in compare(then, now, without)}


def test_files_are_equal_differ_are_missing_or_new(tmp_path: Path) -> None:
    then = folder(tmp_path / "then", same="a", deep__other="b", gone="c", **{"train.out": "log"})
    now = folder(tmp_path / "now", same="a", deep__other="B", added="d", **{"train.out": "another log"})
    (then / ".xpm").mkdir()
    (then / ".xpm" / "done").write_text("x")
    assert results(then, now, ".xpm", "train.out") == {
        "added": "new",
        "deep/other": "differs",
        "gone": "missing",
        "same": "equal",
    }
    [added] = [each for each in compare(then, now) if each.path == "added"]
    assert (added.then, added.now and added.now.size) == (None, 1)


def test_names_that_do_not_count_count_in_folders(tmp_path: Path) -> None:
    then = folder(tmp_path / "then", **{"params.json": "a", "deep__params.json": "a"})
    now = folder(tmp_path / "now", **{"params.json": "b", "deep__params.json": "b"})
    assert results(then, now, "params.json") == {"deep/params.json": "differs"}


def test_path_of_the_folder_in_a_file_is_no_difference(tmp_path: Path) -> None:
    then, now = tmp_path / "then", tmp_path / "a longer name"
    folder(then, where=f"in {then}/a.txt\n")
    folder(now, where=f"in {now}/a.txt\n")
    os.symlink(then / "where", then / "link")
    os.symlink(now / "where", now / "link")
    assert results(then, now) == {"where": "equal", "link": "equal"}


def test_link_is_compared_by_its_target_and_differs_from_a_file(tmp_path: Path) -> None:
    then, now = folder(tmp_path / "then", plain="target"), folder(tmp_path / "now")
    os.symlink("target", then / "link")
    now.mkdir()
    os.symlink("elsewhere", now / "link")
    os.symlink("other", now / "plain")
    assert results(then, now) == {"link": "differs", "plain": "differs"}


def test_pipes_are_passed_over(tmp_path: Path) -> None:
    then, now = folder(tmp_path / "then", a="1"), folder(tmp_path / "now", a="1")
    os.mkfifo(then / "pipe")
    assert results(then, now) == {"a": "equal"}


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ('{"loss": 0.5}', '{"loss": 0.4}', 0.2),
        ("1 2e-3 -3", "1 2e-3 3", 2.0),
        ("a 1", "a 1.0", 0.0),
        ("a 1", "b 1", None),
        ("1,2", "1,2,3", None),
        ("ab12f 1", "ab13f 1", None),
        ("1.2.3", "1.2.4", None),
        ("nan 1", "NaN 2", 0.5),
        ("inf", "1", float("inf")),
        ("no number", "no  number", None),
    ],
)
def test_largest_relative_difference_of_texts_that_differ_in_numbers_only(
    first: str, second: str, difference: float | None
) -> None:
    found = relative_difference(first.encode(), second.encode())
    assert found == (None if difference is None else pytest.approx(difference))


def test_bytes_that_are_no_text_have_no_numbers() -> None:
    assert relative_difference(b"\xff 1", b"\xff 2") is None
    assert relative_difference(b"\0 1", b"\0 2") is None


@given(st.lists(FLOATS, min_size=1), st.data())
def test_difference_of_lists_is_that_of_the_two_numbers_that_differ_most(
    first: list[float], data: st.DataObject
) -> None:
    second = data.draw(st.lists(FLOATS, min_size=len(first), max_size=len(first)))
    found = relative_difference(json.dumps(first).encode(), json.dumps(second).encode())
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    expected = max((abs(a - b) / max(abs(a), abs(b)) for a, b in pairs), default=0.0)
    assert found == pytest.approx(expected)


def test_large_files_are_compared_by_their_digests_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MOST_BYTES", 3)
    then, now = folder(tmp_path / "then", a="0.50"), folder(tmp_path / "now", a="0.51")
    [found] = compare(then, now)
    assert (found.result, found.relative) == ("differs", None)
