"""The list of jobs: those that match a filter, in an order, with what differs among them as columns.

Owns: the columns, and which rows are sent. The browser gets 200 rows, then 200 more as the user scrolls; a row that
changes is sent again by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from starlette.routing import Route

from xpm_cli.output.tables.job_table import cell_text, failure, time_of, where
from xpm_cli.page.rendering import first_place, links_of, page
from xpm_core.errors import FilterError
from xpm_core.filters import ABSENT, UNKNOWN, Column, Filter, from_options, parse, parse_columns
from xpm_core.states import State
from xpm_core.words.reasons import Outlook

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk, Listed
    from xpm_core.reading.listing.row import JobRow
    from xpm_core.reading.look import View

PAGE = 200
"""Rows that are sent at once."""
PARAMETERS, RESULTS = 10, 6
"""How many parameters and tags, and how many results, are columns that nobody has asked for."""
MOST_COLUMNS = 100
"""How many columns there are at most: more make a slow page, and an address that browsers cut."""
EXPLAINED = 50
"""How many jobs of a page that wait are explained."""


class Row(NamedTuple):
    """A job as the list shows it.

    Attributes:
        job: The job.
        cells: What stands in each column; a number stands to the right.
        time: How long it runs or waits, or how long ago it ended.
        where: Where it runs or ran.
        why: Why it does not run, what it does, or what went wrong.
        fraction: Its progress, 0 to 1; None if it has told none.
    """

    job: JobRow
    cells: Sequence[tuple[str, bool]]
    time: str
    where: str
    why: str
    fraction: float | None


def routes() -> list[Route]:
    """The URLs of this view."""
    return [Route("/jobs", show), Route("/jobs/rows", rows), Route("/jobs/counts", counts)]


def show(request: Request) -> Response:
    """The list, with its first rows. A filter that is wrong is said above an empty list."""
    desk: Desk = request.app.state.desk
    query = request.query_params
    try:
        listed = desk.listed(query.get("filter", ""), query.get("sort", ""), first_place(request), PAGE)
        named = columns_of(desk, listed, query.get("columns", ""))
    except FilterError as error:
        return page(request, "jobs.jinja", status=400, wrong=str(error).splitlines())
    columns = named[:MOST_COLUMNS]
    found = rows_of(desk, listed.rows, columns)
    names = [*listed.names, *listed.results]
    return page(
        request,
        "jobs.jinja",
        wrong=[],
        heads=_heads(columns, found),
        columns_key=_key(columns),
        rows=found,
        chosen=",".join(column.name for column in columns),
        further=len(set(names) - {column.name for column in columns}),
        most=",".join(names[:MOST_COLUMNS]),
        all_fit=len(names) <= MOST_COLUMNS,
        left_columns=len(named) - len(columns),
        **_shown(request, listed),
    )


def rows(request: Request) -> Response:
    """Some rows alone: of the jobs `ids`, those that match the filter; or 200 rows from the place `first` on."""
    desk: Desk = request.app.state.desk
    query = request.query_params
    text, wanted = query.get("filter", ""), [each for each in query.get("ids", "").split(",") if each][:PAGE]
    first = first_place(request)
    listed = desk.listed(text, query.get("sort", ""), first, 0 if wanted else PAGE, after=query.get("after", ""))
    columns = columns_of(desk, listed, query.get("columns", ""))[:MOST_COLUMNS]
    jobs = desk.matching(text, wanted) if wanted else listed.rows
    found = rows_of(desk, jobs, columns)
    shown = _shown(request, listed)
    answer = page(request, "jobs_rows.jinja", **{**shown, "alone": bool(wanted)}, rows=found)
    answer.headers["X-Columns"] = _key(columns)
    return answer


def counts(request: Request) -> Response:
    """How many jobs of the list are in each state."""
    desk: Desk = request.app.state.desk
    listed = desk.listed(request.query_params.get("filter", ""), count=0)
    return page(request, "jobs_counts.jinja", **_shown(request, listed))


def _shown(request: Request, listed: Listed) -> dict[str, Any]:
    """What the templates of the list and of its parts are told."""
    text, links = request.query_params.get("filter", ""), links_of(request)
    wanted = parse(text) if text.strip() else Filter()
    return {
        "listed": listed,
        "counts": {**listed.counts, None: listed.matched - sum(listed.counts.values())},
        "first": first_place(request),
        "alone": False,
        "state_url": lambda state: links.jobs(str(wanted & from_options(state=state.value))),
    }


def _heads(columns: Sequence[Column], rows: Sequence[Row]) -> list[tuple[str, str, bool]]:
    """The heads of the columns.

    Returns:
        For each: its text, the name by which it is sorted (empty if it cannot be), and whether it stands to the right.
    """
    own = [
        (column.name, column.name, bool(rows) and all(row.cells[at][1] for row in rows))
        for at, column in enumerate(columns)
    ]
    first, last = ("id", "state", "task"), (("time", "-since"), ("where", "host"), ("why", ""))
    return [*((name, name, False) for name in first), *own, *((*each, False) for each in last)]


def _key(columns: Sequence[Column]) -> str:
    """A short word that is another one if the columns are. Then rows do not fit under the heads of an older page."""
    return f"{crc32(','.join(column.name for column in columns).encode()):08x}"


def columns_of(desk: Desk, listed: Listed, chosen: str) -> list[Column]:
    """The columns of a list, each once. Of many, a page shows the first `MOST_COLUMNS`.

    Args:
        desk: Reads the workspace.
        listed: The list.
        chosen: The names that the user has chosen; empty for what differs and what was reported.

    Raises:
        FilterError: A name means nothing.
    """
    names = chosen or ",".join([*listed.names[:PARAMETERS], *listed.results[:RESULTS]])
    if not names:
        return []
    with desk.reading() as view:
        found = parse_columns(names, view.vocabulary, "columns")
    return list({column.name: column for column in found}.values())


def rows_of(desk: Desk, jobs: Sequence[JobRow], columns: Sequence[Column]) -> list[Row]:
    """The rows of some jobs."""
    with desk.reading() as view:
        reasons, now_s = _reasons(desk, jobs), view.now_s
    rights = [column.is_result or any(_is_number(column.value(job)) for job in jobs) for column in columns]
    return [_row(job, [*zip(columns, rights, strict=True)], reasons, now_s) for job in jobs]


def _row(job: JobRow, columns: Sequence[tuple[Column, bool]], reasons: Mapping[str, str], now_s: float) -> Row:
    said = job.job.progress if job.job and job.state is State.RUNNING else {}
    fraction = said.get("fraction")
    if job.state is State.FAILED:
        why = failure(job)
    else:
        why = str(said.get("desc", "")) or reasons.get(job.identity, "" if job.state else "its end is not known")
    return Row(
        job=job,
        cells=[_cell(column, job, right, now_s) for column, right in columns],
        time=time_of(job, now_s),
        where=where(job),
        why=why,
        fraction=min(max(fraction, 0.0), 1.0) if isinstance(fraction, (int, float)) else None,
    )


def _cell(column: Column, job: JobRow, right: bool, now_s: float) -> tuple[str, bool]:
    """What stands in a cell, and whether it stands to the right, as the numbers of a column and what stands for one."""
    value = column.value(job)
    return cell_text(column, job, now_s), _is_number(value) or (right and (value is ABSENT or value is UNKNOWN))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _reasons(desk: Desk, jobs: Sequence[JobRow]) -> dict[str, str]:
    """Why jobs do not run: the first of those that wait."""

    def read(_: View) -> dict[str, str]:
        return {
            row.identity: str(reason)
            for row, reason in desk.opened.reasons(jobs, EXPLAINED)
            if reason.outlook not in (Outlook.RUNNING, Outlook.ENDED)
        }

    return desk.remembered(("reasons", *(job.identity for job in jobs)), read)
