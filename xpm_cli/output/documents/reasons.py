"""The documents of `xpm why --json`: of one job, of jobs that were selected, and of all that wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.sheets import why_sheet
from xpm_core.reading.listing.row import JobRow


def why_document(opened: OpenWorkspace, row: JobRow) -> dict[str, Any]:
    """Why one job does not run."""
    return why_sheet.data_of(opened.view.why(row.identity), row, opened)


def reasons_document(opened: OpenWorkspace, rows: Iterable[JobRow]) -> dict[str, Any]:
    """Why each of some jobs does not run."""
    return why_sheet.Selection(list(opened.reasons(rows, limit=None)), opened).as_data()


def waiting_document(opened: OpenWorkspace) -> dict[str, Any]:
    """For which reasons jobs wait, with the number of jobs for each."""
    return why_sheet.data_of_summary(opened.reader.reasons.summary(), opened.commands)
