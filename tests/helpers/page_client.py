"""The page without a browser: its application, asked by HTTP.

`from helpers.page_client import opened_page`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.application import build
from xpm_cli.page.desk.desk import Desk
from xpm_cli.page.safety.guard import Guard
from xpm_core.reading.look import View
from xpm_core.words.commands import Commands
from xpm_core.workspace.workspace import Workspace

ORIGIN = "http://localhost"


class PageClient:
    """A browser without scripts, which has been let in. It follows redirections, and keeps the cookie.

    Attributes:
        application: The page.
        desk: Reads the workspace for the page.
        csrf: What forms send.
    """

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self.application, self.desk = build(desk, guard), desk
        self.csrf = guard.form_value(None)  # type: ignore[arg-type]
        self._cookies = httpx.Cookies()
        self.get("/", params={"token": guard.token})

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask for a page."""
        return asyncio.run(self._ask("GET", path, **more))

    def send(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form, and follow to the answer."""
        return asyncio.run(self._ask("POST", path, data={"csrf": self.csrf, **fields}))

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.application)
        client = httpx.AsyncClient(
            transport=transport,
            base_url=ORIGIN,
            headers={"origin": ORIGIN},
            follow_redirects=True,
            cookies=self._cookies,
        )
        async with client:
            found = await client.request(method, path, follow_redirects=True, **more)
            self._cookies = client.cookies
            return found


@contextmanager
def opened_page(folder: Path, url: str | None, *, acts: bool = False) -> Iterator[PageClient]:
    """The page of a workspace.

    Args:
        folder: The workspace.
        url: The address of its server.
        acts: Whether the page may act.
    """

    def look() -> View:
        return View(Workspace.open(folder, create=False, writable=False), url)

    view = look()
    desk = Desk(OpenWorkspace(view, Commands.of_program(folder, None)), look)
    try:
        yield PageClient(desk, Guard(acts=acts))
    finally:
        desk.close()
        desk.view.close()
