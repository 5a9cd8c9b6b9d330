"""What people have accepted: the form, and what is believed of a file that was cut, changed, or is of another time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import WorkspaceError
from xpm_core.fingerprints.ran import OpenedFile, Ran
from xpm_core.judging.acceptance import Acceptance, acceptances, add, content_of, standing
from xpm_core.workspace.job_directory import JobDirectory

CHANGED = OpenedFile("p", "rates.csv", "digest", "c" * 64)
ONE = Acceptance("e1", "a" * 64, "b" * 64, "only logging changed", "ana", "head", 1_790_000_000.5, (CHANGED,))

TEXTS = st.text(max_size=50)
PATHS = st.text(st.characters(exclude_characters="/\0."), min_size=1, max_size=10)
FILES = st.one_of(
    st.tuples(PATHS, PATHS, st.just("digest"), st.just("d" * 64)).map(lambda each: OpenedFile(*each)),
    st.tuples(PATHS, PATHS, st.just("large"), st.just(""), st.integers(0), st.integers()).map(lambda e: OpenedFile(*e)),
    st.tuples(PATHS, PATHS, st.sampled_from(["absent", "unknown"])).map(lambda each: OpenedFile(*each)),
)


@pytest.fixture
def directory(tmp_path: Path) -> JobDirectory:
    """The directory of a done job, whose result is that of the execution e1."""
    found = JobDirectory(tmp_path, f"jobs/train.train/{'1' * 64}")
    found.path.parent.mkdir(parents=True)
    found.write_record(found.prepare(1), "e1", {})
    found.write_marker("done", "e1")
    return found


@given(st.builds(replace, st.just(ONE), why=TEXTS, who=TEXTS, host=TEXTS, file=TEXTS,
                 accepted_s=st.floats(0, 9e9), files=st.lists(FILES, max_size=4).map(tuple)))  # fmt: skip
def test_what_is_written_is_read_again_whatever_people_type(acceptance: Acceptance) -> None:
    line = acceptance.written
    assert "\n" not in line
    assert Acceptance.read(line.encode()) == acceptance


def test_what_holds_is_what_was_accepted_of_the_result_that_counts(directory: JobDirectory) -> None:
    assert standing(directory) == []
    other, later = replace(ONE, execution="e0"), replace(ONE, why="also faster", accepted_s=1_790_000_001.0)
    for each in (ONE, other, later):
        add(directory, each)
    assert standing(directory) == [later, ONE]
    assert acceptances(directory.path / ".xpm") == [ONE, other, later]
    directory.write_record(2, "e2", {})
    directory.write_marker("done", "e2")
    assert standing(directory) == []
    directory.write_record(3, "e1", {})
    directory.write_marker("failed", "e1")
    assert standing(directory) == [], "it has no result"


def test_a_line_that_was_cut_counts_as_missing_and_the_next_one_is_whole(directory: JobDirectory) -> None:
    file = directory.path / ".xpm" / "accepted.jsonl"
    whole = content_of([ONE])
    for length in range(len(whole) - 1):
        file.write_bytes(whole + whole[:length])
        assert standing(directory) == [ONE]
    add(directory, replace(ONE, why="again"))
    assert [each.why for each in standing(directory)] == ["again", ONE.why]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2}, {"version": None}, {"execution": "../e1"}, {"execution": 1}, {"snapshot": "a" * 63},
        {"snapshot": None}, {"provenance": "A" * 64}, {"why": 1}, {"why": "x" * 1001}, {"who": None}, {"host": []},
        {"file": None}, {"accepted_s": "now"}, {"accepted_s": True}, {"accepted_s": -1}, {"accepted_s": 1e300},
        {"files": {}}, {"files": [["p"]]}, {"files": [["p", "../x", "absent"]]}, {"files": [["p", "x", "digest", "1"]]},
        {"files": [["p", str(n), "absent"] for n in range(1001)]},
    ],
    ids=str,
)  # fmt: skip
def test_what_was_changed_or_is_of_a_later_xpm_is_no_acceptance(change: dict[str, object]) -> None:
    fields = json.loads(ONE.written)
    if change == {"files": {}}:
        fields["files"] = {"p": "x"}
    else:
        fields.update(change)
    assert Acceptance.read(json.dumps(fields).encode()) is None
    for name in json.loads(ONE.written):
        lacking = {key: value for key, value in json.loads(ONE.written).items() if key != name}
        assert Acceptance.read(json.dumps(lacking).encode()) is None
    for data in (b"", b"[]", b"\xff", b"[" * 100_000):
        assert Acceptance.read(data) is None


def test_accepted_files_stand_in_place_of_those_that_were_read() -> None:
    read = [OpenedFile("p", "other.csv", "absent"), OpenedFile("p", "rates.csv", "digest", "d" * 64)]
    assert list(ONE.after(Ran("imports", files=read)).files) == [read[0], CHANGED]


def test_a_directory_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="cannot be written"):
        add(JobDirectory(tmp_path, f"jobs/train.train/{'1' * 64}"), ONE)
