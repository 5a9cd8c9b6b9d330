"""Where the nodes of a small graph stand: in layers, so that each edge goes down.

It is the usual way in four steps: edges that close a circle are set aside; each node gets the lowest layer that it can
have; the order within the layers is changed so that few edges cross; then the nodes move to below what they hang on.
Nothing is random: the same graph is drawn in the same way each time.

Owns: the places of nodes and edges. It knows nothing of jobs, nor of SVG.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

GAP, BETWEEN, MARGIN = 24.0, 56.0, 12.0
"""Between two nodes of a layer, between two layers, and around all."""
THIN = 12.0
"""How wide the way of an edge through a layer is."""
SWEEPS, MANY = 8, 3000
"""How often the order of the layers is bettered; in a graph of that many pieces of edges, a quarter of that."""
MOVES = 4
"""How often the nodes move to what they hang on."""

Point = tuple[float, float]
Edge = tuple[str, str]
_Key = tuple[str, ...]
"""A node, `(name,)`; or the way of an edge through a layer, `(from, to, number)`."""


@dataclass(frozen=True)
class Place:
    """Where a node stands: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """How an edge goes.

    Attributes:
        start, end: The nodes.
        points: From the lower side of the first to the upper side of the other, with a point for each layer between.
        back: Whether it closes a circle: then it goes up.
    """

    start: str
    end: str
    points: tuple[Point, ...]
    back: bool


@dataclass(frozen=True)
class Layout:
    """Where everything stands.

    Attributes:
        places: The nodes.
        routes: The edges, without those from a node to itself.
        width, height: The size of all.
    """

    places: Mapping[str, Place]
    routes: tuple[Route, ...]
    width: float
    height: float


def layout(widths: Mapping[str, float], edges: Iterable[Edge], height: float = 40.0) -> Layout:
    """Place the nodes of a graph.

    Args:
        widths: The nodes, with how wide each is.
        edges: From what comes first to what comes after it. Edges of unknown nodes are left out.
        height: How high each node is.

    Example:
        >>> found = layout({"a": 80, "b": 80}, [("a", "b")])
        >>> found.places["b"].y > found.places["a"].y
        True
    """
    known = [(a, b) for a, b in dict.fromkeys(edges) if a in widths and b in widths and a != b]
    down, back = _without_circles(list(widths), known)
    layers = _layers(list(widths), down)
    chains = {edge: _chain(edge, layers) for edge in down}
    rows = _rows(layers, chains)
    joints = [pair for chain in chains.values() for pair in itertools.pairwise(chain)]
    rows = _fewest_crossings(rows, joints)
    sizes = {each: widths[each[0]] if len(each) == 1 else THIN for row in rows for each in row}
    centres = _centres(rows, joints, sizes)
    return _drawn(rows, centres, sizes, chains, back, height)


def _without_circles(nodes: Sequence[str], edges: Sequence[Edge]) -> tuple[list[Edge], list[Edge]]:
    """The edges that make no circle, and those that would close one."""
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in edges:
        after[a].append(b)
    into = {b for _, b in edges}
    back: set[Edge] = set()
    seen: dict[str, bool] = {}  # whether a node's followers are all seen
    for root in [*(node for node in nodes if node not in into), *nodes]:
        stack = [] if root in seen else [(root, iter(after[root]))]
        seen.setdefault(root, False)
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                seen[node] = True
                stack.pop()
            elif following not in seen:
                seen[following] = False
                stack.append((following, iter(after[following])))
            elif not seen[following]:
                back.add((node, following))
    return [edge for edge in edges if edge not in back], [edge for edge in edges if edge in back]


def _layers(nodes: Sequence[str], down: Sequence[Edge]) -> dict[str, int]:
    """The layer of each node: one below the lowest of those before it."""
    before: dict[str, list[str]] = {node: [] for node in nodes}
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in down:
        before[b].append(a)
        after[a].append(b)
    found: dict[str, int] = {}
    left = {node: len(before[node]) for node in nodes}
    free = [node for node in nodes if not left[node]]
    for node in free:  # it grows meanwhile
        found[node] = max((found[each] + 1 for each in before[node]), default=0)
        for each in after[node]:
            left[each] -= 1
            if not left[each]:
                free.append(each)
    return found


def _chain(edge: Edge, layers: Mapping[str, int]) -> list[_Key]:
    """An edge, with a place of its own in each layer that it goes through."""
    a, b = edge
    return [(a,), *((a, b, str(layer)) for layer in range(layers[a] + 1, layers[b])), (b,)]


def _rows(layers: Mapping[str, int], chains: Mapping[Edge, Sequence[_Key]]) -> list[list[_Key]]:
    rows: list[list[_Key]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for node, layer in layers.items():
        rows[layer].append((node,))
    for chain in chains.values():
        for each in chain[1:-1]:
            rows[int(each[2])].append(each)
    return rows


def _fewest_crossings(rows: list[list[_Key]], joints: Sequence[tuple[_Key, _Key]]) -> list[list[_Key]]:
    """The rows in an order in which few edges cross: each node goes to the middle of what it hangs on, some times."""
    above, below = _neighbours(joints)
    best, fewest = [list(row) for row in rows], _crossings(rows, above)
    for sweep in range(SWEEPS if len(joints) < MANY else SWEEPS // 4):
        towards = above if sweep % 2 == 0 else below
        order = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for number in order:
            fixed = {each: place for place, each in enumerate(rows[number - 1 if sweep % 2 == 0 else number + 1])}
            middles = {}
            for place, each in enumerate(rows[number]):
                hangs = [fixed[other] for other in towards.get(each, ())]
                middles[each] = sum(hangs) / len(hangs) if hangs else place
            rows[number] = sorted(rows[number], key=middles.__getitem__)
        crossings = _crossings(rows, above)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _neighbours(joints: Iterable[tuple[_Key, _Key]]) -> tuple[dict[_Key, list[_Key]], dict[_Key, list[_Key]]]:
    above: dict[_Key, list[_Key]] = {}
    below: dict[_Key, list[_Key]] = {}
    for a, b in joints:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    return above, below


def _crossings(rows: Sequence[Sequence[_Key]], above: Mapping[_Key, Sequence[_Key]]) -> int:
    """How many edges cross, layer by layer."""
    count = 0
    for upper, lower in itertools.pairwise(rows):
        places = {each: place for place, each in enumerate(upper)}
        ends = [place for each in lower for place in sorted(places[other] for other in above.get(each, ()))]
        met: list[int] = []  # the ends so far, in order
        for end in ends:
            place = bisect_right(met, end)
            count += len(met) - place
            met.insert(place, end)
    return count


def _centres(
    rows: Sequence[Sequence[_Key]], joints: Sequence[tuple[_Key, _Key]], sizes: Mapping[_Key, float]
) -> dict[_Key, float]:
    """The middle of each node, from left to right in its row: as near to what it hangs on as there is room."""
    above, below = _neighbours(joints)
    centres: dict[_Key, float] = {}
    for row in rows:
        centres.update(zip(row, _apart(row, [0.0] * len(row), sizes), strict=True))
    for move in range(MOVES):
        for row in rows if move % 2 == 0 else reversed(rows):
            wanted = []
            for each in row:
                hangs = [*above.get(each, ()), *below.get(each, ())]
                wanted.append(sum(centres[other] for other in hangs) / len(hangs) if hangs else centres[each])
            centres.update(zip(row, _apart(row, wanted, sizes), strict=True))
    return centres


def _apart(row: Sequence[_Key], wanted: Sequence[float], sizes: Mapping[_Key, float]) -> list[float]:
    """Places as near to the wanted ones as possible, in their order and without an overlap.

    Neighbours that are too near form a block, which stands where its parts on average want to be.
    """
    offsets, at = [], 0.0
    for number, each in enumerate(row):
        at += (sizes[row[number - 1]] + sizes[each]) / 2 + GAP if number else 0.0
        offsets.append(at)
    blocks: list[tuple[float, int]] = []  # the sum of what its parts want, and how many they are
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    places = [total / count for total, count in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def _drawn(
    rows: Sequence[Sequence[_Key]],
    centres: Mapping[_Key, float],
    sizes: Mapping[_Key, float],
    chains: Mapping[Edge, Sequence[_Key]],
    back: Sequence[Edge],
    height: float,
) -> Layout:
    left = min((centres[each] - sizes[each] / 2 for row in rows for each in row), default=0.0) - MARGIN
    right = max((centres[each] + sizes[each] / 2 for row in rows for each in row), default=0.0) + MARGIN
    tops = {each: MARGIN + number * (height + BETWEEN) for number, row in enumerate(rows) for each in row}
    places = {
        each[0]: Place(centres[each] - sizes[each] / 2 - left, tops[each], sizes[each], height)
        for row in rows
        for each in row
        if len(each) == 1
    }
    routes = [Route(a, b, _points(chain, centres, tops, left, height), False) for (a, b), chain in chains.items()]
    routes += [Route(a, b, _points([(a,), (b,)], centres, tops, left, height), True) for a, b in back]
    return Layout(places, tuple(routes), right - left, 2 * MARGIN + len(rows) * (height + BETWEEN) - BETWEEN)


def _points(
    chain: Sequence[_Key], centres: Mapping[_Key, float], tops: Mapping[_Key, float], left: float, height: float
) -> tuple[Point, ...]:
    first, *between, last = chain
    middle = [(centres[each] - left, tops[each] + part) for each in between for part in (0.0, height)]
    return ((centres[first] - left, tops[first] + height), *middle, (centres[last] - left, tops[last]))
