"""The URLs of `/api/…`, and what each of them answers.

Owns: the parameters: they have the names of the options of the commands.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from xpm_cli.lookup.publishing.asked_table import notes_on
from xpm_cli.output.documents.experiment_list import experiments_document
from xpm_cli.output.documents.job_list import jobs_document, records_of
from xpm_cli.output.documents.live_lists import queues_document, tokens_document, worker_table, workers_document
from xpm_cli.output.documents.one_job import job_document
from xpm_cli.output.documents.reasons import reasons_document, waiting_document, why_document
from xpm_cli.output.documents.result_table import results_document
from xpm_cli.output.documents.standing import standing_of
from xpm_cli.output.tables.worker_table import in_order
from xpm_cli.page.api.answering import answering, number, read, written, wrong
from xpm_cli.page.api.asked import asked_table
from xpm_cli.page.api.events import events
from xpm_cli.page.results.tables import read_results
from xpm_core.filters import parse_columns
from xpm_core.reading.listing.row import JobRow, still

if TYPE_CHECKING:
    from starlette.requests import Request

    from xpm_cli.lookup.open_workspace import OpenWorkspace
    from xpm_cli.page.desk.desk import Desk

ALL = 1_000_000_000
PART = 500
"""So many jobs of a long list are read at once. Between two parts, other requests can read."""
TURN_S = 0.001
"""How long they then have to begin, seconds."""


def routes() -> list[Route]:
    """The URLs."""
    return [*(answering(path, answer) for path, answer in URLS.items()), answering("/api/{rest:path}", missing)]


def status(request: Request) -> Response:
    """How the workspace stands: `xpm status [EXPERIMENT]`."""
    name = request.query_params.get("experiment", "")
    return read(request, lambda opened: standing_of(opened, name).as_data())


def experiments(request: Request) -> Response:
    """The experiments, as `xpm status` has them."""
    return read(request, experiments_document)


def jobs(request: Request) -> Response:
    """The jobs that match: `xpm jobs --where FILTER --sort NAMES --limit N --columns NAMES`."""
    desk: Desk = request.app.state.desk
    query = request.query_params
    text, sort, names = query.get("filter", ""), query.get("sort", ""), query.get("columns", "")
    with desk.reading_now() as view:
        opened, listed = desk.opened, desk.listed(text, sort, count=0)
        columns = parse_columns(names, view.vocabulary, "columns") if names else None
        chosen = desk.identities(text, sort)[: number(request, "limit") or None]
    rows = [row for start in range(0, len(chosen), PART) for row in _as_now(desk, chosen[start : start + PART])]
    records = records_of(opened, rows, columns and list({column.name: column for column in columns}.values()))
    return written(jobs_document(opened, records, listed.matched, listed.total))


def _as_now(desk: Desk, identities: Sequence[str]) -> list[JobRow]:
    """Some jobs as they stand now. They stay so, while other threads read."""
    with desk.reading():
        found = [still(row) for row in desk.rows(identities)]
    time.sleep(TURN_S)  # a lock that is taken again at once is not given to those who wait for it
    return found


def job(request: Request) -> Response:
    """One job: `xpm show JOB`."""
    name = request.path_params["name"]
    return read(request, lambda opened: job_document(opened, opened.view.job(name)))


def why(request: Request) -> Response:
    """Why a job does not run: `xpm why JOB`."""
    name = request.path_params["name"]
    return read(request, lambda opened: why_document(opened, opened.view.job(name)))


def waiting(request: Request) -> Response:
    """For which reasons jobs wait: `xpm why`; with a filter, why each job that matches does not run."""
    desk: Desk = request.app.state.desk
    text = request.query_params.get("filter", "")
    if not text.strip():
        return read(request, waiting_document)
    return read(request, lambda opened: reasons_document(opened, desk.listed(text, count=ALL).rows))


def workers(request: Request) -> Response:
    """The workers: `xpm workers`."""

    def document(opened: OpenWorkspace) -> dict[str, Any]:
        return workers_document(opened, worker_table(opened, in_order(opened.view.workers()), refused=True))

    return read(request, document)


def tokens(request: Request) -> Response:
    """The tokens: `xpm tokens`."""
    return read(request, lambda opened: tokens_document(opened, opened.view.tokens()))


def queues(request: Request) -> Response:
    """The queues: `xpm queues`."""
    return read(request, lambda opened: queues_document(opened, opened.view.queues()))


def results(request: Request) -> Response:
    """The table of what jobs have reported: `xpm results EXPERIMENT`."""
    query, asked = request.query_params, asked_table(request)
    name = query.get("experiment", "")
    if not name:
        raise wrong("experiment: it is missing.", "Write experiment=NAME. /api/experiments has the names.")

    desk: Desk = request.app.state.desk
    with desk.reading_now():
        pass
    found = asked.of(read_results(desk, name, query.get("filter", "")))
    return written(results_document(desk.opened, name, found, asked.form, notes_on(found, shows_states=True)))


def missing(request: Request) -> Response:
    """What is said of a URL that is none."""
    raise wrong(f"{request.url.path}: there is no such document.", f"There are: {', '.join(URLS)}.", 404)


URLS = {
    "/api/status": status,
    "/api/experiments": experiments,
    "/api/jobs": jobs,
    "/api/jobs/{name:path}": job,
    "/api/why": waiting,
    "/api/why/{name:path}": why,
    "/api/workers": workers,
    "/api/tokens": tokens,
    "/api/queues": queues,
    "/api/events": events,
    "/api/results": results,
}
"""What answers each URL."""
