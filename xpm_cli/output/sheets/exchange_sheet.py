"""What `xpm export` and `xpm import` say, and their JSON forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xpm_cli.output.json_form import SCHEMA, moment
from xpm_core.exchange.exporting.export import Export
from xpm_core.exchange.importing.checks import Checked
from xpm_core.exchange.importing.placing import Standing
from xpm_core.labels import short
from xpm_core.words.text import amount, plural

NAMED = 5
"""How many jobs a line names."""


def jobs_and_size(jobs: int, size: int) -> str:
    """How much an export holds: `1,204 jobs, 3.2 GB`."""
    return f"{jobs:,} {'job' if jobs == 1 else 'jobs'}, {amount(size)}"


def named(identities: list[str]) -> str:
    """Some jobs by the first characters of their identities."""
    more = len(identities) - NAMED
    return ", ".join(map(short, identities[:NAMED])) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class ExportSheet:
    """An export.

    Attributes:
        export: What it holds.
        file: Where it is written; empty for standard output.
        written: Whether it was written.
    """

    export: Export
    file: str
    written: bool = False

    @property
    def own(self) -> int:
        """How many of its jobs belong to the experiment."""
        return sum(job.own for job in self.export.selection.jobs.values())

    def notes(self) -> Iterator[str]:
        """What whoever exports should know, one line each."""
        found, record = self.export.selection, self.export.record
        if needed := len(found.jobs) - self.own:
            yield f"{plural(needed, 'job')} of other experiments, which these need, are in it."
        if found.failed or found.unfinished:
            failed = f"{found.failed} that failed (--failed takes them along)" if found.failed else ""
            rest = f"{found.unfinished} that have not ended" if found.unfinished else ""
            yield f"Not in it: {' and '.join(filter(None, (failed, rest)))}."
        if record.hidden:
            names = sorted({name for each in record.hidden.values() for name in each})
            yield (
                f"Hidden in {plural(len(record.hidden), 'job')}, because they may be secret: the values of "
                f"{', '.join(names)}. Whoever imports these jobs cannot run them as they are."
            )
        if record.left_out:
            files = plural(len(record.left_out), "file")
            yield f"Left out, because they are links or no files: {files}. README.txt in it names them."
        if self.export.code.withheld:
            count = len(self.export.code.withheld)
            yield f"Left out, because they hold passwords in URLs: {plural(count, 'document')} of code."
        if found.missing:
            yield f"Missing: {plural(len(found.missing), 'job')} that these need: {named(found.missing)}."
        if self.export.unverifiable:
            jobs = named(self.export.unverifiable)
            yield f"xpm import will refuse it: the identity of {jobs} cannot be computed without its classes."

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        found, record = self.export.selection, self.export.record
        return {
            "schema": SCHEMA,
            "file": self.file,
            "experiment": record.experiment,
            "written": self.written,
            "bytes": record.size,
            "jobs": len(found.jobs),
            "needed": len(found.jobs) - self.own,
            "failed_left": found.failed,
            "unfinished_left": found.unfinished,
            "snapshots": sorted(record.snapshots),
            "hidden": record.hidden,
            "left_out": record.left_out,
            "missing": found.missing,
            "unverifiable": self.export.unverifiable,
        }


@dataclass(frozen=True)
class ImportSheet:
    """An import.

    Attributes:
        checked: The file.
        standing: How its jobs stand in the workspace.
        workspace: The directory of the workspace.
        experiment: The name that the experiment gets.
        imported: How many jobs have come; None if nothing was written.
    """

    checked: Checked
    standing: Standing
    workspace: Path
    experiment: str
    imported: int | None = None

    def summary(self) -> str:
        """What has come."""
        count = len(self.standing.new) if self.imported is None else self.imported
        verb = "would be imported" if self.imported is None else "imported"
        here = f", {self.standing.here} were here already" if self.standing.here else ""
        return f"{self.experiment}: {plural(count, 'job')} {verb}{here}."

    def notes(self) -> Iterator[str]:
        """What whoever imports should know, one line each."""
        found, record = self.standing, self.checked.contents.record
        if found.other:
            yield (
                f"{plural(len(found.other), 'job')} stay as they are, because they are here and not done: "
                f"{named(found.other)}."
            )
        if found.missing:
            yield f"Missing: {plural(len(found.missing), 'job')} that these need: {named(found.missing)}."
        if hidden := [record.hidden[job.identity] for job in found.new if job.identity in record.hidden]:
            names = sorted({name for each in hidden for name in each})
            yield (
                f"{plural(len(hidden), 'job')} cannot be run here without the values of {', '.join(names)}, which were "
                "hidden. The results can be used."
            )

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        record, found = self.checked.contents.record, self.standing
        return {
            "schema": SCHEMA,
            "file": self.checked.contents.where,
            "workspace": str(self.workspace),
            "experiment": self.experiment,
            "exported": {
                "experiment": record.experiment,
                "at": moment(record.exported_s),
                "by": record.user,
                "host": record.host,
                "version": record.version,
            },
            "written": self.imported is not None,
            "jobs": len(self.checked.jobs),
            "imported": len(found.new) if self.imported is None else self.imported,
            "here": found.here,
            "not_done_here": found.other,
            "missing": found.missing,
            "bytes": self.checked.contents.size,
            "hidden": record.hidden,
        }
