"""What a job tells of how far it is, as it goes out. `from helpers.told_progress import Told, last`."""

from __future__ import annotations

import threading
from typing import Any

from helpers.waiting import wait_until

Told = list[dict[str, Any]]


def quiet() -> bool:
    """Whether no thread of ours is left."""
    return not any(thread.name == "xpm-progress" for thread in threading.enumerate())


def last(told: Told) -> dict[str, Any]:
    """The last word, once all is told."""
    wait_until(quiet)
    return told[-1]
