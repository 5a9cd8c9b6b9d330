"""What a server answers, as texts and maps. Others can write into Redis: what is malformed is shown, or empty."""

from __future__ import annotations

import json
from typing import Any


def text_of(value: Any) -> str:
    """A value as a text; bytes that are no UTF-8 are shown by their numbers."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def map_of(value: Any) -> dict[str, Any]:
    """The map that a value holds as JSON; an empty one when it holds none."""
    return map_or_none(value) or {}


def map_or_none(value: Any) -> dict[str, Any] | None:
    """The map that a value holds as JSON; None when it holds something else, or nothing."""
    try:
        found = json.loads(text_of(value)) if value else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
