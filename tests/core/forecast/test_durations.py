"""Which past jobs count for a class, and what is made of them."""

from __future__ import annotations

import pytest

from xpm_core.forecast.durations import ENOUGH, SAMPLES, Durations, mean, past_durations
from xpm_core.index.entries import End, Entry
from xpm_core.states import State


def entry(number: int, task: str = "sweep:Train", state: State = State.DONE, took_s: float = 60.0) -> Entry:
    return Entry(f"{number:064x}", task, end=End(state, 1000.0 + number, 1000.0 + number - took_s))


def test_done_jobs_of_the_index_count_by_class() -> None:
    found = past_durations([
        entry(1), entry(2, took_s=80.0), entry(3, state=State.FAILED), entry(4, "sweep:Eval", took_s=5.0),
        Entry("5" * 64, "sweep:Train"), Entry("6" * 64, "", end=End(State.DONE, 50.0, 20.0)),
        Entry("7" * 64, "sweep:Train", end=End(State.DONE, 50.0)),  # it was adopted: nobody knows when it began
    ])  # fmt: skip
    assert found == {"sweep.train": [60.0, 80.0], "sweep.eval": [5.0]}


def test_the_latest_jobs_count() -> None:
    found = past_durations([entry(number, took_s=float(number)) for number in range(1, SAMPLES + 11)])
    assert found["sweep.train"] == [float(number) for number in range(11, SAMPLES + 11)]


def test_jobs_of_this_run_replace_earlier_ones_once_they_are_enough() -> None:
    durations = Durations({"t": [100.0]})
    assert (durations.typical("t"), durations.typical("u")) == (100.0, None)
    for _ in range(ENOUGH - 1):
        durations.add("t", 10.0)
    assert len(durations.samples("t")) == ENOUGH
    durations.add("t", 10.0)
    assert durations.typical("t") == 10.0


def test_one_job_that_hung_does_not_count_in_full() -> None:
    assert mean([10.0] * 9 + [1e6]) == pytest.approx(13.0)
    assert mean([]) is None


def test_the_time_left_follows_from_jobs_that_took_longer() -> None:
    durations = Durations({"t": [60.0, 100.0, 120.0]})
    assert durations.left("t", 80.0) == 30.0
    assert durations.left("t", 300.0) == 150.0
    assert durations.left("u", 80.0) is None
