"""The lines that show a run on a terminal.

Owns: what the lines say, and how they fit the width. Task and tags are cut first; states, ids and counts never are.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from xpm_core.labels import bare_class
from xpm_core.reading.why.known import reason_of_ready
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.states import SETTLED, State
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Reason
from xpm_core.words.text import line, meter, plain, span

RUNNING_SHOWN, FAILED_SHOWN = 4, 3
BAR, LEAST_BAR = 24, 5
METER, LONGEST_STEP = 10, 24
"""Columns of a job's progress: its bar, and the words beside it at most."""
FEW = 3
"""Jobs that this run must have done before it estimates how long the others take."""
LONGEST_TAG = 24
LEAST_WHAT = 16
"""Columns that a job's task and tags keep; if there are fewer, the columns to their right go first."""
GAP = "  "
HINT = "Ctrl-C: stop watching, the jobs go on · twice: also cancel what has not started"

Line = tuple[str, str]
"""A line, and how it is drawn."""

_PLACES = (0, 3, 1, 2, 4, 5)
"""The order in which the parts of the first line stand. Part 0 is the most important one; the last goes first."""
_STYLE = {State.RUNNING: "cyan", State.READY: "yellow", State.FAILED: "red"}
_SLOT = re.compile(r"-[0-9a-f]{8}\.(\d+)$")


class RunScreen:
    """One drawing of a run.

    Args:
        name: Of the experiment.
        jobs: All of the run.
        width: Columns of the terminal.
        glyphs: Whether it shows more than ASCII.
    """

    def __init__(self, name: str, jobs: Sequence[TrackedJob], width: int, glyphs: bool) -> None:
        self._name, self._jobs, self._width, self._glyphs = name, jobs, width, glyphs
        self._counts = Counter(job.state for job in jobs)
        self._telling = telling_tags(jobs)

    def lines(self, elapsed_s: float, obstacles: Sequence[Reason] = ()) -> list[Line]:
        """All lines, at most 12.

        Args:
            elapsed_s: How long the script has waited, seconds.
            obstacles: What is known to be in the way of ready jobs: queues that are paused, or that no worker serves.
        """
        lines = [(self._head(elapsed_s), "bold"), *self._running(), *self._ready(obstacles), *self._failed()]
        lines.append((self._fit(HINT), "dim"))
        return lines

    def _head(self, elapsed_s: float) -> str:
        total = len(self._jobs)
        ended = sum(self._counts[state] for state in SETTLED)
        parts = self._parts(elapsed_s, ended)
        room = self._width - min(len(self._name), LEAST_WHAT) - len(GAP)
        while len(parts) > 1 and sum(len(part) for part in parts.values()) > room:
            parts.pop(max(parts))
        core = "".join(parts[place] for place in _PLACES if place in parts)
        bar = max(0, min(BAR, self._width - len(self._name) - len(core) - 2 * len(GAP)))
        full = bar * ended // max(total, 1)
        drawn = self._plain("█" * full + "·" * (bar - full)) + GAP if bar >= LEAST_BAR else ""
        name = self._cut(self._name, self._width - len(GAP + drawn + core))
        return (name + GAP if name else "") + drawn + core

    def _parts(self, elapsed_s: float, ended: int) -> dict[int, str]:
        """What the first line says beside the name: by importance, 0 first."""
        counts, total = self._counts, len(self._jobs)
        done, failed, blocked = counts[State.DONE], counts[State.FAILED], counts[State.BLOCKED]
        parts = {0: f"{done}/{total}", 3: f"  {100 * done // max(total, 1)} %", 4: f"   elapsed {span(elapsed_s)}"}
        if failed:
            parts[1] = self._plain(f"   ✗ {failed} failed")
        if blocked:
            parts[2] = f"   {blocked} blocked"
        fresh = sum(job.state is State.DONE and not job.reused for job in self._jobs)
        if fresh >= FEW and ended < total:
            parts[5] = f"   about {span(elapsed_s / fresh * (total - ended))} left"
        return parts

    def _running(self) -> list[Line]:
        running = sorted((job for job in self._jobs if job.state is State.RUNNING), key=lambda job: job.since_s)
        now, style, shown = time.time(), _STYLE[State.RUNNING], running[:RUNNING_SHOWN]
        lines = [
            (self._row(f"● {self._what(job)}", where(job), f"{span(max(now - job.since_s, 0)):>9}", *progress), style)
            for job, progress in zip(shown, self._progress(shown), strict=True)
        ]
        if (more := len(running) - RUNNING_SHOWN) > 0:
            lines.append((self._fit(f"{GAP}and {more} more running"), style))
        return lines

    def _progress(self, jobs: Sequence[TrackedJob]) -> list[tuple[str, ...]]:
        """How far each job is, as columns: a bar, and words. No columns if no job has reported progress."""
        from rich.cells import cell_len

        if not any(job.progress for job in jobs):
            return [()] * len(jobs)
        bars = [job.progress.get("fraction") for job in jobs]
        steps = [self._plain(line(job.progress.get("desc", ""), 200)) for job in jobs]
        width = min(max(map(cell_len, steps)), LONGEST_STEP)
        return [
            (" " * METER if bar is None else meter(bar, METER), self._cut(step, width, fill=True))
            for bar, step in zip(bars, steps, strict=True)
        ]

    def _ready(self, obstacles: Sequence[Reason]) -> list[Line]:
        if not (ready := self._counts[State.READY]):
            return []
        reason = reason_of_ready(self._jobs, obstacles)
        return [(self._fit(f"⧗ {ready} ready   {reason}"), _STYLE[State.READY])]

    def _failed(self) -> list[Line]:
        failed = [job for job in self._jobs if job.state in (State.FAILED, State.CANCELLED)]
        style = _STYLE[State.FAILED]
        lines = [
            (self._row(f"✗ {self._what(job)}", cause(job), keep=f"({Commands().show(job.identity)})"), style)
            for job in failed[:FAILED_SHOWN]
        ]
        if (more := len(failed) - FAILED_SHOWN) > 0:
            lines.append((self._fit(f"{GAP}and {more} more failed or cancelled"), style))
        return lines

    def _what(self, job: TrackedJob) -> str:
        return what(job, self._telling[job.name])

    # -- fitting ---------------------------------------------------------------------------------------------------

    def _row(self, left: str, *right: str, keep: str = "") -> str:
        """A line that fits: `left` is cut first, then columns go from the right; `keep` stays."""
        from rich.cells import cell_len

        columns = [self._plain(column) for column in right]
        while columns and self._width - cell_len(GAP.join(["", *columns, keep])) < LEAST_WHAT:
            columns.pop()
        rest = GAP.join(column for column in ["", *columns, keep] if column)
        rest = GAP + rest if rest else ""
        room = self._width - cell_len(rest)
        return self._cut(left, room, fill=True) + rest

    def _fit(self, text: str) -> str:
        return self._cut(text, self._width)

    def _cut(self, text: str, room: int, *, fill: bool = False) -> str:
        """A text, cut to so many columns of the terminal, or filled up to them."""
        from rich.cells import cell_len, set_cell_size

        text = self._plain(text)
        if cell_len(text) <= room:
            return set_cell_size(text, room) if fill else text
        mark = self._plain("…")
        return set_cell_size(text, max(room - len(mark), 0)) + mark[: max(room, 0)]

    def _plain(self, text: str) -> str:
        return text if self._glyphs else plain(text)


def telling_tags(jobs: Sequence[TrackedJob]) -> dict[str, set[str]]:
    """For each task, the names of the tags that distinguish its jobs; for a single job, all names."""
    values: dict[str, dict[str, list[Any]]] = {}
    numbers = Counter(job.name for job in jobs)
    for job in jobs:
        known = values.setdefault(job.name, {})
        for name, value in job.tags.items():
            known.setdefault(name, []).append(value)
    return {
        task: {
            name
            for name, found in known.items()
            if numbers[task] == 1 or len(found) < numbers[task] or any(value != found[0] for value in found)
        }
        for task, known in values.items()
    }


def what(job: TrackedJob, names: Collection[str] | None = None) -> str:
    """A job as people know it, by task and tags: `Train lr=0.01 model=mlp`. With `names`, only these tags."""
    tags = [f"{name}={line(value, LONGEST_TAG)}" for name, value in job.tags.items() if names is None or name in names]
    return " ".join([job.name, *tags])


def cause(job: TrackedJob) -> str:
    """Why it failed, in a few words: `MemoryError train.py:88`."""
    if job.state is State.CANCELLED:
        return "cancelled"
    kind = bare_class(line(job.error.get("type") or "failed", 200))
    file = line(job.error.get("file") or "", 1000).rpartition("/")[2]
    place = f" {file}:{job.error.get('line')}" if file else ""
    return kind + place


def where(job: TrackedJob) -> str:
    """The worker that runs a job: host and slot, `gpu-a:0`."""
    return _SLOT.sub(r":\1", job.worker)
