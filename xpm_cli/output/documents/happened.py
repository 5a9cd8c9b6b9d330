"""The document of `xpm events --json`, and which events stand in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.event_lines import event_record
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_core.reading.events import Record


def events_document(opened: OpenWorkspace, records: Iterable[Record]) -> dict[str, Any]:
    """The document of some events, the oldest first."""
    head = {"schema": SCHEMA, "time": moment(opened.now_s), "source": opened.view.server}
    return {**head, "events": list(map(event_record, records))}


def latest_events(
    opened: OpenWorkspace, jobs: Collection[str], start_s: float, limit: int | None, cursor: str
) -> list[Record]:
    """The last events up to a cursor, the oldest first. Those after it come when the caller goes on from there.

    Args:
        opened: The workspace.
        jobs: Only events of these jobs, by identity; empty for all events.
        start_s: Only events since then, epoch seconds.
        limit: How many; None or 0 for all that are kept.
        cursor: The cursor.
    """
    found: list[Record] = []
    for record in opened.reader.events.backwards(cursor):
        if record.at_s < start_s or (limit and len(found) == limit):
            break
        if not jobs or record.job in jobs:
            found.append(record)
    return found[::-1]
