"""The page as a browser without scripts sees it: answers with their status, forms, and redirections.

`from helpers.page_client import PageClient, opened_page`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.page import BASE, page_of
from helpers.page import PageClient as Page
from helpers.waiting import wait_until

from xpm_core.reading.events import position


class PageClient:
    """A browser that has been let in. It follows redirections, and keeps the cookie.

    Attributes:
        desk: Reads the workspace for the page.
    """

    def __init__(self, page: Page) -> None:
        self.desk, self._page = page.desk, page

    def get(self, path: str, **more: Any) -> Any:
        """Ask for a page, once it has heard of all that has happened to jobs."""
        self._hear()
        return self._page.client.get(path, **more)

    def send(self, path: str, **fields: Any) -> Any:
        """Send a form, and follow to the answer. It has heard of all that has happened to jobs."""
        self._hear()
        data = {"csrf": self._page.guard.form_value(None), **fields}  # type: ignore[arg-type]
        return self._page.client.post(path, data=data, headers={"Origin": BASE})

    def _hear(self) -> None:
        if self.desk.view.away is None:
            latest = self.desk.view.reader.events.latest(100)
            last = next((record.cursor for record in latest if record.job), "0-0")
            wait_until(lambda: self._heard_to(last), show=lambda: (self.desk.cursor, last))

    def _heard_to(self, last: str) -> bool:
        with self.desk.reading():
            return position(self.desk.cursor) >= position(last)


@contextmanager
def opened_page(folder: Path, url: str | None, *, acts: bool = False) -> Iterator[PageClient]:
    """The page of a workspace.

    Args:
        folder: The workspace.
        url: The address of its server.
        acts: Whether the page may act.
    """
    with page_of(folder, url, acts=acts) as page:
        yield PageClient(page)
