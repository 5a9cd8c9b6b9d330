"""The timeline: a lane for each worker slot, with what it ran; how busy each was; and what jobs waited for.

The browser gets the part of time that it shows (`from`, `to`, epoch seconds), of at most `LANES` workers. Short
neighbours come as one block with a count. So an answer stays small with 100,000 executions.

Owns: the part of time, and what is said of it in words and in the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.routing import Route

from xpm_cli.page.rendering import first_place, links_of, page
from xpm_cli.page.timeline.history import History, Past
from xpm_cli.page.timeline.lanes import Execution, How, Lane, Run, Use, Window, use_of
from xpm_cli.page.timeline.picture import Look, clock, picture, seen
from xpm_core.errors import FilterError
from xpm_core.filters import parse
from xpm_core.store.refusals import daemon_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk
    from xpm_cli.page.links import Links

LANES = 40
"""How many workers are shown at once."""
LISTED = 200
"""How many executions of one worker are listed."""
DAY_S = 86400.0
LONGEST_S, SHORTEST_S = 70 * 366 * DAY_S, 0.01
"""How long the part of time that is shown may be."""
LATEST_S = 2.0**37
REMEDY = "Give `from` and `to` in seconds since 1970, or neither."
LACKING = "attempts that were tried again, handed back or lost are"
"""What the ends of jobs do not say."""
REST = 0.02
"""How much of the time that is shown at first lies before and after what is known."""


class Row(NamedTuple):
    """A worker in the table."""

    lane: Lane
    use: Use


class Asked(NamedTuple):
    """What a request asks for.

    Attributes:
        window: The part of time.
        pinned: Whether the request names it. Else it goes on with the time.
        lane: The worker; empty for all.
        first: The place of the first worker that is shown.
        filter: The jobs that are not to be faint.
    """

    window: Window
    pinned: bool
    lane: str
    first: int
    filter: str


def routes() -> list[Route]:
    """The URLs of this view."""
    return [Route("/timeline", show)]


def show(request: Request) -> Response:
    """The timeline. A part of time that is none, and a filter that is wrong, are said in its place."""
    desk: Desk = request.app.state.desk
    history: History = request.app.state.history
    past = history.read()
    try:
        asked = _asked(request, past)
        chosen = _chosen(desk, asked.filter)
    except FilterError as error:
        return page(request, "timeline.jinja", status=400, wrong=str(error).splitlines())
    return page(request, "timeline.jinja", wrong=[], **_facts(request, desk, past, asked, chosen))


def _facts(
    request: Request, desk: Desk, past: Past, asked: Asked, chosen: Callable[[Execution], bool]
) -> dict[str, Any]:
    links = links_of(request)
    window = asked.window
    lanes = [lane for lane in in_order(past.lanes) if lane.is_in(window) and asked.lane in ("", lane.worker)]
    rows = [Row(lane, use_of(lane, window)) for lane in lanes]
    if asked.first >= len(rows):
        asked = asked._replace(first=0)
    shown = rows[asked.first : asked.first + LANES]
    drawn = [row.lane for row in shown]
    runs = list(drawn[0].within(window)) if asked.lane and drawn else []
    with desk.reading() as view:
        wanted = {*seen(drawn, window), *(run.of.job for run in runs[:LISTED])}
        titles = {row.identity: row.title for row in view.known(wanted)}

    def zoom_url(part: Window, lane: str) -> str:
        return links.timeline(asked.filter, from_s=part.from_s, to_s=part.to_s, lane=lane)

    return {
        "past": past,
        "asked": asked,
        "picture": picture(drawn, Look(window, links.job, zoom_url, titles, chosen)) if drawn else None,
        "rows": shown,
        "lanes": len(rows),
        "total": sum((row.use for row in rows), Use()),
        "runs": runs[:LISTED],
        "runs_left": max(len(runs) - LISTED, 0),
        "run_title": lambda run: _title(run, titles),
        "waited": _waited(past),
        "moves": _moves(links, asked, past),
        "live_url": links.timeline(asked.filter, lane=asked.lane, first=asked.first),
        "next_lanes": lambda first: links.timeline(asked.filter, **_pinned(asked), lane=asked.lane, first=first),
        "page_size": LANES,
        "clock": clock,
        "How": How,
        "notes": list(_notes(past)),
    }


def _title(run: Run, titles: dict[str, str]) -> str:
    return titles.get(run.of.job) or run.of.task or "job"


def in_order(lanes: Sequence[Lane]) -> list[Lane]:
    """Lanes by daemon, then by the number of the slot."""

    def place(lane: Lane) -> tuple[str, int, str]:
        daemon = daemon_of(lane.worker)
        number = lane.worker[len(daemon) + 1 :]
        return daemon, int(number) if number.isascii() and number.isdigit() else -1, lane.worker

    return sorted(lanes, key=place)


def whole(past: Past) -> Window:
    """All that is known: from the first worker to the last one, or to now while one is there."""
    from_s = min((lane.from_s for lane in past.lanes), default=past.now_s - 3600)
    to_s = max((lane.to_s for lane in past.lanes), default=past.now_s)
    rest_s = max((to_s - from_s) * REST, 1.0)
    return Window(from_s - rest_s, to_s + rest_s)


def _asked(request: Request, past: Past) -> Asked:
    """What a request asks for; without a part of time, the last day of all that is known.

    Raises:
        FilterError: The part of time is none.
    """
    query = request.query_params
    everything = whole(past)
    to_s = _time("to", query.get("to", ""), everything.to_s)
    day_s = max(everything.from_s, to_s - DAY_S) if to_s > everything.from_s else to_s - 60
    from_s = _time("from", query.get("from", ""), day_s)
    if not SHORTEST_S <= to_s - from_s <= LONGEST_S:
        raise FilterError("to", query.get("to", ""), "it is not after `from`", 1, REMEDY)
    pinned = bool(query.get("from") or query.get("to"))
    return Asked(Window(from_s, to_s), pinned, query.get("lane", ""), first_place(request), query.get("filter", ""))


def _time(name: str, text: str, otherwise: float) -> float:
    if not text:
        return otherwise
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < LATEST_S:
        raise FilterError(name, text, "it is no time", 1, REMEDY)
    return found


def _chosen(desk: Desk, text: str) -> Callable[[Execution], bool]:
    """Whether an execution is of a job that the filter wants.

    Raises:
        FilterError: The filter cannot be understood.
    """
    if not text.strip():
        return lambda execution: True
    wanted = parse(text)
    ranking = desk.remembered(("timeline", text), lambda view: view.ranked(wanted))
    return lambda execution: execution.job in ranking


def _pinned(asked: Asked) -> dict[str, float]:
    return {"from_s": asked.window.from_s, "to_s": asked.window.to_s} if asked.pinned else {}


def _moves(links: Links, asked: Asked, past: Past) -> list[tuple[str, str, str]]:
    """The ways to move through time: name, what it does, URL."""
    window, everything = asked.window, whole(past)
    middle_s, half_s = (window.from_s + window.to_s) / 2, window.span_s / 2

    def url(from_s: float, to_s: float) -> str:
        to_s = min(max(to_s, 1.0), LATEST_S - 1)
        return links.timeline(asked.filter, from_s=max(min(from_s, to_s - 0.1), 0.0), to_s=to_s, lane=asked.lane)

    def last(span_s: float) -> str:
        return url(everything.to_s - span_s, everything.to_s)

    return [
        ("+", "closer", url(middle_s - half_s / 2, middle_s + half_s / 2)),
        ("-", "further away", url(middle_s - 2 * half_s, middle_s + 2 * half_s)),
        ("←", "earlier", url(window.from_s - half_s, window.to_s - half_s)),
        ("→", "later", url(window.from_s + half_s, window.to_s + half_s)),
        ("hour", "the last hour", last(3600)),
        ("day", "the last day", links.timeline(asked.filter, lane=asked.lane)),
        ("all", "all that is known", url(everything.from_s, everything.to_s)),
    ]


def _waited(past: Past) -> list[tuple[str, float, float]]:
    """What jobs waited for: in words, its share of all waiting, and for how long; the most first."""
    total = sum(past.waited.values())
    found = sorted(past.waited.items(), key=lambda each: (-each[1], each[0]))
    return [(what, seconds / total, seconds) for what, seconds in found if seconds > 0]


def _notes(past: Past) -> list[str]:
    """What is not known."""
    found = []
    if past.away and past.asked:
        found.append(f"The server does not answer, so this is how things stood at {clock(past.now_s)}: {past.away}")
    elif past.away:
        found.append(f"The server cannot be had, so only what workers have written is shown: {past.away}")
        found.append(f"So {LACKING} missing, and each worker counts from its first job to its last one only.")
    if past.waited_since_s is not None and past.cut:
        found.append(
            f"The server keeps its last events, from {clock(past.waited_since_s)} on. Before that, only the ends of "
            f"jobs are known: {LACKING} missing there."
        )
    if any(what.startswith("token") for what in past.waited):
        found.append("Tokens count with the units that they have now. What jobs of other workspaces held is not known.")
    if past.unseen:
        found.append(f"Executions that are not shown, because it is not known when they began: {past.unseen}.")
    return found
