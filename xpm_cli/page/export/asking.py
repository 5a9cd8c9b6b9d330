"""Ask the application for a page, without a server: its view is called as Starlette would call it.

Owns: which views there are. A view of the page that is missing has no file in a copy, and nothing else changes.
"""

from __future__ import annotations

import inspect
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Match, Route

from xpm_core.errors import XpmError

GOOD = 200


def request_for(application: Starlette, url: str, **more: Any) -> Request:
    """A request of a browser."""
    parts = urlsplit(url)
    scope = {
        "type": "http", "method": "GET", "path": parts.path, "root_path": "", "query_string": parts.query.encode(),
        "headers": [(b"host", b"localhost")], "scheme": "http", "server": ("localhost", 80), "app": application, **more,
    }  # fmt: skip
    return Request(scope)


def asked(application: Starlette, url: str) -> str | None:
    """The text of a page; None if the page has none at this URL, or cannot show it now."""
    request = request_for(application, url)
    for route in application.routes:
        if not isinstance(route, Route):
            continue
        match, more = route.matches(request.scope)
        if match is not Match.FULL or inspect.iscoroutinefunction(route.endpoint):
            continue
        try:
            found = route.endpoint(request_for(application, url, **more))
        except XpmError:
            return None
        text = bytes(found.body).decode() if hasattr(found, "body") else None
        return text if found.status_code == GOOD else None
    return None
