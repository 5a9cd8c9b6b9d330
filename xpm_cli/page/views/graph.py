"""Which jobs need which: by task for all jobs of a filter, or up and down from one job.

Owns: which boxes there are, and the words beside the picture. What needs what, `graph.dependencies` finds out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from xpm_cli.output.job_graph import task_names
from xpm_cli.page.graph.dependencies import DEPTH, Around, Tasks, Users, around, by_task, users_of
from xpm_cli.page.graph.picture import Box, picture
from xpm_cli.page.rendering import GLYPHS, links_of, page
from xpm_core.errors import FilterError
from xpm_core.filters import Filter, from_options, parse
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.words.text import plural

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk
    from xpm_cli.page.links import Links

NODES = 50
"""How many nodes a graph has at most."""


def routes() -> list[Route]:
    """The URLs of this view."""
    return [Route("/graph", show)]


def show(request: Request) -> Response:
    """The graph of the tasks, or, with `job`, what is around one job."""
    query = request.query_params
    if query.get("job"):
        return page(request, "graph.jinja", wrong=[], **_job(request, query["job"]))
    try:
        facts = _tasks(request, query.get("filter", ""))
    except FilterError as error:
        return page(request, "graph.jinja", status=400, wrong=str(error).splitlines(), here=None)
    return page(request, "graph.jinja", wrong=[], **facts)


# -- tasks -------------------------------------------------------------------------------------------------------------


def _tasks(request: Request, text: str) -> dict[str, Any]:
    desk: Desk = request.app.state.desk
    links = links_of(request)
    wanted = parse(text) if text.strip() else Filter()

    def make() -> Tasks:
        with desk.reading() as view:
            return by_task(view, wanted if text.strip() else None)

    found = desk.table(("graph", text), make)
    names = task_names([task for task in found.states if task])
    largest = sorted(found.states, key=lambda task: (-sum(found.states[task].values()), task))
    shown = sorted(largest[:NODES])
    boxes = [_task_box(task, names.get(task, "?"), found, wanted, links) for task in shown]
    edges = [edge for edge in sorted(found.edges) if edge[0] in shown and edge[1] in shown]
    left = largest[NODES:]
    notes = [*_notes_of_tasks(found)]
    if left:
        jobs = sum(sum(found.states[task].values()) for task in left)
        notes.append(f"Not shown: {plural(len(left), 'task')} with the fewest jobs, {plural(jobs, 'job')} together.")
    needs: dict[str, list[str]] = {}
    for needed, task in edges:
        if needed == task:
            continue
        needs.setdefault(task, []).append(names.get(needed, "?"))
    itself = {task for task in shown if (task, task) in found.edges}
    return {
        "here": None,
        "picture": picture(boxes, edges, "Which tasks need which; the table below says the same") if boxes else None,
        "rows": [(box, found.states[box.key], needs.get(box.key, []), box.key in itself) for box in boxes],
        "state_url": lambda task: _state_url(links, wanted, task),
        "live_url": links.graph(filter=text),
        "notes": notes,
    }


def _task_box(task: str, name: str, found: Tasks, wanted: Filter, links: Links) -> Box:
    states = found.states[task]
    jobs, outside = sum(states.values()), task in found.outside
    count = plural(jobs, "job") + (", outside of the filter" if outside else "")
    url = "" if outside else _url(links, wanted, task)
    return Box(task, name, count, states, url, "outside" if outside else "")


def _url(links: Links, wanted: Filter, task: str) -> str:
    """The jobs of a task that match the filter."""
    try:
        return links.jobs(str(wanted & from_options(task=[_quoted(task)]))) if task else ""
    except FilterError:  # no filter can name it
        return ""


def _state_url(links: Links, wanted: Filter, task: str) -> Callable[[Any], str]:
    return lambda state: links.jobs(
        str(wanted & from_options(task=[_quoted(task)] if task else None, state=state.value))
    )


def _quoted(text: str) -> str:
    """A text as one value of a filter."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _notes_of_tasks(found: Tasks) -> list[str]:
    notes = []
    if found.sampled:
        notes.append(
            "What a task needs is known by the parameters of all its jobs. Needs that are no parameters were looked "
            f"for in {plural(found.asked, 'job')}: some of each task."
        )
    if found.unsure:
        notes.append(
            f"Left out: {plural(found.unsure, 'job')} of which a fact that the filter asks about is not known."
        )
    return notes


# -- one job -----------------------------------------------------------------------------------------------------------


def _job(request: Request, name: str) -> dict[str, Any]:
    desk: Desk = request.app.state.desk
    links = links_of(request)

    def make() -> Users:
        with desk.reading() as view:
            return users_of(view)

    users = desk.table("graph of users", make)
    with desk.reading() as view:
        found = around(view, view.job(name), users, NODES)
    boxes = [_job_box(row, found, links) for row in found.rows]
    needs: dict[str, list[str]] = {}
    for needed, identity in found.edges:
        needs.setdefault(identity, []).append(short(needed))
    return {
        "here": found.here,
        "picture": picture(boxes, found.edges, "What the job needs, and what needs it; the table below says the same"),
        "rows": [(row, found.levels[row.identity], needs.get(row.identity, [])) for row in found.rows],
        "depth": DEPTH,
        "level": _level,
        "live_url": links.graph(found.here.identity),
        "notes": _notes_of_job(found),
    }


def _job_box(row: JobRow, found: Around, links: Links) -> Box:
    state = f"{GLYPHS[row.state]} {row.state.value}" if row.state else "unknown"
    kind = "here" if row.identity == found.here.identity else ""
    count = f"{short(row.identity)} {state}"
    return Box(row.identity, row.title, count, Counter([row.state]), links.job(row.identity), kind)


def _level(level: int) -> str:
    """How a job stands to the one that is asked about."""
    if not level:
        return "this job"
    if level < 0:
        return "needed" if level == -1 else "needed by what it needs"
    return "needs it" if level == 1 else "needs what needs it"


def _notes_of_job(found: Around) -> list[str]:
    notes = []
    if found.left:
        notes.append(f"Not shown: {plural(found.left, 'further job')}, and what lies behind them; {NODES} are.")
    if found.unknown:
        notes.append(f"What they need is not known of {plural(found.unknown, 'job')}.")
    if found.guessed:
        notes.append(
            "What needs it is known by parameters alone, because the server cannot be had, or has forgotten it."
        )
    return notes
