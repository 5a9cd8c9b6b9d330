"""How `/api/…` answers: a document as text of JSON, or what is wrong and what to do.

Owns: the form of an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from xpm_cli.output.json_form import SCHEMA, dumps
from xpm_cli.page.statuses import status_of
from xpm_core.errors import XpmError
from xpm_core.server.connection import ServerError

if TYPE_CHECKING:
    from starlette.requests import Request

    from xpm_cli.lookup.open_workspace import OpenWorkspace
    from xpm_cli.page.desk.desk import Desk

JSON_TYPE = "application/json"


def read(request: Request, document: Callable[[OpenWorkspace], dict[str, Any]]) -> Response:
    """Answer with a document. No other thread reads meanwhile, so it is of one moment.

    Args:
        request: What was asked for.
        document: Makes it.
    """
    desk: Desk = request.app.state.desk
    with desk.reading_now():
        found = document(desk.opened)
    return written(found)


def written(document: dict[str, Any], status: int = 200) -> Response:
    """A document as a command prints it."""
    return Response(f"{dumps(document)}\n", status, media_type=JSON_TYPE)


def wrong(message: str, remedy: str, status: int = 400) -> HTTPException:
    """The error of a request that cannot be answered: raise it."""
    return HTTPException(status, message, {"x-remedy": remedy})


def answering(path: str, answer: Callable[[Request], Response]) -> Route:
    """A route whose errors are JSON, too."""

    def answered(request: Request) -> Response:
        try:
            return answer(request)
        except XpmError as error:
            remedy = getattr(error, "remedy", None)
            return _problem(type(error).__name__, str(error), remedy, status_of(error))
        except ServerError as error:
            desk: Desk = request.app.state.desk
            gone = desk.opened.unanswered(error, "Try again.")
            return _problem(type(gone).__name__, str(gone), getattr(gone, "remedy", None), status_of(gone))
        except HTTPException as error:
            remedy = (error.headers or {}).get("x-remedy")
            return _problem("RequestError", f"{error.detail} {remedy or ''}".strip(), remedy, error.status_code)

    return Route(path, answered)


def _problem(kind: str, message: str, remedy: str | None, status: int) -> Response:
    """An error: its kind, its message as a command prints it, and what to do, if that stands by itself."""
    error = {"type": kind, "message": message, "remedy": remedy}
    return written({"schema": SCHEMA, "error": error}, status)


def number(request: Request, name: str) -> int | None:
    """A parameter that is a number of things; None without it."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise wrong(f"{name}: expected a number, got {text[:40]!r}.", "Give a number; 0 stands for all.")
    return int(text)
