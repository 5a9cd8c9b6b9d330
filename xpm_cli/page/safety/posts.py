"""Requests that change something: whether they may, and whether they come from this page itself.

A page of somebody else can make a browser send a form to any address, cookie and all. It cannot choose the header
Origin, and does not know the value of the session that our forms send.
"""

from __future__ import annotations

from hmac import compare_digest
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xpm_cli.page.safety.refusal import refuse

FIELD = "csrf"
"""The field of a form with the value of the session."""
MOST_BYTES, MOST_FIELDS = 2_000_000, 50_000
"""How much a form may hold."""
FORM = "application/x-www-form-urlencoded"
_LOOKING = ("GET", "HEAD", "OPTIONS")
_POSTED = "xpm.posted"
READ_ONLY = "This page only shows. To act by it, end it and start it with: xpm ui --allow-actions"
FOREIGN = "This request does not come from this page. Open the page anew, and act by its own buttons."
NO_FORM = f"This is no form that the page knows. Send {FORM}."
TOO_LARGE = "This form is too large. Act by a filter, not by single jobs."


def posted(request: Request) -> dict[str, list[str]]:
    """The fields of the form that a request has sent, without that of the session; empty if it has sent none."""
    found: dict[str, list[str]] = request.scope.get(_POSTED, {})
    return found


class Posts:
    """The layer that reads forms, and hands on those that may act.

    Args:
        app: What answers.
        acts: Whether the page may act at all.
        form_value: The value of the session that forms send.
    """

    def __init__(self, app: ASGIApp, acts: bool, form_value: str) -> None:
        self._app, self._acts, self._form_value = app, acts, form_value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request, with the fields of its form, or refuse it."""
        if scope["type"] != "http" or scope["method"] in _LOOKING:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._acts:
            await refuse(scope, receive, send, 403, READ_ONLY)
        elif not _same_origin(headers):
            await refuse(scope, receive, send, 403, FOREIGN)
        elif headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            await refuse(scope, receive, send, 415, NO_FORM)
        elif (body := await _body(receive)) is None or (fields := _fields(body)) is None:
            await refuse(scope, receive, send, 413, TOO_LARGE)
        elif not compare_digest("".join(fields.pop(FIELD, [])).encode(), self._form_value.encode()):
            await refuse(scope, receive, send, 403, FOREIGN)
        else:
            scope[_POSTED] = fields
            await self._app(scope, _again(body, receive), send)


def _same_origin(headers: Headers) -> bool:
    """Whether the page that made a request is of the host and port that the request is for.

    The scheme is not compared: where a proxy ends TLS, it differs, and no two schemes share a port.
    """
    origins = headers.getlist("origin")
    scheme, _, host = origins[0].lower().partition("://") if len(origins) == 1 else ("", "", "")
    default = {"http": ":80", "https": ":443"}.get(scheme)
    return default is not None and host.removesuffix(default) == headers["host"].lower().removesuffix(default)


async def _body(receive: Receive) -> bytes | None:
    """The body of a request; None if it is too large, or the client has left."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _fields(body: bytes) -> dict[str, list[str]] | None:
    """The fields of a form, each with its values; None if there are too many."""
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _again(body: bytes, receive: Receive) -> Receive:
    """What a view receives in place of the request whose body was read: the same body, and then what comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again
