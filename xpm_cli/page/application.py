"""The program that answers requests: which URL leads to which view, and what an error becomes.

Owns: the list of routes. Safety stands around all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from xpm_cli.page import rendering
from xpm_cli.page.completing import complete
from xpm_cli.page.desk.desk import Desk
from xpm_cli.page.desk.feed import AsOf, Feed
from xpm_cli.page.links import Links
from xpm_cli.page.views import experiments, graph, jobs, timeline, workers
from xpm_core.errors import (
    AmbiguousJobError,
    FilterError,
    ForgottenJobError,
    ResultsError,
    UnknownColumnError,
    UnknownExperimentError,
    UnknownJobError,
    XpmError,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from xpm_cli.page.safety.guard import Guard

ASSETS = Path(__file__).parent / "assets"
STATUSES: dict[tuple[type[XpmError], ...], int] = {
    (UnknownJobError, ForgottenJobError, UnknownExperimentError): 404,
    (AmbiguousJobError, FilterError, ResultsError, UnknownColumnError): 400,
}
"""The status of the page that says an error. All other errors of xpm are those of a server that cannot be had."""
AWAY = 503


def build(desk: Desk, guard: Guard, links: Links | None = None) -> Starlette:
    """Return the application.

    Args:
        desk: Reads the workspace.
        guard: Who may come in, and whether the page may act.
        links: Writes the URLs; None for those of the page.

    Returns:
        The application. Its `state` has `desk`, `guard`, `links`, `templates`, and `feed`, whose `close` ends all
        streams.
    """
    feed = Feed(desk)
    routes: list[Route | Mount] = [
        *experiments.routes(),
        *jobs.routes(),
        *timeline.routes(),
        *graph.routes(),
        *workers.routes(),
        *complete.routes(),
        *feed.routes(),
        Mount("/assets", StaticFiles(directory=ASSETS)),
    ]
    application = Starlette(
        routes=routes,
        middleware=[*guard.middleware(), Middleware(AsOf, desk=desk)],
        exception_handlers={XpmError: _said},
    )
    state = application.state
    state.desk, state.guard, state.links, state.feed = desk, guard, links or Links(), feed
    state.templates = rendering.environment()
    return application


def status_of(error: XpmError) -> int:
    """The status of the answer that says an error."""
    return next((status for kinds, status in STATUSES.items() if isinstance(error, kinds)), AWAY)


def _said(request: Request, error: Exception) -> Response:
    """The page that says an error: what, where, and what to do."""
    assert isinstance(error, XpmError)
    if request.url.path.startswith("/api/") or "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": str(error)}, status_of(error))
    lines = str(error).splitlines()
    return rendering.page(request, "error.jinja", status=status_of(error), lines=lines)
