"""The page of a workspace in this process: built, asked, and sent forms, without a browser.

`from helpers.page import BuiltPage, FormClient, PageClient, form_client_of, page_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.waiting import wait_until
from starlette.testclient import TestClient

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.application import build
from xpm_cli.page.desk.desk import Desk
from xpm_cli.page.safety.guard import Guard
from xpm_core.reading.events import position
from xpm_core.reading.look import View
from xpm_core.words.commands import Commands
from xpm_core.workspace.workspace import Workspace

BASE = "http://127.0.0.1:8080"


class BuiltPage:
    """The application that answers for a workspace.

    Args:
        workspace: The folder of the workspace.
        redis: The address of its server; None for the one that the workspace names.
        acts: Whether the page may act.

    Attributes:
        desk: Reads the workspace.
        guard: Protects the page.
        app: Answers requests.
    """

    def __init__(self, workspace: Path, redis: str | None = None, *, acts: bool = False) -> None:
        def look() -> View:
            return View(Workspace.open(workspace, create=False, writable=False), redis)

        self.desk = Desk(OpenWorkspace(look(), Commands.of_script(workspace)), look)
        self.guard = Guard(acts=acts)
        self.app = build(self.desk, self.guard)

    def close(self) -> None:
        """End its streams, and read no more."""
        self.app.state.feed.close()
        self.desk.close()
        self.desk.view.close()


class PageClient:
    """Asks the page, as a browser that has opened the address that was printed. It returns texts.

    Attributes:
        desk: Reads the workspace.
        guard: Protects the page.
        client: Asks. It keeps the cookie.
    """

    def __init__(self, desk: Desk, guard: Guard, client: TestClient) -> None:
        self.desk, self.guard, self.client = desk, guard, client

    def get(self, url: str, *, status: int = 200, **more: Any) -> str:
        """The text of the answer, whose status has to be as expected."""
        answer = self.client.get(url, **more)
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def send(self, url: str, **fields: Any) -> Any:
        """Send a form as the page writes it; returns the whole answer, after all redirections."""
        form = {"csrf": self.guard.form_value(None), **fields}  # type: ignore[arg-type]
        return self.client.post(url, data=form, headers={"Origin": BASE})


@contextmanager
def page_of(workspace: Path, redis: str | None = None, *, acts: bool = False) -> Iterator[PageClient]:
    """The page of a workspace. Its arguments are those of `BuiltPage`."""
    built = BuiltPage(workspace, redis, acts=acts)
    try:
        with TestClient(built.app, base_url=BASE) as client:
            client.get(f"/?token={built.guard.token}")
            yield PageClient(built.desk, built.guard, client)
    finally:
        built.close()


class FormClient:
    """Asks once the page has heard of all that has happened to jobs, and returns whole answers.

    Attributes:
        desk: Reads the workspace.
    """

    def __init__(self, page: PageClient) -> None:
        self.desk, self._page = page.desk, page

    def get(self, path: str, **more: Any) -> Any:
        """Ask for a page."""
        self._hear()
        return self._page.client.get(path, **more)

    def send(self, path: str, **fields: Any) -> Any:
        """Send a form, and follow to the answer."""
        self._hear()
        return self._page.send(path, **fields)

    def _hear(self) -> None:
        if self.desk.view.away is None:
            latest = self.desk.view.reader.events.latest(100)
            last = next((record.cursor for record in latest if record.job), "0-0")
            wait_until(lambda: self._heard_to(last), show=lambda: (self.desk.cursor, last))

    def _heard_to(self, last: str) -> bool:
        with self.desk.reading():
            return position(self.desk.cursor) >= position(last)


@contextmanager
def form_client_of(workspace: Path, redis: str | None = None, *, acts: bool = False) -> Iterator[FormClient]:
    """The page of a workspace, for forms and documents. Its arguments are those of `BuiltPage`."""
    with page_of(workspace, redis, acts=acts) as page:
        yield FormClient(page)
