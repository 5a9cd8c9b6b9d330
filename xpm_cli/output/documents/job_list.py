"""The document of `xpm jobs --json`, and the records of its other forms for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.job_record import job_record
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.tables.job_table import TIMES
from xpm_core.filters import ABSENT, UNKNOWN, Column
from xpm_core.filters.values import plain
from xpm_core.reading.listing.row import JobRow


def jobs_document(opened: OpenWorkspace, records: Iterable[dict[str, Any]], matched: int, total: int) -> dict[str, Any]:
    """The document.

    Args:
        opened: The workspace.
        records: What `records_of` returns.
        matched: How many jobs match, also those beyond the limit.
        total: How many jobs the workspace has.
    """
    return {
        "schema": SCHEMA,
        "time": moment(opened.now_s),
        "source": opened.view.server,
        "age_s": round(opened.view.age_s, 3),
        "matched": matched,
        "total": total,
        "jobs": list(records),
    }


def records_of(
    opened: OpenWorkspace, rows: Sequence[JobRow], columns: Sequence[Column] | None = None
) -> list[dict[str, Any]]:
    """The record of each job: all its fields, or the columns that were asked for."""
    if columns is not None:
        return [{column.name: _known(column, row) for column in columns} for row in rows]
    reasons = {row.identity: reason.as_data() for row, reason in opened.reasons(rows)}
    return [job_record(row, reasons.get(row.identity)) for row in rows]


def _known(column: Column, row: JobRow) -> Any:
    """A value of a column: a time as in all JSON; None if the job has no value, or it is not known."""
    value = column.value(row)
    if value is ABSENT or value is UNKNOWN:
        return None
    if isinstance(value, Enum):
        return value.value
    return moment(value) if column.name in TIMES and isinstance(value, float) else plain(value)
