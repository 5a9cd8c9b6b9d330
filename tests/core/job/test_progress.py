"""`progress`: what a job reports, how often, and which values it does not send at once."""

from __future__ import annotations

import threading

import pytest
from helpers.told_progress import Told, last, quiet
from helpers.waiting import wait_until

from xpm_core import progress
from xpm_core.job import progress as reporting
from xpm_core.job.progress import Reporter


def test_the_first_word_is_told_at_once(told: Told) -> None:
    progress(0.25, desc="reading")
    assert told == [{"fraction": 0.25, "desc": "reading"}]


def test_what_was_said_stands_until_something_else_is(told: Told) -> None:
    progress(0.1, desc="reading")
    progress(0.2)
    progress(0.5, level=1, desc="file")
    progress(0.6, level=1)
    assert last(told) == {"fraction": 0.2, "desc": "reading", "inner": [{"fraction": 0.6, "desc": "file"}]}
    progress(0.3)
    assert last(told) == {"fraction": 0.3, "desc": "reading"}


def test_a_deeper_level_may_come_first(told: Told) -> None:
    progress(0.5, level=2, desc="deep")
    empty = {"fraction": 0.0, "desc": ""}
    assert last(told) == {**empty, "inner": [empty, {"fraction": 0.5, "desc": "deep"}]}


def test_the_same_is_not_told_twice(told: Told) -> None:
    for _ in range(3):
        progress(0.5)
        last(told)
    assert len(told) == 1


@pytest.mark.parametrize(("given", "fraction"), [(1.2, 1.0), (-1, 0.0), (float("nan"), 0.0), (80, 1.0)])
def test_a_number_out_of_range_is_told_of_and_harms_nothing(told: Told, given: float, fraction: float) -> None:
    with pytest.warns(UserWarning, match="expected a number from 0 to 1"):
        progress(given)
    assert last(told)["fraction"] == fraction


def test_odd_and_long_texts_are_made_fit(told: Told) -> None:
    progress(0.5, desc="\udce9" * 300)
    assert last(told)["desc"] == "?" * 200


def test_what_did_not_go_out_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    full = threading.Event()
    words: Told = []
    reporter = Reporter(lambda data: full.is_set() and not words.append(data))  # type: ignore[func-returns-value]
    reporter.set(0, reporting.ReportedLevel(0.5, "x"))
    assert words == []
    full.set()
    wait_until(lambda: words == [{"fraction": 0.5, "desc": "x"}], show=lambda: words)
    wait_until(quiet)


# -- loops -------------------------------------------------------------------------------------------------------------


# -- outside of a job --------------------------------------------------------------------------------------------------
