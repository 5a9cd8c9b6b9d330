"""The lanes of a timeline: what each worker slot ran, one after the other, and what of it a picture shows.

A lane has no two executions at one time: a slot runs one job at a time. Clocks of machines differ by some
milliseconds, so one execution may seem to begin before the one before it ends. Its beginning is then set to that end.

Owns: lanes, windows of time, blocks. It knows nothing of Redis, of files, nor of SVG.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class How(str, Enum):
    """How an execution ended. The words are those of the page."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    RETRIED = "tried again"
    CANCELLED = "cancelled"
    LOST = "lost"
    RELEASED = "handed back"
    UNKNOWN = "end not known"

    __hash__ = str.__hash__

    @property
    def word(self) -> str:
        """The name of its class in the picture: `retried`."""
        return self.name.lower()


WORST = (How.LOST, How.FAILED, How.RETRIED, How.UNKNOWN, How.RELEASED, How.CANCELLED)
"""Ends that went wrong, the worst first. A block of several executions shows the first that one of them has."""


class Execution(NamedTuple):
    """One attempt to run a job.

    Attributes:
        execution: Its id.
        job: The identity of the job.
        task: The job's task, `module:Class`; empty if it is not known.
        worker: The worker.
        attempt: Its number; 0 if it is not known.
        started_s, ended_s: When it began and ended, epoch seconds; while it runs, None stands for the end.
        how: How it ended.
    """

    execution: str
    job: str
    task: str
    worker: str
    attempt: int
    started_s: float
    ended_s: float | None
    how: How


class Window(NamedTuple):
    """A part of time, epoch seconds."""

    from_s: float
    to_s: float

    @property
    def span_s(self) -> float:
        """How long it is."""
        return self.to_s - self.from_s

    def shared(self, from_s: float, to_s: float) -> float:
        """How much of another stretch of time lies in it, seconds."""
        return max(min(to_s, self.to_s) - max(from_s, self.from_s), 0.0)


class Run(NamedTuple):
    """An execution in its lane: from when until when, without an overlap."""

    from_s: float
    to_s: float
    of: Execution


@dataclass(frozen=True)
class Lane:
    """A worker slot, and what it ran.

    Attributes:
        worker: Its name.
        host: Its machine; empty if it is not known.
        from_s, to_s: From when until when it was there, as far as that is known.
        runs: What it ran, in order. No two of them overlap.
    """

    worker: str
    host: str
    from_s: float
    to_s: float
    runs: tuple[Run, ...]
    starts: list[float] = field(repr=False, compare=False, default_factory=list)

    def within(self, window: Window) -> Sequence[Run]:
        """The runs of which a part lies in a window."""
        first = bisect_right(self.starts, window.from_s)
        if first and self.runs[first - 1].to_s > window.from_s:
            first -= 1
        return self.runs[first : bisect_left(self.starts, window.to_s)]

    def is_in(self, window: Window) -> bool:
        """Whether the slot was there in a window."""
        return self.from_s < window.to_s and self.to_s > window.from_s


def lane_of(
    worker: str,
    host: str,
    executions: Iterable[Execution],
    now_s: float,
    there: tuple[float | None, float | None] = (None, None),
) -> Lane:
    """The lane of a worker.

    An execution that seems to run although a later one has begun ended unseen: it ends there.

    Args:
        worker: Its name.
        host: Its machine.
        executions: What it ran, in any order.
        now_s: The time now, at which a running one ends.
        there: When it came and when it left, as far as that is known. It was there at least while it ran something.
    """
    ordered = sorted(executions, key=lambda each: (each.started_s, each.ended_s or now_s, each.execution))
    runs: list[Run] = []
    until_s = float("-inf")
    for number, each in enumerate(ordered):
        end_s = each.ended_s
        if end_s is None:
            is_last = number == len(ordered) - 1
            end_s = max(now_s, each.started_s) if is_last else ordered[number + 1].started_s
            each = each if is_last else each._replace(ended_s=end_s, how=How.UNKNOWN)
        from_s = max(each.started_s, until_s)
        until_s = max(end_s, from_s)
        runs.append(Run(from_s, until_s, each))
    first = [run.from_s for run in runs[:1]] + [each for each in there[:1] if each is not None]
    last = [run.to_s for run in runs[-1:]] + [each for each in there[1:] if each is not None]
    from_s, to_s = min(first, default=now_s), max(last, default=now_s)
    return Lane(worker, host, from_s, max(from_s, to_s), tuple(runs), [run.from_s for run in runs])


@dataclass(frozen=True)
class Use:
    """How much of a window a lane, or several, were busy.

    Attributes:
        busy_s, idle_s: How long jobs ran, and how long the slot was there without one, seconds.
        counts: How many executions ended in which way. One of which only a part lies in the window counts, too.
        retries: How many of them were not the first attempt.
        gap_s: The longest time without a job.
    """

    busy_s: float = 0.0
    idle_s: float = 0.0
    counts: Counter[How] = field(default_factory=Counter)
    retries: int = 0
    gap_s: float = 0.0

    @property
    def span_s(self) -> float:
        """How long the slot was there."""
        return self.busy_s + self.idle_s

    @property
    def share(self) -> float | None:
        """The part of its time that it was busy; None if it was not there."""
        return self.busy_s / self.span_s if self.span_s > 0 else None

    @property
    def executions(self) -> int:
        """How many executions there are."""
        return sum(self.counts.values())

    def __add__(self, other: Use) -> Use:
        return Use(
            self.busy_s + other.busy_s,
            self.idle_s + other.idle_s,
            self.counts + other.counts,
            self.retries + other.retries,
            max(self.gap_s, other.gap_s),
        )


def use_of(lane: Lane, window: Window) -> Use:
    """How much of a window a lane was busy."""
    runs = lane.within(window)
    busy_s = sum(window.shared(run.from_s, run.to_s) for run in runs)
    idle = [gap.span_s for gap in gaps(lane, window)]
    counts = Counter(run.of.how for run in runs)
    return Use(busy_s, sum(idle), counts, sum(run.of.attempt > 1 for run in runs), max(idle, default=0.0))


def gaps(lane: Lane, window: Window) -> Iterator[Window]:
    """When, within a window, a slot was there and ran nothing."""
    at_s, end_s = max(lane.from_s, window.from_s), min(lane.to_s, window.to_s)
    for run in lane.within(window):
        if run.from_s > at_s:
            yield Window(at_s, min(run.from_s, end_s))
        at_s = max(at_s, run.to_s)
    if end_s > at_s:
        yield Window(at_s, end_s)


@dataclass
class Block:
    """What is drawn as one: an execution, or neighbours that are too short to be drawn alone.

    Attributes:
        from_s, to_s: From when until when.
        busy_s: How much of that something ran.
        counts: How many executions ended in which way.
        retries: How many of them were not the first attempt.
        only: The execution, if it is one alone.
    """

    from_s: float
    to_s: float
    busy_s: float
    counts: Counter[How]
    retries: int
    only: Execution | None

    @property
    def executions(self) -> int:
        """How many executions it stands for."""
        return sum(self.counts.values())

    @property
    def usual(self) -> How:
        """How most of them ended; of ways that are as frequent, the first one in `How`."""
        return max(How, key=lambda how: self.counts[how])

    @property
    def worst(self) -> How | None:
        """The worst way in which one of them ended; None if all went well."""
        return next((how for how in WORST if self.counts[how]), None)

    @property
    def wrong(self) -> float:
        """The part of them that went wrong."""
        return sum(self.counts[how] for how in WORST) / self.executions

    @property
    def share(self) -> float:
        """The part of its time in which something ran."""
        return self.busy_s / (self.to_s - self.from_s) if self.to_s > self.from_s else 1.0


def blocks(lane: Lane, window: Window, least_s: float) -> list[Block]:
    """What is drawn of a lane: at most two blocks for each `least_s` of the window.

    Neighbours that are shorter than `least_s`, and begin in the same cell of that length, become one block. Cells count
    from the epoch, so blocks stay what they are when the window moves.

    Args:
        lane: The lane.
        window: The part of time that is seen.
        least_s: How long an execution must be to be drawn alone, seconds.
    """
    found: list[Block] = []
    cell: float | None = None
    for run in lane.within(window):
        short = run.to_s - run.from_s < least_s
        own = run.from_s // least_s if short else None
        if own is not None and own == cell:
            _join(found[-1], run)
        else:
            counts = Counter([run.of.how])
            found.append(Block(run.from_s, run.to_s, run.to_s - run.from_s, counts, int(run.of.attempt > 1), run.of))
        cell = own
    return found


def _join(block: Block, run: Run) -> None:
    block.to_s, block.busy_s, block.only = run.to_s, block.busy_s + run.to_s - run.from_s, None
    block.counts[run.of.how] += 1
    block.retries += run.of.attempt > 1
