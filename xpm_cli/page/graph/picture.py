"""The picture of a graph: boxes with a name, a bar of states and counts, and edges that go down.

Owns: sizes, and what stands in a box. Where the boxes stand, `graph_layout` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xpm_cli.page.graph.layout import Edge, Place, Point, Route, layout
from xpm_cli.page.svg import Drawn, element, link, title, together
from xpm_core.states import State

LETTER, SMALL, ROOM = 7.3, 6.2, 20.0
"""How wide a letter of a name and of a count is, about, and what is left free beside it."""
LEAST, MOST = 90.0, 300.0
"""How wide a box is."""
HEIGHT, BAR = 50.0, 4.0
LONGEST = 38
"""Characters to which a name is cut."""


@dataclass(frozen=True)
class Box:
    """A node of a graph.

    Attributes:
        key: Names it in the graph.
        name: What stands in it.
        count: What stands below that.
        states: How many jobs are in each state; None stands for a state that is not known.
        url: Where it leads; empty for nowhere.
        kind: A class of its look: here, outside; or empty.
    """

    key: str
    name: str
    count: str
    states: Counter[State | None] = field(default_factory=Counter)
    url: str = ""
    kind: str = ""

    @property
    def shown(self) -> str:
        """Its name, cut."""
        return self.name if len(self.name) <= LONGEST else self.name[: LONGEST - 1] + "…"

    @property
    def width(self) -> float:
        """How wide it is, by its texts."""
        return min(max(len(self.shown) * LETTER, len(self.count) * SMALL, LEAST) + ROOM, MOST)

    @property
    def standing(self) -> str:
        """How many jobs are in which state: `41 done, 1 failed`."""
        found = [f"{self.states[each]} {each.value}" for each in State if self.states[each]]
        return ", ".join([*found, *([f"{self.states[None]} unknown"] if self.states[None] else [])])


def picture(boxes: Sequence[Box], edges: Iterable[Edge], said: str, labels: Mapping[Edge, str] | None = None) -> Drawn:
    """The picture of a graph.

    Args:
        boxes: The nodes; the order decides between places that are as good.
        edges: From a node to one that needs it.
        said: What the picture shows, in words.
        labels: What an edge stands for, in words.
    """
    found = layout({box.key: box.width for box in boxes}, edges, HEIGHT)
    width, height = max(found.width, 1.0), max(found.height, 1.0)
    names = {box.key: box.name for box in boxes}
    return element(
        "svg",
        together(*(_edge(route, names, labels or {}) for route in found.routes)),
        together(*(_box(box, found.places[box.key]) for box in boxes)),
        class_="graph",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=round(width),
        height=round(height),
        role="group",
        aria_label=said,
    )


def _box(box: Box, place: Place) -> Drawn:
    said = title(f"{box.name}: {box.count}{f' ({box.standing})' if box.standing else ''}")
    middle = place.x + place.width / 2
    texts = together(
        element("text", box.shown, x=middle, y=place.y + 20, text_anchor="middle"),
        element("text", box.count, class_="count", x=middle, y=place.y + 36, text_anchor="middle"),
    )
    return element(
        "g",
        said,
        element("rect", class_="box", x=place.x, y=place.y, width=place.width, height=place.height, rx=4.0),
        together(*_bar(box, place)),
        link(box.url, texts) if box.url else texts,
        class_=f"node {box.kind}".strip(),
    )


def _bar(box: Box, place: Place) -> Iterator[Drawn]:
    """Its jobs by state, as a bar at the lower side."""
    total, at = sum(box.states.values()), 0
    room = place.width - 8
    for state in (*State, None):
        if count := box.states[state]:
            yield element(
                "rect",
                class_=f"part {state.value if state else 'unknown'}",
                x=place.x + 4 + room * at / total,
                y=place.y + place.height - BAR - 3,
                width=room * count / total,
                height=BAR,
            )
            at += count


def _edge(route: Route, names: Mapping[str, str], labels: Mapping[Edge, str]) -> Drawn:
    label = labels.get((route.start, route.end), "")
    said = title(f"{names[route.end]} needs {names[route.start]}{f': {label}' if label else ''}")
    x, y = route.points[-1]
    point = f"M{x:.1f} {y:.1f}l-4 -7h8z"
    return element(
        "g",
        said,
        element("path", class_="edge back" if route.back else "edge", d=_curve(route.points)),
        element("path", class_="head", d=point),
    )


def _curve(points: Sequence[Point]) -> str:
    """A line through points that leaves and meets each of them straight down."""
    (x, y), *others = points
    found = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in others:
        bend = (next_y - y) / 2
        found.append(f"C{x:.1f} {y + bend:.1f} {next_x:.1f} {next_y - bend:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return "".join(found)
