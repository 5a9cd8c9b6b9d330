"""What a server answers, as texts and maps. Others can write into Redis: what is malformed is shown, or empty.

What is made for people to read goes through `shown`.
"""

from __future__ import annotations

import json
import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that act on a terminal, but for tabs and ends of lines."""


def text_of(value: Any) -> str:
    """A value as a text; bytes that are no UTF-8 are shown by their numbers."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def seconds_of(value: bytes | str | None) -> float:
    """A time in milliseconds as seconds; 0 if there is none."""
    return int(value) / 1000 if value else 0.0


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


def shown(value: Any) -> Any:
    """A value of JSON as it can be shown: its texts have no characters that act on a terminal.

    Example:
        >>> shown({"message": "a\x1b[2Jb"})
        {'message': 'a?[2Jb'}
    """
    if isinstance(value, str):
        return value if value.isprintable() else _CONTROL.sub("?", value)
    if isinstance(value, dict):
        return {shown(name): shown(item) for name, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value
