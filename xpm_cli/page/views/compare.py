"""Chosen jobs side by side: only what differs among them, their curves over each other, and the files of their code.

Owns: which jobs are chosen: `ids=a,b,c`, or several `job=`, as the check boxes of the list send them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from click import unstyle
from starlette.routing import Route

from xpm_cli.output.publishing.result_lines import Cells
from xpm_cli.output.terminal import Terminal
from xpm_cli.page.rendering import page
from xpm_cli.page.results.side_by_side import LEAST, MOST, CodeOfTwo, Fact, code_of, side_by_side
from xpm_cli.page.results.tables import chosen_jobs, metrics_of
from xpm_core.errors import SnapshotError, UnknownJobError
from xpm_core.results.columns import Column
from xpm_core.words.text import plural, span

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk
    from xpm_core.results.table import Row

CHARTS = 6
"""How many metrics are drawn; the others are links."""
SECONDS = Column("seconds", "fact", "seconds")


def routes() -> list[Route]:
    """The URLs of this view."""
    return [Route("/compare", show)]


def show(request: Request) -> Response:
    """The jobs side by side."""
    desk: Desk = request.app.state.desk
    names = _names(request)
    if wrong := _wrong(names):
        return page(request, "compare.jinja", status=400, wrong=[wrong], found=None)
    identities = _identities(desk, names)
    if wrong := _wrong(identities):  # two names meant one job
        return page(request, "compare.jinja", status=400, wrong=[wrong], found=None)
    table = chosen_jobs(desk, identities)
    found = side_by_side(table)
    cells = Cells(table, Terminal(), desk.opened.now_s)
    metrics = metrics_of(table)
    return page(
        request,
        "compare.jinja",
        wrong=[],
        found=found,
        identities=identities,
        metrics=metrics[:CHARTS],
        further=metrics[CHARTS:],
        text_of=lambda fact: _texts(fact, found.rows, cells),
        run=[fact for fact in found.facts if len(set(_texts(fact, found.rows, cells))) > 1],
        asks_code="code" in request.query_params,
        code=_code(desk, identities) if "code" in request.query_params else [],
    )


def _names(request: Request) -> list[str]:
    """The names of the chosen jobs, each once."""
    query = request.query_params
    texts = [*query.get("ids", "").split(","), *query.getlist("job")]
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _wrong(names: Sequence[str]) -> str:
    """Why these jobs cannot be compared, in sentences; empty if they can."""
    if len(names) < LEAST:
        return (
            f"{plural(len(names), 'job') if names else 'No job'} chosen. Choose {LEAST} to {MOST} in the list of jobs."
        )
    if len(names) > MOST:
        return f"{len(names)} jobs chosen, and at most {MOST} stand side by side. Choose fewer, or fold them: results."
    return ""


def _identities(desk: Desk, names: Sequence[str]) -> list[str]:
    """The identities of the jobs.

    Raises:
        UnknownJobError, AmbiguousJobError: A name means no job, or several.
    """
    known = {row.identity for row in desk.rows(names)}
    if len(known) == len(names):
        return list(names)
    with desk.reading() as view:
        return list(dict.fromkeys(view.job(name).identity for name in names))


def _texts(fact: Fact, rows: Sequence[Row], cells: Cells) -> list[str]:
    if fact.column == SECONDS:
        return ["-" if value is None else span(value) for value in fact.values]
    return [unstyle(cells.text(row, fact.column)) for row in rows]


def _code(desk: Desk, identities: Sequence[str]) -> list[tuple[CodeOfTwo | None, str]]:
    """How the code of each job differs from that of the first one, or why that cannot be said."""
    rows = desk.rows(identities)
    if len(rows) != len(identities):
        raise UnknownJobError(identities[0])
    first, *others = rows
    found: list[tuple[CodeOfTwo | None, str]] = []
    for each in others:
        try:
            found.append((code_of(desk.opened, first, each), ""))
        except SnapshotError as error:
            found.append((None, str(error)))
    return found
