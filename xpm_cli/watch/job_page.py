"""One job: its facts, why it does not run, and the end of what it has printed.

Owns: how much of a log is read at a time, because it may be large.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from xpm_cli.lookup.open_workspace import UNSTARTED, OpenWorkspace
from xpm_cli.output.sheets import why_sheet
from xpm_cli.output.sheets.job_sheet import JobSheet
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import UnknownJobError
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.why.records import Why
from xpm_core.words.text import plural

READ = 1 << 16
"""How much of the end of a log is read, bytes."""
LEAST_LOG = 4
"""Lines of the log that stand below the facts of a job, however many these are."""


class JobPage:
    """Makes the lines of one job.

    Args:
        opened: The workspace.
    """

    def __init__(self, opened: OpenWorkspace) -> None:
        self._opened = opened
        self._known: tuple[str, JobSheet, Why | None] | None = None

    def forget(self) -> None:
        """Read the job anew when it is shown next."""
        self._known = None

    def lines(self, identity: str, terminal: Terminal, height: int, *, log: bool) -> tuple[list[str], str]:
        """The lines of a job, and a line that stands below them.

        Args:
            identity: The job.
            terminal: What the terminal can show.
            height: How many lines there is room for.
            log: Whether only the log is wanted, as far as it is read.
        """
        found = self._read(identity)
        if found is None:
            return ["The workspace does not know this job any more."], ""
        sheet, why = found
        tail, cut = log_lines(sheet.directory.out, sheet.directory.err)
        hint = f"the last {plural(READ // 1024, 'KB')}: {self._opened.commands.logs(identity)}" if cut else ""
        if log:
            head = next(iter(sheet.lines(terminal))).partition("\n")[0]
            return [head, *(tail or ["It has printed nothing yet."])], hint
        facts = self._facts(sheet, why, terminal)
        if not tail:
            return facts, ""
        room = max(height - len(facts) - 1, LEAST_LOG)
        return [*facts, "", *tail[-room:]], hint

    def _read(self, identity: str) -> tuple[JobSheet, Why | None] | None:
        """What is known of a job; None if nothing is."""
        if self._known is None or self._known[0] != identity:
            rows = self._opened.view.update([identity])
            if not rows:
                return None
            self._known = identity, JobSheet(self._opened, rows[0]), self._why(rows[0])
        return self._known[1:]

    def _why(self, row: JobRow) -> Why | None:
        if row.state not in UNSTARTED:
            return None
        try:
            return self._opened.reader.reasons.why(row.identity)
        except UnknownJobError:  # the server was wiped meanwhile
            return None

    def _facts(self, sheet: JobSheet, why: Why | None, terminal: Terminal) -> list[str]:
        entries: Iterable[str] = sheet.lines(terminal)
        if why is not None:  # its first lines are those of the sheet
            entries = [*entries, "", *list(why_sheet.lines_of(why, sheet.row, self._opened, terminal))[2:]]
        return [line for entry in entries for line in entry.split("\n")]


def log_lines(*paths: Path) -> tuple[list[str], bool]:
    """The ends of some logs, the one that was written last as the last one; and whether there is more of one.

    A line that was written over again and again, as progress bars do it, is shown as it was at last.
    """
    found: list[tuple[float, str, bytes, bool]] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                about = os.fstat(file.fileno())
                file.seek(max(about.st_size - READ, 0))
                found.append((about.st_mtime, path.name, file.read(READ), about.st_size > READ))
        except OSError:
            continue
    lines: list[str] = []
    for _, name, data, cut in sorted(found, key=lambda each: each[0]):
        texts = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
        shown = [text.rstrip("\r").rpartition("\r")[2] for text in texts[1 if cut and len(texts) > 1 else 0 :]]
        if data:
            lines += [click.style(f"── {name} ──", dim=True), *(text.expandtabs() for text in shown)]
    return lines, any(cut for *_, cut in found)
