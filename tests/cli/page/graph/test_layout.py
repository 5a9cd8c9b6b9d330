"""The layout of graphs: no two nodes overlap, edges go down, and the same graph is drawn in the same way."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.graph.layout import Layout, layout

Graph = tuple[dict[str, float], list[tuple[str, str]]]


@st.composite
def graphs(draw: st.DrawFn, circles: bool = True) -> Graph:
    names = [f"n{number}" for number in range(draw(st.integers(1, 50)))]
    widths = {name: draw(st.floats(20, 300)) for name in names}
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=80))
    if not circles:
        pairs = [(a, b) for a, b in pairs if names.index(a) < names.index(b)]
    return widths, pairs


def overlapping(found: Layout) -> list[tuple[str, str]]:
    places = list(found.places.items())
    return [
        (one, other)
        for number, (one, a) in enumerate(places)
        for other, b in places[number + 1 :]
        if a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
    ]


@given(graphs())
def test_no_two_nodes_overlap_and_all_lie_within(graph: Graph) -> None:
    found = layout(*graph)
    assert set(found.places) == set(graph[0])
    assert not overlapping(found)
    for place in found.places.values():
        assert place.x >= 0
        assert place.x + place.width <= found.width + 1e-6
        assert place.y + place.height <= found.height + 1e-6
    assert all(-1e-6 <= x <= found.width + 1e-6 for route in found.routes for x, _ in route.points)


@given(graphs())
def test_edges_go_down_but_those_that_close_a_circle(graph: Graph) -> None:
    found = layout(*graph)
    for route in found.routes:
        start, end = found.places[route.start], found.places[route.end]
        if not route.back:
            assert start.y + start.height < end.y
            ys = [y for _, y in route.points]
            assert ys == sorted(ys)
    assert {(route.start, route.end) for route in found.routes} == {(a, b) for a, b in graph[1] if a != b}


@given(graphs(circles=False))
def test_without_a_circle_all_edges_go_down(graph: Graph) -> None:
    assert not any(route.back for route in layout(*graph).routes)


@given(graphs())
def test_the_same_graph_is_drawn_in_the_same_way(graph: Graph) -> None:
    assert layout(*graph) == layout(*graph)


@given(graphs(circles=False))
def test_edges_do_not_go_through_nodes(graph: Graph) -> None:
    """At each layer between its ends an edge has a place of its own."""
    found = layout(*graph)
    for route in found.routes:
        for x, y in route.points[1:-1]:
            assert not any(
                place.x < x < place.x + place.width and place.y <= y <= place.y + place.height
                for place in found.places.values()
            )


def test_crossings_are_avoided() -> None:
    found = layout(dict.fromkeys("abcd", 80.0), [("a", "d"), ("b", "c")])
    places = found.places
    assert (places["a"].x < places["b"].x) == (places["d"].x < places["c"].x)


def test_a_diamond_is_as_one_expects() -> None:
    found = layout(dict.fromkeys("abcd", 80.0), [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    places = found.places
    assert places["a"].y < places["b"].y == places["c"].y < places["d"].y
    assert abs(places["a"].x - places["d"].x) < 1e-6
    assert abs((places["b"].x + places["c"].x) / 2 - places["a"].x) < 1e-6


def test_an_empty_graph_is_nothing() -> None:
    assert layout({}, []).places == {}


def test_a_chain_of_many_nodes_is_no_deep_recursion() -> None:
    names = [f"n{number}" for number in range(3000)]
    found = layout(dict.fromkeys(names, 50.0), list(itertools.pairwise(names)))
    assert found.places["n2999"].y > found.places["n0"].y


def test_a_graph_with_all_edges_that_it_can_have_is_drawn() -> None:
    names = [f"n{number:02}" for number in range(50)]
    found = layout(dict.fromkeys(names, 90.0), itertools.combinations(names, 2))
    assert len(found.routes) == 50 * 49 / 2
    assert not overlapping(found)
