"""The program that answers requests: which URL leads to which view, and what an error becomes.

Owns: the list of routes. Safety stands around all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from xpm_cli.page import rendering
from xpm_cli.page.acting import jobs as acting_jobs
from xpm_cli.page.acting import steering
from xpm_cli.page.api import routes as api
from xpm_cli.page.completing import complete
from xpm_cli.page.desk.desk import Desk
from xpm_cli.page.desk.feed import AsOf, Feed
from xpm_cli.page.faults import Faults, said
from xpm_cli.page.links import ASSETS
from xpm_cli.page.results.charts import Charts
from xpm_cli.page.timeline.history import History
from xpm_cli.page.views import (
    compare,
    curves,
    experiments,
    graph,
    job,
    jobs,
    results,
    timeline,
    workers,
)
from xpm_core.errors import XpmError

if TYPE_CHECKING:
    from starlette.requests import Request

    from xpm_cli.page.safety.guard import Guard


def build(desk: Desk, guard: Guard) -> Starlette:
    """Return the application.

    Args:
        desk: Reads the workspace.
        guard: Who may come in, and whether the page may act.

    Returns:
        The application. Its `state` has what all requests share: `desk`, `guard`, `templates`, `acting`, `history`,
        `charts`, and `feed`, whose `close` ends all streams.
    """
    feed = Feed(desk)
    routes: list[Route | Mount] = [
        *experiments.routes(),
        *jobs.routes(),
        *job.routes(),
        *compare.routes(),
        *curves.routes(),
        *results.routes(),
        *complete.routes(),
        *timeline.routes(),
        *graph.routes(),
        *workers.routes(),
        *feed.routes(),
        *acting_jobs.routes(),
        *steering.routes(),
        *api.routes(),
        Mount("/assets", StaticFiles(directory=ASSETS)),
    ]
    application = Starlette(
        routes=routes,
        middleware=[*guard.middleware(), Middleware(AsOf, desk=desk), Middleware(Faults)],
        exception_handlers={XpmError: said, 404: _absent},
    )
    state = application.state
    state.desk, state.guard, state.feed = desk, guard, feed
    state.acting, state.history, state.charts = acting_jobs.Acting(), History(desk), Charts()
    state.templates = rendering.environment()
    return application


def _absent(request: Request, error: Exception) -> Response:
    """The answer to a URL that has nothing."""
    said = f"There is nothing at {request.url.path}."
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": said}, 404)
    return rendering.page(request, "error.jinja", status=404, lines=[said])
