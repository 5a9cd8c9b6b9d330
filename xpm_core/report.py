"""What a run came to: its counts, and its failures grouped by cause.

Owns: the words and the grouping; `FailedExperiment` (errors.py) carries the text, display.py shows it.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from xpm_core.errors import FailedExperiment
from xpm_core.states import State
from xpm_core.text import plain, shows_glyphs
from xpm_core.tracking import TrackedJob

SHOWN = 5
"""Jobs named in a list before it is cut, with the number of the others."""


@dataclass(frozen=True)
class Summary:
    """Counts over the jobs of one run; false when not all of them are done.

    `done` includes the `reused`: those that were done already when they were submitted.

    Example:
        if not xp.wait():
            ...
    """

    done: int = 0
    reused: int = 0
    failed: int = 0
    blocked: int = 0
    cancelled: int = 0
    unfinished: int = 0

    def __bool__(self) -> bool:
        return not (self.failed or self.blocked or self.cancelled or self.unfinished)

    def __str__(self) -> str:
        parts = [f"{self.done} done" + (f" ({self.reused} reused)" if self.reused else "")]
        counts = [(word, getattr(self, word)) for word in ("failed", "blocked", "cancelled", "unfinished")]
        return "   ".join(parts + [f"{count} {word}" for word, count in counts if count])


@dataclass(frozen=True)
class Cause:
    """Failures that have one cause: an error of one type and message, at one line of the user's code."""

    error: str
    place: str
    jobs: tuple[str, ...]
    log: str
    common: str
    blocked: tuple[str, ...]


def summarize(jobs: Iterable[TrackedJob]) -> Summary:
    """Count the jobs of a run."""
    listed = list(jobs)
    counts = Counter(job.state for job in listed)
    reused = sum(job.reused and job.state is State.DONE for job in listed)
    settled = ("done", "failed", "blocked", "cancelled")
    numbers = {word: counts[State(word)] for word in settled}
    return Summary(reused=reused, unfinished=len(listed) - sum(numbers.values()), **numbers)


def causes(jobs: Mapping[str, TrackedJob]) -> list[Cause]:
    """Group the failed and cancelled jobs of a run by cause, the largest group first."""
    groups: dict[tuple[str, str], list[TrackedJob]] = {}
    for job in jobs.values():
        if job.state in (State.FAILED, State.CANCELLED):
            groups.setdefault(_cause(job), []).append(job)
    blocked: dict[str, list[str]] = {}
    for job in jobs.values():
        if job.state is State.BLOCKED:
            blocked.setdefault(job.root, []).append(job.label)
    found = [
        Cause(
            error=error,
            place=place,
            jobs=tuple(job.identity for job in group),
            log=str(group[0].directory.err),
            common=_common([job.tags for job in group]),
            blocked=tuple(label for job in group for label in blocked.get(job.identity, ())),
        )
        for (error, place), group in groups.items()
    ]
    outside = [label for root, labels in blocked.items() if root not in jobs for label in labels]
    if outside:
        found.append(Cause("a dependency of another run failed", "", (), "", "", tuple(outside)))
    return sorted(found, key=lambda cause: -len(cause.jobs))


def lines(name: str, summary: Summary, found: Sequence[Cause], elapsed: str) -> list[str]:
    """The report at the end of a run that is not all done (SCREENS.md, "at the end")."""
    text = [f"{name}  {summary}   in {elapsed}"]
    for cause in found:
        count = f"{len(cause.jobs)} jobs" if len(cause.jobs) != 1 else "1 job"
        common = f", all with {cause.common}" if cause.common and len(cause.jobs) > 1 else ""
        alone = f", {cause.common}" if cause.common and len(cause.jobs) == 1 else ""
        text.append(f"✗ {cause.error}     {count}{common}{alone}" if cause.jobs else f"✗ {cause.error}")
        if cause.place:
            text.append(f"      {cause.place}")
        if cause.log:
            text.append(f"      log: {cause.log}")
        if cause.blocked:
            text.append(f"  blocked by it: {_listed(cause.blocked)}")
    first = next((cause.jobs[0][:7] for cause in found if cause.jobs), None)
    if first:
        text.append(f"next    xpm show {first}    xpm logs {first}    xpm retry {first}")
    return text


def show_failures_plainly() -> None:
    """Let an uncaught FailedExperiment show its report alone: its traceback would tell of xpm, not of the failures."""
    shown_before = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if kind is FailedExperiment and not os.environ.get("XPM_DEBUG"):
            print(str(error) if shows_glyphs(sys.stderr) else plain(str(error)), file=sys.stderr)
        else:
            shown_before(kind, error, trace)

    if getattr(shown_before, "__module__", "") != __name__:
        sys.excepthook = show


def _cause(job: TrackedJob) -> tuple[str, str]:
    if job.state is State.CANCELLED:
        return "cancelled", ""
    error = job.error or {"type": "failed", "message": "the reason is not known"}
    words = error.get("message") or ""
    first = words.splitlines()[0] if words else ""
    place = f"{error['file']}:{error['line']} in {error.get('function', '?')}" if error.get("file") else ""
    return (f"{error.get('type', 'Error')}: {first}" if first else error.get("type", "Error")), place


def _common(tags: Sequence[Mapping[str, Any]]) -> str:
    shared = {name: value for name, value in tags[0].items() if all(t.get(name) == value for t in tags)}
    return " ".join(f"{name}={value}" for name, value in sorted(shared.items()))


def _listed(labels: Sequence[str]) -> str:
    rest = len(labels) - SHOWN
    return ", ".join(labels[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
