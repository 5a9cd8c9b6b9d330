"""The lines that show a run on a terminal.

Owns: what the lines say, and how they fit the width and the height. Task and tags are cut first; states, ids and counts
never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.live.run_view import RunView, TaskCount, cause, for_s, where
from xpm_core.states import State
from xpm_core.words.commands import Commands
from xpm_core.words.text import ago, line, meter, plain, span

LINES = 12
"""Lines that are drawn at most."""
TASKS, RUNNING, FAILED = 4, 5, 4
"""Lines of each kind at most. If there are more to show, the last of them says how many more."""
BAR, LEAST_BAR = 24, 5
METER, LONGEST_STEP = 10, 24
"""Columns of a job's progress: its bar, and the words beside it at most."""
LONGEST_TASK = 30
LEAST_WHAT = 16
"""Columns that a job's task and tags keep; if there are fewer, the columns to their right go first."""
GAP = "  "
HINT = "Ctrl-C: stop watching, the jobs go on · twice: also cancel what has not started"

Row = TypeVar("Row")
Line = tuple[str, str]
"""A line, and how it is drawn."""

_PLACES = (0, 3, 1, 2, 4, 5)
"""The order in which the parts of the first line stand. Part 0 is the most important one; the last goes first."""
_STYLE = {State.RUNNING: "cyan", State.READY: "yellow", State.FAILED: "red"}
_MARK = {State.READY: "⧗", State.DELAYED: "↻", State.WAITING: "⧗"}


class RunScreen:
    """One drawing of a run.

    Args:
        view: What there is to show.
        width: Columns of the terminal.
        glyphs: Whether it shows more than ASCII.
    """

    def __init__(self, view: RunView, width: int, glyphs: bool) -> None:
        self._view, self._width, self._glyphs = view, width, glyphs

    def lines(self) -> list[Line]:
        """All lines, at most `LINES`."""
        tasks, running, failed = self._view.tasks(), self._view.running(), self._view.failed()
        waiting = self._waiting()
        wanted = [min(len(tasks), TASKS), min(len(running), RUNNING), min(len(failed), FAILED)]
        heights = shared(wanted, LINES - 2 - len(waiting))
        return [
            (self._head(), "bold"),
            *self._tasks(tasks, heights[0]),
            *self._running(running, heights[1]),
            *waiting,
            *self._failed(failed, heights[2]),
            (self._fit(HINT), "dim"),
        ]

    # -- the first line --------------------------------------------------------------------------------------------

    def _head(self) -> str:
        name, parts = self._view.name, self._parts()
        room = self._width - min(len(name), LEAST_WHAT) - len(GAP)
        while len(parts) > 1 and sum(len(part) for part in parts.values()) > room:
            parts.pop(max(parts))
        core = "".join(parts[place] for place in _PLACES if place in parts)
        bar = max(0, min(BAR, self._width - len(name) - len(core) - 2 * len(GAP)))
        full = bar * self._view.ended // max(self._view.total, 1)
        drawn = self._plain("█" * full + "·" * (bar - full)) + GAP if bar >= LEAST_BAR else ""
        name = self._cut(name, self._width - len(GAP + drawn + core))
        return (name + GAP if name else "") + drawn + core

    def _parts(self) -> dict[int, str]:
        """What the first line says beside the name: by importance, 0 first."""
        view, counts = self._view, self._view.counts
        done, failed, blocked = counts[State.DONE], counts[State.FAILED], counts[State.BLOCKED]
        percent, elapsed = 100 * done // max(view.total, 1), span(view.elapsed_s)
        parts = {0: f"{done}/{view.total}", 3: f"  {percent} %", 4: f"   elapsed {elapsed}"}
        if failed:
            parts[1] = self._plain(f"   ✗ {failed} failed")
        if blocked:
            parts[2] = f"   {blocked} blocked"
        if view.left:
            parts[5] = f"   {view.left}"
        return parts

    # -- the others ------------------------------------------------------------------------------------------------

    def _tasks(self, tasks: Sequence[TaskCount], height: int) -> list[Line]:
        shown, more = split(tasks, height)
        width = min(max((len(task.name) for task in shown), default=0), LONGEST_TASK, max(self._width // 3, 1))
        digits = max((len(str(task.total)) for task in shown), default=1)
        lines = [(self._task(task, width, digits), "") for task in shown]
        return lines + self._more(more, "more tasks", "")

    def _task(self, task: TaskCount, width: int, digits: int) -> str:
        parts = [f"{task.ended:>{digits}}/{task.total:<{digits}}"]
        if task.failed:
            parts.append(f"✗ {task.failed} failed")
        if task.running:
            parts.append(f"{task.running} running")
        name = GAP + self._cut(task.name, width, fill=True)
        bar = self._plain(meter(task.ended / task.total, BAR // 2))
        columns = [bar] if self._width >= len(name) + len(bar) + len(parts[0]) + 2 * len(GAP) else []
        return self._fit(GAP.join([name, *columns, *parts]))

    def _running(self, jobs: Sequence[TrackedJob], height: int) -> list[Line]:
        style, (shown, more) = _STYLE[State.RUNNING], split(jobs, height)
        lines = [
            (self._row(f"● {self._view.what(job)}", where(job), f"{span(for_s(job)):>9}", *progress), style)
            for job, progress in zip(shown, self._progress(shown), strict=True)
        ]
        return lines + self._more(more, "more running", style)

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

    def _waiting(self) -> list[Line]:
        if (waiting := self._view.waiting()) is None:
            return []
        text, style = f"{_MARK[waiting.state]} {waiting}", _STYLE.get(waiting.state, "dim")
        if not waiting.identity:
            return [(self._fit(text), style)]
        return [(self._row(text, keep=f"({Commands().why(waiting.identity)})"), style)]

    def _failed(self, jobs: Sequence[TrackedJob], height: int) -> list[Line]:
        style, (shown, more) = _STYLE[State.FAILED], split(jobs, height)
        lines = [
            (
                self._row(
                    f"✗ {self._view.what(job)}",
                    cause(job),
                    ago(for_s(job)) if job.since_s else "",
                    keep=f"({Commands().show(job.identity)})",
                ),
                style,
            )
            for job in shown
        ]
        return lines + self._more(more, "more failed or cancelled", style)

    def _more(self, count: int, words: str, style: str) -> list[Line]:
        return [(self._fit(f"{GAP}and {count} {words}"), style)] if count else []

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


def shared(wanted: Sequence[int], room: int) -> list[int]:
    """How many lines each kind gets if there is not room for all: the largest gives way first.

    Example:
        >>> shared([4, 5, 4], 9), shared([1, 5, 0], 9)
        ([3, 3, 3], [1, 5, 0])
    """
    heights = list(wanted)
    while sum(heights) > room:
        heights[max(range(len(heights)), key=lambda each: (heights[each], each))] -= 1
    return heights


def split(rows: Sequence[Row], height: int) -> tuple[Sequence[Row], int]:
    """The rows that are shown in so many lines, and how many more there are, which the last line says."""
    if len(rows) <= height:
        return rows, 0
    shown = max(height - 1, 0)
    return rows[:shown], len(rows) - shown
