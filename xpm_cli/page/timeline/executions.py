"""The executions of each worker, from events, from the index, and from what runs now.

The three may speak of the same execution: its id says so. Events come first, because one clock writes their times, the
server's, and because they know each attempt.

Owns: what an event means for an execution, and which source is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xpm_cli.page.timeline.lanes import Execution, How, Lane, lane_of
from xpm_cli.page.timeline.moves import Move
from xpm_core.reading.jobs import Job
from xpm_core.reading.workers import WorkerState
from xpm_core.states import Event

_ENDS = {
    Event.DONE: How.DONE,
    Event.FAILED: How.FAILED,
    Event.DELAYED: How.RETRIED,
    Event.CANCELLED: How.CANCELLED,
    Event.LOST: How.LOST,
    Event.RELEASED: How.RELEASED,
}

_NO_END = (How.RUNNING, How.UNKNOWN)


@dataclass
class Executions:
    """What ran where.

    Attributes:
        hosts: The machine of each worker, as far as it is known.
        unseen: Ends of executions whose beginning no event says any more.
    """

    hosts: dict[str, str] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    _known: dict[str, dict[str, Execution]] = field(default_factory=dict)
    _open: dict[str, Execution] = field(default_factory=dict)
    _there: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _alive: set[str] = field(default_factory=set)
    _missing: set[str] = field(default_factory=set)

    def add_ends(self, ends: Iterable[Execution]) -> None:
        """Take what the index says. An execution that is known from events stays as it is."""
        for each in ends:
            known = self._known.setdefault(each.worker, {})
            before = known.get(each.execution)
            if before is None:
                self._put(each)
            elif before.how in _NO_END:
                self._open.pop(each.execution, None)
                self._put(before._replace(ended_s=max(each.ended_s or 0.0, before.started_s), how=each.how))
            self.unseen.discard(each.execution)

    def add_moves(self, moves: Iterable[Move]) -> None:
        """Take events, in order."""
        for move in moves:
            if move.event is Event.STARTED and move.execution and move.worker:
                begun = Execution(
                    move.execution, move.job, move.task, move.worker, move.attempt, move.at_s, None, How.RUNNING
                )
                self._open[move.execution] = begun
                self._put(begun)
            elif move.event in _ENDS and move.execution:
                self._end(move)
            elif move.event is Event.WORKER_UP:
                self._there[move.worker] = (move.at_s, None)
                self._lanes.pop(move.worker, None)
            elif move.event is Event.WORKER_DOWN:
                self._there[move.worker] = (self._there.get(move.worker, (None, None))[0], move.at_s)
                self._lanes.pop(move.worker, None)

    def _end(self, move: Move) -> None:
        self._open.pop(move.execution, None)
        begun = self._known.get(move.worker, {}).get(move.execution)
        if begun is not None and begun.how in _NO_END:
            self._put(begun._replace(ended_s=max(move.at_s, begun.started_s), how=_ENDS[move.event]))
        elif begun is None and move.event in (Event.LOST, Event.RELEASED, Event.DELAYED):
            self.unseen.add(move.execution)

    def _put(self, each: Execution) -> None:
        self._known.setdefault(each.worker, {})[each.execution] = each
        self._lanes.pop(each.worker, None)

    def settle(self, workers: Iterable[WorkerState], running: Mapping[str, Job], now_s: float) -> None:
        """Take who is there and what runs now.

        An execution that seems to run, and that no worker has at two calls, ended unseen: events were dropped.

        Args:
            workers: The workers of the workspace.
            running: The jobs that run, by worker.
            now_s: When they were read, by the server's clock. A worker whose lease is over was there until it was last
                heard of.
        """
        alive = set()
        for each in workers:
            self.hosts[each.name] = each.host
            came = self._there.get(each.name, (None, None))[0]
            self._there[each.name] = (came or each.started_s or None, now_s - each.silent_s)
            if each.alive:
                alive.add(each.name)
        for changed in self._alive ^ alive:
            self._lanes.pop(changed, None)
        self._alive = alive
        held = {job.execution for job in running.values()}
        for name, job in running.items():
            known = self._known.get(name, {}).get(job.execution)
            if job.execution and job.started_s and (known is None or known.how is How.UNKNOWN):
                begun = Execution(
                    job.execution, job.identity, job.task, name, job.attempts, job.started_s, None, How.RUNNING
                )
                self._open[job.execution] = begun
                self._put(begun)
        missing = set(self._open) - held
        for execution in missing & self._missing:
            begun = self._open.pop(execution)
            self._put(begun._replace(ended_s=begun.started_s, how=How.UNKNOWN))
        self._missing = missing - self._missing

    @property
    def running(self) -> dict[str, Execution]:
        """What runs, by execution."""
        return self._open

    def lanes(self, now_s: float) -> list[Lane]:
        """The lanes of all workers, by name."""
        busy = {each.worker for each in self._open.values()}
        for worker in sorted({*self._known, *self._there}):
            if worker not in self._lanes or worker in busy or worker in self._alive:
                came, left = self._there.get(worker, (None, None))
                left = now_s if worker in self._alive else left
                known = self._known.get(worker, {}).values()
                self._lanes[worker] = lane_of(worker, self.hosts.get(worker, ""), known, now_s, (came, left))
        return [self._lanes[worker] for worker in sorted(self._lanes)]
