"""The parts that all JSON forms share: the version of the form, and how times and numbers are written."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from typing import Any

SCHEMA = 1
"""Version of the JSON forms. It goes up if a field is removed, or changes its meaning."""


def moment(seconds: float) -> str | None:
    """A time in JSON: ISO 8601 with its zone; None if there is none."""
    return datetime.fromtimestamp(seconds, timezone.utc).astimezone().isoformat() if seconds else None


def dumps(value: Any, *, indent: int | None = 2) -> str:
    """A value as JSON. JSON has no infinite numbers, and no NaN: these become texts."""
    try:
        return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), indent=indent, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
