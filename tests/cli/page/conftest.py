"""The page of a workspace, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.page import PageClient, page_of
from helpers.simulated_jobs import Lab


@pytest.fixture
def page(lab: Lab, redis_url: str) -> Iterator[PageClient]:
    """The page of the lab's workspace; it may act."""
    with page_of(lab.workspace.path, redis_url, acts=True) as found:
        yield found
