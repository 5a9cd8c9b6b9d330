"""The headers of all answers: what a browser may load and run, what it tells others, and what it keeps."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xpm_cli.page.safety.refusal import refuse

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
"""The Content-Security-Policy: nothing from elsewhere, and no script or style that stands in a page itself."""
KEPT = "private, max-age=31536000, immutable"
"""The Cache-Control of an asset whose URL names its version: another version has another URL."""
ASSETS, VERSION = "/assets/", "v"
"""Where assets lie, and the parameter of their URLs that names the version."""
FAILED = "The page itself has failed. The error is in its log, or on the terminal where it was started."
_SAFE = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SafeHeaders:
    """The layer that adds them. It replaces what a view has set by the same names.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request, and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        began = False

        async def send_safely(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                headers = MutableHeaders(scope=message)
                for name, value in _SAFE.items():
                    headers[name] = value
                headers["Cache-Control"] = KEPT if _lasts(scope, message["status"]) else "no-store"
            await send(message)

        try:
            await self._app(scope, receive, send_safely)
        except Exception:
            if not began:  # what Starlette says of a fault would not have the headers
                await refuse(scope, receive, send_safely, 500, FAILED)
            raise


def _lasts(scope: Scope, status: int) -> bool:
    """Whether a browser may keep an answer: it is an asset, and its URL names the version."""
    if not scope["path"].startswith(ASSETS) or status not in (200, 206, 304):
        return False
    return VERSION in parse_qs(scope["query_string"].decode("latin-1"))
