"""`/api/events`: what has happened, after a cursor, or as far back as the server keeps it.

Owns: that a program which asks again and again gets each event, or hears that it has missed some.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xpm_cli.output.documents.happened import events_document, latest_events
from xpm_cli.page.api.answering import number, written, wrong
from xpm_core.filters.moments import DATE, DURATION, read_since
from xpm_core.reading.events import Record

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.lookup.open_workspace import OpenWorkspace
    from xpm_cli.page.desk.desk import Desk

MOST = 1000
"""How many events after a cursor are sent at once. Whoever gets so many asks again."""
_CURSOR = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)


def events(request: Request) -> Response:
    """The events after the cursor `after`; or, as `xpm events` has them, the last `limit` ones since `since`."""
    desk: Desk = request.app.state.desk
    query = request.query_params
    with desk.reading_now() as view:
        opened = desk.opened
        jobs = {view.job(name).identity for name in query.getlist("job")}
        view.reader  # noqa: B018  # without the server, this says so
    after = query.get("after", "")
    found = _after(opened, after) if after else _latest(request, opened, jobs)  # long lists let others read meanwhile
    return written(events_document(opened, [record for record in found if not jobs or record.job in jobs]))


def _after(opened: OpenWorkspace, after: str) -> list[Record]:
    if not _CURSOR.fullmatch(after):
        raise wrong(f"after: expected a cursor, got {after[:40]!r}.", "Give the cursor of an event, or 0-0 for all.")
    reader = opened.reader.events
    found = reader.after(after)[:MOST]
    if after != "0-0" and reader.astray(after):
        raise wrong("after: the server has dropped events that were not read yet.", "List anew what you need.", 410)
    return found


def _latest(request: Request, opened: OpenWorkspace, jobs: set[str]) -> list[Record]:
    since, start_s = request.query_params.get("since"), 0.0
    if since is not None:
        moment = read_since(since, opened.now_s)
        if moment is None:
            raise wrong(f"since: expected {DURATION}, or {DATE}, got {since[:40]!r}.", "Write since=2h.")
        start_s = moment
    return latest_events(opened, jobs, start_s, number(request, "limit"), opened.reader.events.last())
