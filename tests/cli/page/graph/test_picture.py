"""The picture of a graph: boxes with counts, edges with words, and no way out of the text."""

from __future__ import annotations

from collections import Counter

from xpm_cli.page.graph.picture import Box, picture
from xpm_core.states import State

EVIL = '"><script>alert(1)</script>'


def test_boxes_and_edges_say_what_they_are() -> None:
    states: Counter[State | None] = Counter({State.DONE: 3, State.FAILED: 1, None: 2})
    boxes = [Box("a", "Prepare", "1 job", url="/jobs"), Box("b", "Train", "6 jobs", states, kind="here")]
    drawn = picture(boxes, [("a", "b")], "tasks", {("a", "b"): "data"})
    assert "Train: 6 jobs (3 done, 1 failed, 2 unknown)" in drawn
    assert "Train needs Prepare: data" in drawn
    assert drawn.count('class="part ') == 3
    assert 'class="node here"' in drawn
    assert drawn.count("<a ") == 1


def test_edges_that_close_a_circle_look_different() -> None:
    drawn = picture([Box("a", "A", ""), Box("b", "B", "")], [("a", "b"), ("b", "a"), ("a", "a")], "tasks")
    assert drawn.count('class="edge"') == drawn.count('class="edge back"') == 1


def test_hostile_and_long_names_are_text() -> None:
    drawn = picture([Box(EVIL, EVIL, EVIL, kind=EVIL), Box("b", "x" * 5000, "")], [(EVIL, "b")], EVIL)
    assert "<script" not in drawn
    assert len(drawn) < 5000


def test_the_same_graph_is_the_same_text() -> None:
    boxes = [Box(name, name, "") for name in "abcd"]
    edges = [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")]
    assert picture(boxes, edges, "") == picture(boxes, list(edges), "")


def test_nothing_is_a_picture_too() -> None:
    assert "<svg" in picture([], [], "nothing")
