"""The lines of the index: what is written is read, what is damaged is passed over, and the latest line counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.index.entries import End, Entry, again_line, code_facts, ended_line, read_line, submitted_line
from xpm_core.states import State

J = "ab" * 32
WORDS = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def read(*lines: str | bytes, experiment: str = "e") -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for line in lines:
        assert read_line(line, experiment, entries), line
    return entries


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.dictionaries(WORDS, WORDS | st.integers(), max_size=3))
def test_a_submission_that_is_written_is_read_again(params: dict[str, object], tags: dict[str, object]) -> None:
    line = submitted_line(J, "sweep:Train", tags, params, 12.3456)
    assert "\n" not in line
    entry = read(line.encode("utf-8", "backslashreplace"))[J]
    written = json.loads(line)
    assert (entry.task, entry.tags, entry.params) == ("sweep:Train", written["tags"], written["params"])
    assert (entry.experiments, entry.submitted_s, entry.end) == (["e"], 12.346, None)


def test_a_line_of_a_later_xpm_adds_nothing_and_is_no_damage() -> None:
    assert read('{"measured": 1.0, "id": "x", "loss": 0.5}') == {}


def test_an_end_that_is_written_is_read_again() -> None:
    end = End(State.FAILED, 20.5, 18.25, "node1", "node1.0", "e1", 3, {"type": "ValueError", "message": "no"})
    assert read(ended_line(J, end), experiment="")[J] == Entry(J, end=end)


def test_an_end_says_which_code_ran_in_few_bytes() -> None:
    code = {"code": "8c1f2e0a1b2c", "commit": "1a2b3c4d5e6f+", "packages": "06838f4e392e"}
    end = End(State.DONE, 20.5, **code)
    line = ended_line(J, end)
    assert read(line, experiment="")[J].end == end
    assert len(line) - len(ended_line(J, End(State.DONE, 20.5))) < 80


def test_an_end_says_whether_live_files_were_read() -> None:
    facts = code_facts({"code": {"snapshot": "8c1f2e0a1b2c"}, "live_files": True})
    end = End(State.DONE, 20.5, **facts)
    assert read(ended_line(J, end), experiment="")[J].end == end
    assert end.live_files
    assert "live_files" not in code_facts({"live_files": "yes"})


digests = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(st.sampled_from(["", None]) | digests, digests, st.booleans(), digests)
def test_the_code_of_an_end_is_that_of_the_record(
    snapshot: str | None, commit: str, dirty: bool, packages: str
) -> None:
    record = {"code": {"snapshot": snapshot}, "git": {"commit": commit[:40], "dirty": dirty}, "packages": packages}
    assert code_facts(record) == {
        "code": snapshot[:12] if snapshot else "live",
        "commit": commit[:12] + ("+" if dirty else ""),
        "packages": packages[:12],
    }


@given(st.dictionaries(st.sampled_from(["code", "git", "packages"]), st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["snapshot", "commit"]), inner),
)))  # fmt: skip
def test_what_a_malformed_record_says_counts_as_not_known(record: dict[str, Any]) -> None:
    assert all(isinstance(value, str) for value in code_facts(record).values())


def test_a_record_of_an_earlier_xpm_says_nothing_of_its_code() -> None:
    assert code_facts({"python": "3.12.4"}) == {"code": "", "commit": "", "packages": ""}


def test_what_is_left_out_of_an_end_is_its_default() -> None:
    assert set(json.loads(ended_line(J, End(State.DONE, 1.0)))) == {"ended", "id", "state"}
    assert read(ended_line(J, End(State.DONE, 1.0)))[J].end == End(State.DONE, 1.0)


def test_a_later_submission_replaces_tags_and_parameters_but_not_the_first_time() -> None:
    first, later = (
        submitted_line(J, "a:T", {"n": 1}, {"x": 1}, 10.0),
        submitted_line(J, "a:T", {"n": 2}, {"x": 2}, 20.0),
    )
    for lines in ((first, later), (later, first)):
        entry = read(*lines)[J]
        assert (entry.tags, entry.params, entry.submitted_s) == ({"n": 2}, {"x": 2}, 10.0)


def test_of_several_ends_the_latest_counts() -> None:
    failed, done = ended_line(J, End(State.FAILED, 10.0)), ended_line(J, End(State.DONE, 20.0))
    for lines in ((failed, done), (done, failed)):
        end = read(*lines)[J].end
        assert end is not None
        assert end.state is State.DONE


def test_an_execution_that_was_lost_and_is_done_after_all_is_done() -> None:
    """The call that says so may have been sent before the lease ended, and accepted after that."""
    lost = ended_line(J, End(State.FAILED, 20.0, execution="e1", error={"type": "WorkerLost"}))
    done = ended_line(J, End(State.DONE, 10.0, execution="e1"))
    for lines in ((lost, done), (done, lost)):
        assert read(*lines)[J].state is State.DONE
        assert read(*lines, again_line(J, 30.0))[J].state is None
    other = ended_line(J, End(State.FAILED, 20.0, execution="e2"))
    assert read(done, other)[J].state is State.FAILED


def test_jobs_have_the_order_of_their_submissions_whatever_is_read_first() -> None:
    """The file of the run that retried the second job may come before that of the run that submitted both."""
    submitted = [submitted_line(identity, "a:T", {}, {}, 1.0) for identity in (J, "cd" * 32, "ef" * 32)]
    again = again_line("cd" * 32, 2.0)
    assert list(read(again, *submitted)) == list(read(*submitted, again)) == [J, "cd" * 32, "ef" * 32]


def test_a_job_belongs_to_all_experiments_that_submitted_it() -> None:
    entries: dict[str, Entry] = {}
    line = submitted_line(J, "a:T", {}, {}, 1.0)
    for experiment in ("one", "two", "one"):
        read_line(line, experiment, entries)
    assert entries[J].experiments == ["one", "two"]


def test_fields_of_a_later_xpm_are_passed_over() -> None:
    line = json.dumps({**json.loads(submitted_line(J, "a:T", {}, {"x": 1}, 1.0)), "code": "8c1f2e0"})
    assert read(line)[J].params == {"x": 1}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "7",
        '"text"',
        '{"submitted": 1.0}',
        '{"submitted": 1.0, "id": "x", "task": "t", "tags": [], "params": {}}',
        '{"submitted": "soon", "id": "x", "task": "t", "tags": {}, "params": {}}',
        '{"ended": 1.0, "id": "x", "state": "running"}',
        '{"ended": 1.0, "id": "x", "state": "finished"}',
        '{"ended": null, "id": "x", "state": "done"}',
        submitted_line(J, "a:T", {}, {"x": 1}, 1.0)[:-3],
        b"\xff\xfe",
        "[" * 100_000,
        '{"ended": 1.0, "id": "x", "state": "done", "attempt": 1e400}',
        '{"ended": 1e400, "id": "x", "state": "done"}',
        '{"ended": NaN, "id": "x", "state": "done"}',
        '{"ended": 1.0, "id": "x", "state": "done", "started": -1}',
        '{"ended": 1.0, "id": 7, "state": "done"}',
        '{"again": "later", "id": "x"}',
    ],
)
def test_a_damaged_line_is_refused_and_adds_nothing(line: str | bytes) -> None:
    entries: dict[str, Entry] = {}
    assert not read_line(line, "e", entries)
    assert entries == {}


def test_a_job_that_was_asked_to_run_again_has_not_ended() -> None:
    failed, again = ended_line(J, End(State.FAILED, 10.0)), again_line(J, 20.0)
    for lines in ((failed, again), (again, failed)):
        assert read(*lines)[J].state is None
    done = ended_line(J, End(State.DONE, 30.0))
    assert read(again, done, failed)[J].state is State.DONE
