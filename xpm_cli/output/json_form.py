"""The parts that all JSON forms share: the version of the form, and how times are written."""

from __future__ import annotations

from datetime import datetime, timezone

SCHEMA = 1
"""Version of the JSON forms. It goes up if a field is removed, or changes its meaning."""


def moment(seconds: float) -> str | None:
    """A time in JSON: ISO 8601 with its zone; None if there is none."""
    return datetime.fromtimestamp(seconds, timezone.utc).astimezone().isoformat() if seconds else None
