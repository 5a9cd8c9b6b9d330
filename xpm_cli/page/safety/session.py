"""The session: a browser that comes with the token gets a cookie, and its address loses the token.

An address is copied, shared and kept in histories. A cookie is not.
"""

from __future__ import annotations

from hmac import compare_digest
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xpm_cli.page.safety.refusal import refuse

PARAMETER = b"token"
NO_SESSION = (
    "This page is for those who have its address with the token. Open the address that the script or `xpm ui` has "
    "printed; it ends in ?token=…"
)
WRONG_TOKEN = (
    "This token is not that of this page, which was started again since. Open the address that the script or `xpm ui` "
    "has printed last."
)


class Session:
    """The layer that hands on requests of those who have a session, and begins one for those who bring the token.

    Args:
        app: What answers.
        token: The token of the page. It is good for any number of browsers, as long as the page lives.
        cookie: The name of the cookie.
        value: The value of the cookie.
    """

    def __init__(self, app: ASGIApp, token: str, cookie: str, value: str) -> None:
        self._app, self._token, self._cookie, self._value = app, token.encode(), cookie, value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request, send it on without its token, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token, rest = _split(scope["query_string"])
        if token is not None and scope["method"] in ("GET", "HEAD"):
            if compare_digest(token, self._token):
                await self._begin(scope, rest)(scope, receive, send)
            else:
                await refuse(scope, receive, send, 403, WRONG_TOKEN)
        elif self._has_session(scope):
            await self._app(scope, receive, send)
        else:
            await refuse(scope, receive, send, 403, NO_SESSION)

    def _begin(self, scope: Scope, rest: bytes) -> Response:
        """The answer that sets the cookie and leads to the same address without the token."""
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        place = b"/" + path.partition(b"?")[0].lstrip(b"/\\")  # "//host/" would lead to another host
        location = (place + (b"?" + rest if rest else b"")).decode("latin-1")
        answer = Response(status_code=303, headers={"Location": location})
        secure = scope["scheme"] == "https"
        answer.set_cookie(self._cookie, self._value, path="/", secure=secure, httponly=True, samesite="lax")
        return answer

    def _has_session(self, scope: Scope) -> bool:
        """Whether one of the cookies of a request is ours."""
        for header in Headers(scope=scope).getlist("cookie"):
            for part in header.split(";"):
                name, _, value = part.strip().partition("=")
                if name == self._cookie and compare_digest(value.encode("utf-8", "replace"), self._value.encode()):
                    return True
        return False


def _split(query: bytes) -> tuple[bytes | None, bytes]:
    """The token of a query, or None, and the rest of the query."""
    parts = [part.partition(b"=") for part in query.split(b"&") if part]
    tokens = [value for name, _, value in parts if name == PARAMETER]
    rest = b"&".join(name + end + value for name, end, value in parts if name != PARAMETER)
    return (tokens[0] if tokens else None), rest
