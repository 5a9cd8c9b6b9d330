"""What goes wrong while a request is answered: an error of xpm, a server that is away, or a fault of the page itself.

Owns: that each of them becomes one page without a traceback. The log says where a fault is.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse

from xpm_cli.output.json_form import SCHEMA
from xpm_cli.page.rendering import page
from xpm_cli.page.statuses import FAULT, status_of
from xpm_core.errors import XpmError
from xpm_core.server.connection import ServerError
from xpm_core.words.text import line

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from xpm_cli.page.desk.desk import Desk

_LOG = logging.getLogger(__name__)
LONGEST = 300
"""Characters of an error that a page shows."""


class Faults:
    """The layer that answers if a view raises what it should not.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request. An answer that has begun cannot be mended: then the connection ends."""
        began = False

        async def noted(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            if began:
                raise
            await _answer(Request(scope), error)(scope, receive, send)


def said(request: Request, error: Exception) -> Response:
    """The page that says an error: what, where, and what to do."""
    assert isinstance(error, XpmError)
    return _page(request, str(error).splitlines(), status_of(error))


def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, ServerError):
        desk: Desk = request.app.state.desk
        return said(request, desk.opened.unanswered(error, "Reload the page."))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
    _LOG.error("page: %s %r failed at %s", request.method, request.url.path, place, exc_info=error)
    lines = [
        "The page itself has failed.",
        f"{type(error).__name__}: {line(error, LONGEST)} ({place})",
        "This is a fault of xpm. The jobs go on, and the other views may work.",
        "Report it with what the log of the page says, or the terminal where it was started.",
    ]
    return _page(request, lines, FAULT)


def _page(request: Request, lines: list[str], status: int) -> Response:
    if request.url.path.startswith("/api/"):
        message = " ".join(lines)
        error = {"type": "PageFault", "message": message, "remedy": None}
        return JSONResponse({"schema": SCHEMA, "error": error}, status)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": "\n".join(lines)}, status)
    return page(request, "error.jinja", status=status, lines=lines)
