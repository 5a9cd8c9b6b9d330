"""The attempts of jobs, by the records in their directories: where each ran, how long, and whether its result counts.

Owns: which attempts count, and which have left no record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpm_cli.lookup.code.job_code import JobCode
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.store.replies import shown
from xpm_core.workspace.job_records import IMPORTS

DEVICES = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
"""The variables that say which devices a job saw, the first one that is there counts."""
NO_DEVICE = ("", "-1", "NoDevFiles", "none")


@dataclass(frozen=True)
class Attempt:
    """An attempt that has ended.

    Attributes:
        row: Its job.
        record: Its record, with what cannot be printed replaced.
        counts: Whether the result of the job is that of this attempt.
        code: The code that it ran.
    """

    row: JobRow
    record: Mapping[str, Any]
    counts: bool
    code: JobCode

    @property
    def outcome(self) -> str:
        """How it ended, in a word: done, failed, killed, timeout, cancelled, released, lost, unreadable."""
        return str(self.record.get("reason") or ("failed" if self.record.get("error") else "ended"))

    @property
    def seconds(self) -> float | None:
        """How long it took; None if its record does not say it."""
        began, ended = _number(self.record.get("started_s")), _number(self.record.get("ended_s"))
        return max(ended - began, 0.0) if began is not None and ended is not None else None

    @property
    def cpu_s(self) -> float | None:
        """The time of processors that it used, seconds; None if its record does not say it."""
        return _number(self.record.get("cpu_s"))

    @property
    def host(self) -> str:
        """The machine that it ran on; empty if its record does not say it."""
        return str(self.record.get("host") or "")

    @property
    def machine(self) -> Mapping[str, Any]:
        """What that machine has; empty if its record does not say it."""
        found = self.record.get("machine")
        return found if isinstance(found, dict) else {}

    @property
    def devices(self) -> str | None:
        """The devices that it saw, such as `CUDA_VISIBLE_DEVICES=0,1`; None if its record does not say it."""
        found = self.record.get("devices")
        given = found if isinstance(found, dict) else {}
        return next((f"{name}={given[name]}" for name in DEVICES if name in given), None)

    @property
    def device_count(self) -> int | None:
        """How many devices it saw: 0 on a machine without any; None if that is not known."""
        if self.devices is None:
            return 0 if self.machine and not self.machine.get("gpus") else None
        value = self.devices.partition("=")[2]
        return len([each for each in value.split(",") if each.strip() not in NO_DEVICE])


@dataclass
class Attempts:
    """The attempts of the jobs of an experiment.

    Attributes:
        ended: Those that have left a record.
        unrecorded: How many have ended, as far as the server or the index knows, and have left none.
        gone: Done jobs whose directory has no record of the attempt that counts.
        imported: Jobs that were imported: they ran elsewhere.
    """

    ended: list[Attempt] = field(default_factory=list)
    unrecorded: int = 0
    gone: list[JobRow] = field(default_factory=list)
    imported: list[JobRow] = field(default_factory=list)

    @property
    def counting(self) -> list[Attempt]:
        """Those that the results are of."""
        return [attempt for attempt in self.ended if attempt.counts]

    @classmethod
    def of(cls, opened: OpenWorkspace, rows: Iterable[JobRow]) -> Attempts:
        """Read the records of some jobs."""
        found, imports = cls(), (opened.workspace.path / IMPORTS).exists()
        for row in rows:
            if not row.task:
                continue
            mine = list(attempts_of(opened, row))
            found.ended += mine
            found.unrecorded += _unrecorded(row, mine)
            if row.state is State.DONE and not any(attempt.counts for attempt in mine):
                found.gone.append(row)
            if imports and opened.directory(row).is_imported():
                found.imported.append(row)
        return found


def attempts_of(opened: OpenWorkspace, row: JobRow) -> Iterator[Attempt]:
    """The attempts of a job that have left a record, in order."""
    directory = opened.directory(row)
    records = directory.records()
    marker = directory.marker() if records and row.state is State.DONE else None
    for record in records:
        counts = marker is not None and marker.kind == "done" and record["execution"] == marker.execution
        yield Attempt(row, dict(shown(record)), counts, JobCode.of(opened.workspace.path, record))


def _unrecorded(row: JobRow, recorded: Sequence[Attempt]) -> int:
    """How many attempts have left no record: the power of their machine failed, or its disk was full."""
    last = max([row.attempts or 0, *(int(attempt.record["number"]) for attempt in recorded)])
    running = row.state is State.RUNNING and last == row.attempts
    return max(last - len(recorded) - running, 0)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
