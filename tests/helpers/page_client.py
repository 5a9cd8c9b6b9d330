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


class PageClient:
    """A browser that has been let in. It follows redirections, and keeps the cookie.

    Attributes:
        desk: Reads the workspace for the page.
    """

    def __init__(self, page: Page) -> None:
        self.desk, self._page = page.desk, page

    def get(self, path: str, **more: Any) -> Any:
        """Ask for a page."""
        return self._page.client.get(path, **more)

    def send(self, path: str, **fields: Any) -> Any:
        """Send a form, and follow to the answer."""
        data = {"csrf": self._page.guard.form_value(None), **fields}  # type: ignore[arg-type]
        return self._page.client.post(path, data=data, headers={"Origin": BASE})


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
