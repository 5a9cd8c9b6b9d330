"""One job: how it stands and why, its attempts, its log, its code, its curves, its files, and its neighbours.

Owns: the URLs. A job is named as in the commands; the page then goes to the URL with its whole identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, StreamingResponse
from starlette.routing import Route

from xpm_cli.page.job.code import lines_since
from xpm_cli.page.job.facts import JobFacts, find, known
from xpm_cli.page.job.printed import STREAMS, Printed, PrintedLog, Wanted
from xpm_cli.page.rendering import is_fragment, links_of, page
from xpm_cli.page.safety.job_files import FileNotServedError, JobFile, open_job_file
from xpm_core.errors import SnapshotError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk
    from xpm_core.reading.listing.row import JobRow

BLOCK = 1 << 18
RECORDS = ".xpm"
"""The folder of a job that the page does not serve: it may hold the job's environment, with secrets."""


def routes() -> list[Route]:
    """The URLs of this view."""
    return [
        Route("/job/{name}/log", log),
        Route("/job/{name}/code", code),
        Route("/job/{name}/files/{path:path}", file),
        Route("/job/{name:path}", show),
    ]


def show(request: Request) -> Response:
    """A job; as a fragment, only what changes while it waits and runs."""
    desk: Desk = request.app.state.desk
    name = request.path_params["name"]
    row = find(desk, name)
    if name != row.identity:
        links = links_of(request)
        return RedirectResponse(links.job(row.identity), 303)
    facts = JobFacts(desk, row)
    if is_fragment(request):
        return page(request, "job_standing.jinja", row=row, job=facts)
    printed = PrintedLog(facts.opened, row, Wanted()).read()
    return page(request, "job.jinja", row=row, job=facts, **_of_log(printed, Wanted()))


def log(request: Request) -> Response:
    """The log of a job; as a fragment, only the lines, or what a search has found, or how the job stands."""
    desk: Desk = request.app.state.desk
    row, wanted = _row(request), Wanted.of(request.query_params)
    if is_fragment(request) and request.query_params.get("part") == "state":
        return page(request, "log_state.jinja", row=row)
    printed = PrintedLog(desk.opened, row, wanted).read()
    facts = {"row": row, "title": desk.opened.title(row), **_of_log(printed, wanted)}
    if not is_fragment(request):
        return page(request, "log.jinja", **facts)
    return page(request, "log_found.jinja" if wanted.find else "log_part.jinja", **facts)


def code(request: Request) -> Response:
    """What of the code of a job has changed since it ran."""
    desk: Desk = request.app.state.desk
    row = _row(request)
    try:
        lines, wrong = lines_since(desk.opened, row), ""
    except SnapshotError as error:
        lines, wrong = [], str(error)
    template = "job_code_lines.jinja" if is_fragment(request) else "job_code.jinja"
    return page(request, template, row=row, title=desk.opened.title(row), lines=lines, wrong=wrong)


def file(request: Request) -> Response:
    """A file of a job, to be kept: a browser does not open it as a part of the page."""
    desk: Desk = request.app.state.desk
    row, path = _row(request), request.path_params["path"]
    try:
        opened = open_job_file(desk.opened.directory(row).path, path, without=RECORDS)
    except FileNotServedError as error:
        lines = [f"{path}: {error}", f"The job is {desk.opened.title(row)}."]
        return page(request, "error.jinja", status=error.status, lines=lines)
    name = path.rpartition("/")[2]
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Length": str(opened.size),
    }
    return StreamingResponse(_content(opened), headers=headers, media_type="application/octet-stream")


def _row(request: Request) -> JobRow:
    """The job of a URL below that of a job. These are asked for often, so the server is not asked for a whole name."""
    desk: Desk = request.app.state.desk
    name = request.path_params["name"]
    return known(desk, name) or find(desk, name)


def _of_log(printed: Printed, wanted: Wanted) -> dict[str, Any]:
    """What the templates of a log show."""
    return {"printed": printed, "wanted": wanted, "stream_names": STREAMS}


def _content(opened: JobFile) -> Iterator[bytes]:
    """A file in blocks: as much as it had when it was opened."""
    left = opened.size
    with opened.file as file:
        while left > 0 and (data := file.read(min(BLOCK, left))):
            left -= len(data)
            yield data
