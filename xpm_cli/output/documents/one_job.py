"""The document of `xpm show --json`: one job."""

from __future__ import annotations

from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.sheets.job_sheet import JobSheet
from xpm_core.reading.listing.row import JobRow


def job_document(opened: OpenWorkspace, row: JobRow) -> dict[str, Any]:
    """The document of a job."""
    reason = dict(opened.reasons([row])).get(row)
    return JobSheet(opened, row).as_data(reason.as_data() if reason else None)
