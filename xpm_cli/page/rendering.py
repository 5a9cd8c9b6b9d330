"""Pages from templates. Whatever a job can put on a page is text: the templates escape it.

Owns: what all templates know, and how they write times, values and states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from xpm_cli.output.json_form import moment
from xpm_cli.output.tables.cells import text_of
from xpm_cli.page.links import Links
from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.words.text import ago, amount, line, plural, span

if TYPE_CHECKING:
    from starlette.requests import Request

    from xpm_cli.page.desk.desk import Desk

VIEWS = ("experiments", "jobs", "curves", "results", "timeline", "graph", "workers")
"""The views that the navigation names. Each is also the name of its link."""
GLYPHS = {
    State.WAITING: "◌", State.READY: "○", State.DELAYED: "◔", State.RUNNING: "▶", State.DONE: "✓", State.FAILED: "✗",
    State.BLOCKED: "■", State.CANCELLED: "⊘",
}  # fmt: skip
"""Beside its colour and its name, the sign of each state."""


def environment() -> Environment:
    """What makes pages from templates: each value is escaped, and a name that is missing is an error."""
    made = Environment(
        loader=PackageLoader("xpm_cli.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(short=short, ago=ago, span=span, amount=amount, moment=moment, value=text_of, one_line=line)
    made.globals.update(plural=plural, State=State, glyphs=GLYPHS, VIEWS=VIEWS)
    return made


def page(request: Request, template: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """A page, or a fragment of one.

    Args:
        request: What was asked for.
        template: The name of the template.
        status: The status of the answer.
        facts: What the template shows.
    """
    state = request.app.state
    found: Environment = state.templates
    text = found.get_template(template).render(**_common(request), **facts)
    return HTMLResponse(text.encode("utf-8", "replace"), status)  # half a surrogate pair is no character


def is_fragment(request: Request) -> bool:
    """Whether htmx asks, which puts a fragment into the page that is there."""
    return request.headers.get("HX-Request") == "true"


def links_of(request: Request) -> Links:
    """The URLs for an answer. The filter of the request goes along."""
    return Links(request.query_params.get("filter", ""))


def first_place(request: Request) -> int:
    """The place in a list from which on a request asks for it (`first`); 0 if it does not say, or says no number."""
    given = request.query_params.get("first", "0")
    return int(given) if given.isdecimal() and len(given) < 10 else 0


def _common(request: Request) -> dict[str, Any]:
    """What every template knows.

    `links` writes URLs; `cursor` is the last event that the page surely covers; `filter` goes with the user from view
    to view; `acts` says whether the page may act, and `form_value` is what a POST has to send as `csrf`.
    """
    state = request.app.state
    desk: Desk = state.desk
    form_value: Callable[[Request], str] = state.guard.form_value
    return {
        "links": links_of(request),
        "desk": desk,
        "cursor": getattr(request.state, "cursor", desk.cursor),
        "commands": desk.opened.commands,
        "workspace": desk.view.workspace.path.name,
        "path": str(desk.view.workspace.path),
        "filter": request.query_params.get("filter", ""),
        "sort": request.query_params.get("sort", ""),
        "columns_text": request.query_params.get("columns", ""),
        "acts": state.guard.acts,
        "csrf": form_value(request),
    }
