"""Means of curves, and how many runs count at each step."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.results.curves import Point
from xpm_core.results.plotting.bands import MOST_STEPS, Run, Spread, band_of
from xpm_core.results.statistics.intervals import summary


def run(job: str, values: dict[float, float], state: str = "done") -> Run:
    return Run(job * 7, [Point(step, value) for step, value in values.items()], state)


def even(job: str, count: int, value: float, state: str = "done") -> Run:
    return run(job, dict.fromkeys(range(count), value), state)


def test_each_step_has_the_mean_and_the_interval_of_the_runs() -> None:
    band = band_of("mlp", [even("a", 3, 1), even("b", 3, 2), even("c", 3, 6)], Spread())
    expected = summary([1, 2, 6])
    assert expected.interval is not None
    assert [step[1:] for step in band.steps] == [(3.0, *expected.interval, 3)] * 3
    assert (band.n, band.notes, len(band.parts())) == (3, [], 1)


def test_where_a_run_has_ended_fewer_count_and_this_is_said() -> None:
    runs = [even("a", 5, 1), even("b", 5, 2), even("c", 2, 90)]
    band = band_of("lr=0.1", runs, Spread())
    assert [(step.n, step.mean) for step in band.steps] == [(3, 31.0)] * 2 + [(2, 1.5)] * 3
    assert [[step.step for step in part] for part in band.parts()] == [[0, 1], [2, 3, 4]]
    assert band.notes == ["lr=0.1: 1 of 3 runs ended before step 4 (ccccccc done, at step 1)."]


@pytest.mark.parametrize("state", ["failed", "cancelled", "blocked"])
def test_a_run_that_ended_badly_counts_nowhere_and_is_named(state: str) -> None:
    done = [even(job, 5, value) for value, job in enumerate("abc")]
    band = band_of("lr=0.1", [*done, even("d", 2, 90, state)], Spread())
    assert band.steps == band_of("lr=0.1", done, Spread()).steps
    assert (band.n, band.notes) == (3, [f"lr=0.1: 1 of 4 runs does not count (ddddddd {state}, at step 1)."])


def test_a_run_that_goes_on_counts_as_far_as_it_has_come_and_is_named() -> None:
    runs = [even("a", 5, 1), even("b", 5, 2), even("c", 2, 9, "running"), even("d", 2, 9, "unknown")]
    band = band_of("", runs, Spread())
    assert [step.n for step in band.steps] == [4, 4, 2, 2, 2]
    assert band.notes == ["2 of 4 runs are not done yet (ccccccc running, at step 1, ddddddd unknown, at step 1)."]


def test_runs_that_began_late_or_have_no_curve_or_are_nan_are_said() -> None:
    late = run("b", {2: 1.0, 3: 1.0})
    wild = run("c", {0: 1.0, 1: math.nan, 2: 1.0, 3: 1.0})
    band = band_of("", [even("a", 4, 1), late, wild, Run("ddddddd", [], "running")], Spread())
    assert [step.n for step in band.steps] == [2, 2, 3, 3]
    assert math.isnan(band.steps[1].mean)
    assert band.notes == [
        "1 of 4 runs without a curve (ddddddd running).",
        "1 of 3 runs began after step 0 (bbbbbbb, at step 2).",
        "no mean where a run is nan or infinite (ccccccc).",
    ]


def test_curves_of_different_steps_are_compared_at_common_ones() -> None:
    runs = [run("a", {step: step for step in range(0, 101, 10)}), run("b", {step: step for step in range(0, 101, 7)})]
    band = band_of("", [*runs, run("c", {float(step): step for step in range(101)})], Spread())
    assert len(band.notes) <= 2
    assert "interpolated" in band.notes[0]
    assert all(step.mean == pytest.approx(step.step) for step in band.steps)
    assert {step.n for step in band.steps} == {2, 3}


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=4))
def test_no_band_has_more_steps_than_can_be_seen(counts: list[int]) -> None:
    band = band_of("", [even("a", count, 1) for count in counts], Spread("minmax"))
    assert len(band.steps) <= MOST_STEPS + 1
    assert {step.mean for step in band.steps} == {1.0}
    assert band.steps[0].n == len(counts)
    assert [step.n for step in band.steps] == sorted((step.n for step in band.steps), reverse=True)


def test_nothing_to_draw_is_no_band() -> None:
    assert band_of("x", [Run("a", [])], Spread()).steps == []
    assert len(band_of("x", [run("a", {3: 1.0})], Spread()).steps) == 1


def test_rounding_carries_no_step_behind_the_end_of_the_curves() -> None:
    for count in range(2, 40):
        inside = [0.1 * at / count for at in range(1, count)]
        a, b = (
            run(job, dict.fromkeys([0, *(step + by for step in inside), 0.1], 1.0))
            for job, by in (("a", 0), ("b", 1e-4))
        )
        band = band_of("", [a, b], Spread())
        assert (band.steps[-1].step, {step.n for step in band.steps}) == (0.1, {2})


def test_a_band_of_two_runs_says_that_there_is_none() -> None:
    band = band_of("lr=1", [even("a", 3, 1), even("b", 3, 2)], Spread())
    assert band.notes == ["lr=1: no band, because it needs 3 runs, and there are 2."]


def test_many_steps_that_all_runs_have_are_never_interpolated() -> None:
    runs = [run(job, {step: number * step for step in range(1801)}) for number, job in enumerate("abcd")]
    band = band_of("", runs, Spread())
    assert band.notes == ["means are taken at one in 4 of the logged steps."]
    assert [step.step for step in band.steps] == list(range(0, 1801, 4))
    assert all(step.mean == 1.5 * step.step for step in band.steps)
    assert len(band.steps) <= MOST_STEPS + 1


def test_runs_that_were_thinned_differently_are_compared_at_the_steps_that_all_have() -> None:
    runs = [
        run(job, {step: step**2 for step in range(0, last, stride)})
        for job, last, stride in zip("abc", (90, 100, 400), (1, 2, 4), strict=True)
    ]
    band = band_of("", runs, Spread())
    assert [step.step for step in band.steps][:4] == [0, 4, 8, 12]
    assert all(step.mean == step.step**2 for step in band.steps)
    assert [step.n for step in band.steps if step.step in (88, 96, 396)] == [3, 2, 1]
    assert not any("interpolated" in note for note in band.notes)
