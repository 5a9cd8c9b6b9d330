"""A browser, and a page for it to show: a real workspace, a real server, headless Chromium.

`from helpers.browser import Shown, Visitor`; the fixtures around them are in page/conftest.py.
"""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from helpers.page import BuiltPage
from helpers.project_files import require
from helpers.waiting import PATIENCE_S, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

    from xpm_core.workspace.workspace import Workspace

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; without one, the test skips, or fails in CI."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    require(found, "chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Shown(BuiltPage):
    """A page that is served at a free port, in a thread.

    Attributes:
        url: Its address, without the token.
    """

    def __init__(self, workspace: Workspace, redis_url: str, *, acts: bool = False) -> None:
        super().__init__(workspace.path, redis_url, acts=acts)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            self.app, ws="none", lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=5
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        wait_until(lambda: self._server.started)

    def close(self) -> None:
        """Serve no more."""
        self.app.state.feed.close()
        self._server.should_exit = True
        self._thread.join()
        super().close()


class Visitor:
    """Somebody who opens pages. What a page complains about is noted.

    Args:
        browser: The browser.
        shown: The page.

    Attributes:
        complaints: Errors of scripts, violations of the Content-Security-Policy, and what could not be loaded.
        requests: The addresses that were asked for, without the origin.
    """

    def __init__(self, browser: Browser, shown: Shown, **options: Any) -> None:
        self.shown = shown
        self.context: BrowserContext = browser.new_context(**options)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("request", lambda request: self.requests.append(request.url.removeprefix(shown.url)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str = "/", **options: Any) -> Page:
        """Open a page in a new tab."""
        tab = self.context.new_page()
        mark = "&" if "?" in path else "?"
        tab.goto(f"{self.shown.url}{path}{mark}token={self.shown.guard.token}", **options)
        return tab

    def close(self) -> None:
        """Close all tabs."""
        self.context.close()


Visits = Callable[..., Visitor]
