"""What a job's directory holds of its end: the markers, also damaged ones, and which attempts have records.

`JobDirectory` believes a directory where it can. The doctor also wants to see what is not to be believed.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import KINDS, MARKER, RECORD, Kind, read_small

DAMAGED = ""
"""Stands for the execution that a damaged marker names."""
DONE = "done"
"""The reason in the record of an execution that succeeded."""
FAILURES = ("failed", "timeout", "killed")
"""The reasons in the records of executions that have failed by themselves."""
HINDRANCES = ("refused", "lost")
"""The reasons in the records of executions after which a job may have failed, or run again. Only the server knows."""


class Seen(NamedTuple):
    """What a directory holds.

    Args:
        there: Whether there is a directory.
        markers: By kind, the execution that the marker names; `DAMAGED` if it cannot be read.
        numbers: The number of each execution that has a record.
    """

    there: bool
    markers: dict[Kind, str]
    numbers: dict[str, int]

    @property
    def newest(self) -> str:
        """The execution with the newest record; empty without any."""
        return max(self.numbers, key=self.numbers.__getitem__, default="")


def look_at(directory: JobDirectory) -> Seen:
    """Read what a job's directory holds. Its folders are listed, so that a network file system looks anew."""
    records = f"{directory.workspace}/{directory.relative}/.xpm"
    try:
        names = os.listdir(records)
    except OSError:
        return Seen(directory.path.is_dir(), {}, {})
    markers: dict[Kind, str] = {}
    for kind in KINDS:
        if kind in names:
            with contextlib.suppress(FileNotFoundError):  # replaced just now
                found = MARKER.fullmatch(read_small(f"{records}/{kind}"))
                markers[kind] = found[1].decode() if found else DAMAGED
    numbers = {}
    with contextlib.suppress(OSError):
        for match in map(RECORD.fullmatch, os.listdir(f"{records}/executions")):
            if match:
                numbers[match[2]] = int(match[1])
    return Seen(True, markers, numbers)


def proven(directory: JobDirectory, execution: str, *, failures: tuple[str, ...] = FAILURES) -> Kind | None:
    """How an execution ended, by its record: `done` or `failed`; None if there is no record, or it does not say.

    Args:
        directory: The job's directory.
        execution: The execution; empty for none.
        failures: The reasons that count as failures.
    """
    record = directory.record(execution) if execution else None
    reason = (record or {}).get("reason")
    if reason == DONE:
        return "done"
    return "failed" if reason in failures else None
