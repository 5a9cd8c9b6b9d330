"""The workers of a workspace as a table, and for programs.

Owns: the columns, the words for how a worker stands, and the fields that programs get (docs/reference/json.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_cli.output.json_form import moment
from xpm_cli.output.terminal import Terminal
from xpm_core.defaults import DEFAULT_QUEUE
from xpm_core.labels import short
from xpm_core.reading.jobs import Job
from xpm_core.reading.why.avoided import Avoided
from xpm_core.reading.workers import WorkerState
from xpm_core.store.refusals import daemon_of
from xpm_core.words.commands import Commands
from xpm_core.words.text import ago, line, plural, span

LEAST_TITLE = 20
"""Characters to which the job of a worker is cut on a terminal before columns are left out."""


@dataclass(frozen=True)
class WorkerTable:
    """The workers of a workspace.

    Attributes:
        workers: The workers.
        jobs: The jobs that they run, by identity.
        avoided: What their daemons have refused.
        now_s: The server's time, epoch seconds.
    """

    workers: Sequence[WorkerState]
    jobs: Mapping[str, Job]
    avoided: Sequence[Avoided]
    now_s: float

    def lines(self, terminal: Terminal, commands: Commands) -> list[str]:
        """The lines to print: the table, and what daemons have refused; without workers, how to start one.

        Args:
            terminal: What the terminal can show.
            commands: Writes command lines that find the workspace.
        """
        if not self.workers:
            return [f"no workers: start one by {commands.start_worker(DEFAULT_QUEUE)}"]
        header = ["WORKER", "STATE", "RUNS", "FOR", "HEARD", "HOST", "QUEUES", "VERSION"]
        rows = [header, *map(self._row, self.workers)]
        if terminal.width is not None:
            room = terminal.room_beside([[*row[:2], *row[3:]] for row in rows])
            rows = [[*row[:2], line(row[2], max(room, LEAST_TITLE)), *row[3:]] for row in rows]
        refused = (
            terminal.entry("! refused", [f"worker {each.daemon} {each.refusal.problem}", _avoid(each.jobs),
                                         each.refusal.remedy])
            for each in self.avoided
        )  # fmt: skip
        return [*terminal.table(rows), *refused]

    def _row(self, worker: WorkerState) -> list[str]:
        runs, lasts = self.runs(worker), "-"
        if (job := self.jobs.get(worker.job)) is not None and job.started_s:
            lasts = span(self.now_s - job.started_s)
        heard = ago(worker.silent_s)
        return [worker.name, stands(worker), runs or "-", lasts, heard, worker.host, ",".join(worker.queues),
                worker.version]  # fmt: skip

    def runs(self, worker: WorkerState) -> str:
        """The job that a worker runs, as people know it; empty without one."""
        if not worker.job:
            return ""
        job = self.jobs.get(worker.job)
        return f"{short(worker.job)} {job.title}" if job is not None else short(worker.job)

    def records(self) -> list[dict[str, Any]]:
        """The records for programs."""
        return [self._record(worker) for worker in self.workers]

    def _record(self, worker: WorkerState) -> dict[str, Any]:
        job = self.jobs.get(worker.job)
        daemon = daemon_of(worker.name)
        return {
            "name": worker.name,
            "daemon": daemon,
            "host": worker.host,
            "pid": worker.pid,
            "queues": worker.queues,
            "path": worker.path,
            "version": worker.version,
            "started": moment(worker.started_s),
            "state": stands(worker),
            "alive": worker.alive,
            "silent_s": round(worker.silent_s, 3),
            "job": worker.job or None,
            "title": job.title if job is not None else None,
            "job_started": moment(job.started_s) if job is not None else None,
            "leaving": moment(worker.leaving_s),
            "order": worker.order or None,
            "ordered_by": worker.ordered_by or None,
            "takes_orders": worker.takes_orders,
            "refused": [
                {"said": each.refusal.said, "remedy": each.refusal.remedy, "jobs": each.jobs}
                for each in self.avoided
                if each.daemon == daemon
            ],
        }


def stands(worker: WorkerState) -> str:
    """How a worker stands, in one word."""
    if worker.silent:
        return "silent"
    if worker.leaving_s:
        return "draining" if worker.order in ("", "drain") else "stopping"
    return "busy" if worker.job else "idle"


def in_order(workers: Iterable[WorkerState]) -> list[WorkerState]:
    """Workers by daemon, then by number."""

    def place(worker: WorkerState) -> tuple[str, int]:
        daemon = daemon_of(worker.name)
        number = worker.name[len(daemon) + 1 :]
        return daemon, int(number or 0)

    return sorted(workers, key=place)


def _avoid(jobs: int) -> str:
    return f"{plural(jobs, 'ready job')} {'avoids' if jobs == 1 else 'avoid'} it"
