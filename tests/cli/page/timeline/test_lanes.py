"""Lanes: no two executions overlap, busy and idle make up the whole, and blocks leave nothing out."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.timeline.lanes import Execution, How, Lane, Use, Window, blocks, gaps, lane_of, use_of

ENDED = [how for how in How if how is not How.RUNNING]


def execution(name: str, started_s: float, ended_s: float | None, how: How = How.DONE, attempt: int = 1) -> Execution:
    return Execution(name, f"job of {name}", "demo:Task", "w.0", attempt, started_s, ended_s, how)


@st.composite
def executions(draw: st.DrawFn) -> list[Execution]:
    """Executions as clocks that differ may show them: some overlap, and some seem to run for ever."""
    found = []
    for number in range(draw(st.integers(0, 30))):
        started_s = draw(st.floats(0, 1000))
        runs = draw(st.integers(0, 9)) == 0
        ended_s = None if runs else started_s + draw(st.floats(0, 100))
        how = How.RUNNING if runs else draw(st.sampled_from(ENDED))
        found.append(execution(f"e{number}", started_s, ended_s, how, draw(st.integers(0, 3))))
    return found


windows = st.tuples(st.floats(-10, 1200), st.floats(0.001, 1200)).map(lambda at: Window(at[0], at[0] + at[1]))


def overlap(lane: Lane) -> bool:
    return any(one.to_s > other.from_s for one, other in zip(lane.runs, lane.runs[1:], strict=False))


@given(executions())
def test_no_two_executions_of_a_lane_overlap(found: list[Execution]) -> None:
    lane = lane_of("w.0", "node1", found, 1100.0)
    assert not overlap(lane)
    assert all(run.from_s <= run.to_s for run in lane.runs)
    assert Counter(run.of.execution for run in lane.runs) == Counter(each.execution for each in found)
    assert all(lane.from_s <= run.from_s and run.to_s <= lane.to_s for run in lane.runs)


@given(executions(), windows)
def test_busy_and_idle_are_the_time_that_the_slot_was_there(found: list[Execution], window: Window) -> None:
    lane = lane_of("w.0", "node1", found, 1100.0, (0.0, 1200.0))
    use = use_of(lane, window)
    assert abs(use.busy_s + use.idle_s - window.shared(lane.from_s, lane.to_s)) < 1e-6
    assert use.share is None or -1e-9 <= use.share <= 1 + 1e-9
    assert all(gap.span_s > 0 for gap in gaps(lane, window))
    whole = sum((use_of(lane, half) for half in halves(window)), Use())
    assert abs(whole.busy_s - use.busy_s) < 1e-6


def halves(window: Window) -> list[Window]:
    middle_s = (window.from_s + window.to_s) / 2
    return [Window(window.from_s, middle_s), Window(middle_s, window.to_s)]


@given(executions(), windows, st.floats(0.01, 50))
def test_blocks_stand_for_all_that_is_seen_and_are_few(found: list[Execution], window: Window, least_s: float) -> None:
    lane = lane_of("w.0", "node1", found, 1100.0)
    drawn = blocks(lane, window, least_s)
    assert sum(block.executions for block in drawn) == len(lane.within(window))
    assert all(one.to_s <= other.from_s for one, other in itertools.pairwise(drawn))
    assert all((block.only is None) == (block.executions > 1) for block in drawn)


def test_many_short_executions_are_few_blocks() -> None:
    lane = lane_of("w.0", "", [execution(f"e{n}", n, n + 0.5) for n in range(50_000)], 50_000.0)
    drawn = blocks(lane, Window(0, 50_000), 500.0)
    assert len(drawn) == 100
    assert {block.executions for block in drawn} == {500}
    assert drawn[0].busy_s == 250.0


def test_blocks_stay_what_they_are_when_the_window_moves() -> None:
    lane = lane_of("w.0", "", [execution(f"e{n}", n, n + 0.5) for n in range(1000)], 1000.0)
    one = [(block.from_s, block.to_s) for block in blocks(lane, Window(0, 500), 10.0)]
    other = [(block.from_s, block.to_s) for block in blocks(lane, Window(203, 703), 10.0)]
    assert one[21:50] == other[1:30]


def test_a_block_has_the_colour_of_most_and_says_what_went_wrong() -> None:
    hows = [How.DONE, How.RETRIED, How.DONE, How.LOST]
    lane = lane_of("w.0", "", [execution(f"e{n}", n, n + 0.5, how, n) for n, how in enumerate(hows)], 9.0)
    [block] = blocks(lane, Window(0, 10), 100.0)
    assert (block.usual, block.worst, block.wrong, block.retries) == (How.DONE, How.LOST, 0.5, 2)


def test_what_seems_to_run_ends_unseen_when_a_later_one_begins() -> None:
    lane = lane_of("w.0", "", [execution("a", 1, None, How.RUNNING), execution("b", 5, None, How.RUNNING)], 9.0)
    assert [(run.from_s, run.to_s, run.of.how) for run in lane.runs] == [(1, 5, How.UNKNOWN), (5, 9.0, How.RUNNING)]


def test_a_slot_that_ran_nothing_is_idle() -> None:
    lane = lane_of("w.0", "", [], 100.0, (40.0, 100.0))
    use = use_of(lane, Window(0, 80))
    assert (use.busy_s, use.idle_s, use.gap_s, use.share) == (0, 40.0, 40.0, 0.0)
    assert use_of(lane, Window(0, 10)).share is None
