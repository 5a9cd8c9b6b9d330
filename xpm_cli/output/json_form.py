"""What all that `--json` prints has in common: the version of its form, and how moments are written."""

from __future__ import annotations

from datetime import datetime, timezone

SCHEMA = 1
"""Version of what `--json` prints; it goes up when a field goes or changes its meaning."""


def moment(seconds: float) -> str | None:
    """A time as JSON has it: ISO 8601 with its zone; None when it has not come."""
    return datetime.fromtimestamp(seconds, timezone.utc).astimezone().isoformat() if seconds else None
