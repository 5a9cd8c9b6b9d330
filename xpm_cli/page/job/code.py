"""What of the code of a job has changed since it ran, as `xpm diff JOB --code` says it.

Owns: that it is read only if somebody asks, and one at a time, because it reads all files of a project.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from markupsafe import Markup

from xpm_cli.output.code.code_since import code_since
from xpm_cli.output.sheets.job_sheet import JobSheet
from xpm_cli.output.terminal import Terminal
from xpm_cli.page.log.ansi import html_of
from xpm_cli.page.log.visible import runs_of
from xpm_core.errors import SnapshotError

if TYPE_CHECKING:
    from xpm_cli.lookup.open_workspace import OpenWorkspace
    from xpm_core.reading.listing.row import JobRow

WAIT_S = 20.0
"""How long a request waits for others, seconds."""
_ONE = threading.Lock()


def lines_since(opened: OpenWorkspace, row: JobRow) -> list[Markup]:
    """Return the lines of the difference.

    Raises:
        SnapshotError: The job is not done, so nothing says what it ran; or a file of its code cannot be read; or others
            ask at the same time.
    """
    sheet = JobSheet(opened, row)
    directory = sheet.directory
    if row.task is None or directory.done_marker() is None:
        problem, remedy = "it is not done, so no record says what it ran", "Wait until it is done."
        raise SnapshotError(opened.title(row), problem, remedy)
    if not _ONE.acquire(timeout=WAIT_S):
        raise SnapshotError(opened.title(row), "others compare code just now", "Ask again in a while.")
    try:
        code = code_since(opened.title(row), directory, row.task, sheet.code)
        return [html_of(runs_of(each.encode("utf-8", "replace"))[0]) for each in code.lines(Terminal())]
    finally:
        _ONE.release()
