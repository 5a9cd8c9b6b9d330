"""The page of a workspace without a browser: `from helpers.page import PageClient, page_of`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.application import build
from xpm_cli.page.desk.desk import Desk
from xpm_cli.page.safety.guard import Guard
from xpm_core.reading.look import View
from xpm_core.words.commands import Commands
from xpm_core.workspace.workspace import Workspace

BASE = "http://127.0.0.1:8080"


class PageClient:
    """Asks the page, as a browser that has opened the address that was printed.

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

    def post(self, url: str, **fields: Any) -> str:
        """The text of the answer to a form."""
        answer = self.client.post(url, data={"csrf": self.guard.form_value(None), **fields}, headers={"Origin": BASE})  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return str(answer.text)


@contextmanager
def page_of(workspace: Path, redis: str | None = None, *, acts: bool = False) -> Iterator[PageClient]:
    """The page of a workspace, in this process."""

    def look() -> View:
        return View(Workspace.open(workspace, create=False, writable=False), redis)

    with look() as view:
        desk, guard = Desk(OpenWorkspace(view, Commands.of_script(workspace)), look), Guard(acts=acts)
        application = build(desk, guard)
        try:
            with TestClient(application, base_url=BASE) as client:
                client.get(f"/?token={guard.token}")
                yield PageClient(desk, guard, client)
        finally:
            application.state.feed.close()
            desk.close()
            desk.view.close()
