"""The browser, a page of a workspace in which a test lets jobs happen, and visitors whose pages complain of nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import redis
from helpers.browser import Shown, Visitor, chromium
from helpers.simulated_jobs import Lab

from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser. Each visitor has a context of his own in it, as if it had just been installed.

    While it is there, playwright's event loop runs in this thread, so that no test can run one of its own.
    """
    with chromium() as found:
        yield found


@pytest.fixture
def lab(workspace: Workspace, redis_client: redis.Redis) -> Lab:
    """Jobs of a workspace."""
    made = Lab(workspace, redis_client)
    made.join()
    return made


@pytest.fixture
def shown(lab: Lab, redis_url: str) -> Iterator[Shown]:
    """The page of that workspace."""
    found = Shown(lab.workspace, redis_url, acts=True)
    yield found
    found.close()


@pytest.fixture
def visits(browser: Browser, shown: Shown) -> Iterator[Callable[..., Visitor]]:
    """Let somebody visit the page: `visits(java_script_enabled=False)`. At the end, no page has complained."""
    visitors: list[Visitor] = []

    def visit(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, shown, **options))
        return visitors[-1]

    yield visit
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.close()
    assert complaints == []
