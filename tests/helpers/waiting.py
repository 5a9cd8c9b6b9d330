"""Waiting for a condition, and for nothing longer than it takes to hold.

`from helpers.waiting import wait_until`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""How long is waited for what does happen, also on a slow machine that has much to do."""


def wait_until(
    condition: Callable[[], T],
    *,
    show: Callable[[], object] | None = None,
    timeout_s: float = PATIENCE_S,
    poll_s: float = 0.01,
) -> T:
    """Wait until `condition()` is true, and return what it returned.

    Example:
        >>> wait_until(lambda: job.state() == "done", show=job.state)

    Raises:
        AssertionError: It was not true within `timeout_s`; the message holds `show()`, else the last value.
    """
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            last = value if show is None else show()
            raise AssertionError(f"not true within {timeout_s:g} s; last state: {last!r}")
        time.sleep(poll_s)
    return value
