"""What the file of a job shows: parameters, how it went, results, curves, and the ends of its logs.

Owns: how much of its files is read, and that no other file is: a job may have put a link, a pipe or a device there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.sheets.job_sheet import JobSheet
from xpm_cli.page.export.shapes import Curve, curve_of
from xpm_cli.page.safety.job_files import FileNotServedError, open_job_file
from xpm_core.job.reporting.metrics import NAME as METRICS
from xpm_core.reading.listing.row import JobRow
from xpm_core.results.curves import curves
from xpm_core.states import State
from xpm_core.words.text import amount

LOG_BYTES = 100_000
"""How much of the end of a log is copied."""
POINTS = 300
"""How many points of a curve are drawn."""
CURVES = 40
"""How many curves of a job are drawn."""
LARGEST_METRICS = 256 * 2**20
"""A larger file of metrics is left out, bytes."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Log(NamedTuple):
    """The end of a log.

    Attributes:
        name: The name of the file.
        text: The end.
        cut: What was left out, such as `3.1 MB`; empty if this is all.
    """

    name: str
    text: str
    cut: str


class JobPage(NamedTuple):
    """What is shown of a job.

    Attributes:
        row: The job.
        title: What people call it.
        sheet: What `xpm show` says.
        results: What it has reported, in one level.
        curves: What it has logged.
        notes: What one should know of these curves.
        logs: The ends of its logs.
        needs: The identities of the jobs that it needs.
    """

    row: JobRow
    title: str
    sheet: JobSheet
    results: Mapping[str, Any]
    curves: Sequence[Curve]
    notes: Sequence[str]
    logs: Sequence[Log]
    needs: Sequence[str]


def job_page(opened: OpenWorkspace, row: JobRow, needs: Sequence[str]) -> JobPage:
    """What is shown of a job.

    Args:
        opened: The workspace.
        row: The job.
        needs: The identities of the jobs that it needs.
    """
    sheet = JobSheet(opened, row)
    drawn, notes = _curves(sheet.directory.path) if row.state not in UNBEGUN else ([], [])
    logs = list(_logs(sheet)) if row.task else []
    return JobPage(row, opened.title(row), sheet, row.results or {}, drawn, notes, logs, needs)


UNBEGUN = (State.WAITING, State.READY)


def _curves(directory: Path) -> tuple[list[Curve], list[str]]:
    try:
        opened = open_job_file(directory, METRICS)
        opened.file.close()
    except FileNotServedError as error:
        return [], [] if error.status == 404 else [f"{METRICS}: {error}"]
    if opened.size > LARGEST_METRICS:
        return [], [f"{METRICS} has {amount(opened.size)}, so its curves are left out."]
    try:
        found = curves(directory, most=POINTS)
    except OSError as error:
        return [], [f"{METRICS} cannot be read: {error.strerror or error}."]
    names = list(found)
    notes = [*found.notes, *([f"{len(names) - CURVES} more curves are left out."] if len(names) > CURVES else [])]
    return [each for name in names[:CURVES] if (each := curve_of(name, found[name])) is not None], notes


def _logs(sheet: JobSheet) -> Iterator[Log]:
    for path in (sheet.directory.out, sheet.directory.err):
        try:
            opened = open_job_file(sheet.directory.path, path.name)
        except FileNotServedError as error:
            if error.status != 404:
                yield Log(path.name, str(error), "")
            continue
        with opened.file as file:
            start = max(opened.size - LOG_BYTES, 0)
            file.seek(start)
            data = file.read(LOG_BYTES) or b""
        if start:
            data = data[data.find(b"\n") + 1 :]
        if data:
            yield Log(path.name, plain_log(data), amount(opened.size - len(data)) if start else "")


def plain_log(data: bytes) -> str:
    """A log as text: colours are left out, and of a line that was written over and over, the last state stays."""
    text = _ESCAPES.sub("", data.decode("utf-8", "replace").replace("\r\n", "\n"))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROLS.sub("\ufffd", "\n".join(lines))
