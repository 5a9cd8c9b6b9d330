"""The picture of a timeline: few shapes, true titles, and a round axis."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.timeline.lanes import Execution, How, Lane, Window, lane_of
from xpm_cli.page.timeline.picture import SHAPES, Look, picture, seen, ticks

BEGAN_S = 1_700_000_000.0
EVIL = '"><script>alert(1)</script>'


def lane(worker: str, count: int, took_s: float, how: How = How.DONE) -> Lane:
    starts = [BEGAN_S + n * took_s * 2 for n in range(count)]
    executions = [
        Execution(f"e{n}", f"{n:064}", "demo:Task", worker, 1, started_s, started_s + took_s, how)
        for n, started_s in enumerate(starts)
    ]
    return lane_of(worker, "node1", executions, BEGAN_S + 2 * count * took_s)


def look(window: Window, **titles: str) -> Look:
    return Look(window, lambda job: f"/job/{job}", lambda part, worker: "/timeline", titles, lambda execution: True)


@given(st.integers(1, 60), st.integers(1, 400), st.floats(0.01, 1000), st.floats(0.001, 3), st.floats(-1, 1))
def test_a_picture_has_few_shapes_whatever_is_seen(
    workers: int, count: int, took_s: float, part: float, shift: float
) -> None:
    lanes = [lane(f"w.{n}", count, took_s) for n in range(workers)]
    length_s = 2 * count * took_s
    window = Window(BEGAN_S + shift * length_s, BEGAN_S + shift * length_s + part * length_s + 0.1)
    drawn = picture(lanes, look(window))
    assert drawn.count("<a ") <= 2 * SHAPES + workers * 5
    assert all(0 <= float(x) <= 1200 for x in re.findall(r' x="(-?[0-9.]+)"', drawn))
    assert all(float(width) >= 0 for width in re.findall(r' width="(-?[0-9.]+)"', drawn))


def test_titles_say_what_colours_mean() -> None:
    lanes = [lane("w.0", 3, 100.0, How.LOST)]
    drawn = picture(lanes, look(Window(BEGAN_S, BEGAN_S + 600), **{f"{0:064}": "Train lr=0.1"}))
    assert "Train lr=0.1 0000000: lost after 1 min 40 s" in drawn
    assert "Task 0000000: lost after 1 min 40 s" in drawn
    assert "idle for 1 min 40 s" in drawn
    assert drawn.count('class="mark"') == 3
    assert seen(lanes, Window(BEGAN_S, BEGAN_S + 600)) == [f"{n:064}" for n in range(3)]


def test_a_block_of_several_says_how_they_ended_and_how_busy_it_was() -> None:
    drawn = picture([lane("w.0", 1000, 1.0)], look(Window(BEGAN_S, BEGAN_S + 2000)))
    assert re.search(r"[0-9]+ executions: [0-9]+ done; busy [56][0-9] %, ", drawn)
    assert 'class="done many"' in drawn


def test_hostile_names_are_text() -> None:
    drawn = picture([lane(EVIL, 2, 100.0)], look(Window(BEGAN_S, BEGAN_S + 600), **{f"{0:064}": EVIL}))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_marks_of_the_axis_are_round_and_few() -> None:
    for span_s in (0.05, 1, 59, 3600, 86400, 40 * 86400, 400 * 86400, 60 * 366 * 86400):
        found = ticks(Window(BEGAN_S, BEGAN_S + span_s))
        assert len(found) <= 9, span_s
        assert all(BEGAN_S <= at_s <= BEGAN_S + span_s for at_s, _ in found)
    assert next(text for _, text in ticks(Window(BEGAN_S, BEGAN_S + 60))).endswith("0")


def test_marks_within_a_second_are_told_apart() -> None:
    found = [text for _, text in ticks(Window(BEGAN_S, BEGAN_S + 1.2))]
    assert len(set(found)) == len(found) > 4
    assert [text[-2:] for text in found[:4]] == [".0", ".2", ".4", ".6"]
