"""The report at the end of a run: its counts, and its failures grouped by cause.

Owns: the words and the grouping. `experiment.py` prints the text, or raises it in a `FailedExperiment`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from xpm_core.errors import FailedExperiment
from xpm_core.labels import bare_class
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.states import State
from xpm_core.tracebacks.callsite import format_line
from xpm_core.tracebacks.edges import debugging
from xpm_core.tracebacks.prompt import rerun
from xpm_core.words import html
from xpm_core.words.commands import Commands
from xpm_core.words.text import line, listed, plain, plural, shows_glyphs
from xpm_core.workspace.job_records import IMPORTS

NAMED = 5
"""Jobs named in a list; of more jobs, the list says how many there are."""
LONGEST = 600
"""Characters of an error or of tags that are shown; the log has all of it."""


@dataclass(frozen=True)
class Summary:
    """Counts over the jobs of one run; false if not all of them are done.

    `done` includes the `reused` jobs: jobs that were done already when they were submitted. `reused` includes the
    `imported` jobs: those that `xpm import` has brought from somebody else.

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
    imported: int = 0

    def __bool__(self) -> bool:
        return not (self.failed or self.blocked or self.cancelled or self.unfinished)

    def __str__(self) -> str:
        parts = [self._done]
        counts = [(word, getattr(self, word)) for word in ("failed", "blocked", "cancelled", "unfinished")]
        return "   ".join(parts + [f"{count} {word}" for word, count in counts if count])

    @property
    def _done(self) -> str:
        """How many jobs are done, and how many of them ran in this run: `53 done (38 reused, 5 of them imported)`."""
        imported = f", {self.imported} of them imported" if self.imported else ""
        return f"{self.done} done" + (f" ({self.reused} reused{imported})" if self.reused else "")

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        states = (State.FAILED, State.BLOCKED, State.CANCELLED)
        others = [(state, getattr(self, state.value)) for state in states]
        shown = [html.text(f"{count} {state.value}", state=state) for state, count in others if count]
        unfinished = [f"{self.unfinished} unfinished"] if self.unfinished else []
        return html.frame(html.line(html.text(self._done, state=State.DONE), *shown, *unfinished))


@dataclass(frozen=True)
class Cause:
    """Failures with one cause: an error of one type at one line of the user's code.

    Attributes:
        error: Type and message; if the messages differ, the first one.
        others: How many other messages there are.
        place: File, line and function; empty if they are not known.
        jobs: The identities of the failed jobs.
        log: A file with more; empty if none of the jobs left a log.
        common: Tags that all of these jobs have, and not all jobs of the run.
        blocked: Labels of the jobs that wait for them.
    """

    error: str
    others: int
    place: str
    jobs: tuple[str, ...]
    log: str
    common: str
    blocked: tuple[str, ...]


def summarize(jobs: Iterable[TrackedJob]) -> Summary:
    """Count the jobs of a run."""
    listed = list(jobs)
    counts = Counter(job.state for job in listed)
    reused = [job for job in listed if job.reused and job.state is State.DONE]
    settled = ("done", "failed", "blocked", "cancelled")
    numbers = {word: counts[State(word)] for word in settled}
    unfinished = len(listed) - sum(numbers.values())
    return Summary(reused=len(reused), imported=_imported(reused), unfinished=unfinished, **numbers)


def _imported(reused: Sequence[TrackedJob]) -> int:
    """How many of the reused jobs were imported. Only a workspace with imports is asked for each job."""
    if not reused or not (reused[0].directory.workspace / IMPORTS).exists():
        return 0
    return sum(job.directory.is_imported() for job in reused)


def causes(jobs: Mapping[str, TrackedJob]) -> list[Cause]:
    """Group the failed and cancelled jobs of a run by cause, the largest group first."""
    groups: dict[tuple[str, str], list[TrackedJob]] = {}
    blocked: dict[str, list[str]] = {}
    for job in jobs.values():
        if job.state in (State.FAILED, State.CANCELLED):
            groups.setdefault(_cause(job), []).append(job)
        elif job.state is State.BLOCKED:
            blocked.setdefault(job.root, []).append(job.label)
    everyone = list(jobs.values())
    found = [_grouped(group, place, everyone, blocked) for (_, place), group in groups.items()]
    for root, labels in blocked.items():
        if root not in jobs:
            found.append(Cause(_OUTSIDE, 0, "", (root,) if root else (), "", "", tuple(labels)))
    return sorted(found, key=lambda cause: -len(cause.jobs))


def lines(
    name: str,
    summary: Summary,
    found: Sequence[Cause],
    elapsed: str,
    commands: Commands,
    notes: Sequence[str] = (),
) -> list[str]:
    """The report at the end of a run."""
    text = [f"{name}  {summary}   in {elapsed}", *lines_of(found, commands), *notes]
    if summary.failed:
        text.append(f"next    {rerun()}, which retries what failed, or: {commands.retry_failed(name)}")
    return text


def lines_of(found: Iterable[Cause], commands: Commands) -> list[str]:
    """The lines of the report that say what has failed, and why."""
    text = []
    for cause in found:
        text.append(f"✗ {cause.error}     {_count(cause)}")
        if cause.place:
            text.append(f"      {cause.place}")
        if cause.log:
            text.append(f"      log: {cause.log}")
        if cause.blocked:
            text.append(f"      blocked by {'it' if len(cause.jobs) < 2 else 'them'}: {listed(cause.blocked, NAMED)}")
        if cause.jobs:
            text.append(f"      more: {commands.show(cause.jobs[0])}")
    return text


def show_failures_plainly() -> None:
    """Let an uncaught FailedExperiment show its report alone: its traceback shows code of xpm, not the failures."""
    shown_before = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if kind is FailedExperiment and not debugging():
            print(str(error) if shows_glyphs(sys.stderr) else plain(str(error)), file=sys.stderr)
        else:
            shown_before(kind, error, trace)

    if getattr(shown_before, "__module__", "") != __name__:
        sys.excepthook = show


_OUTSIDE = "a job of another run did not succeed"


def _count(cause: Cause) -> str:
    """How many jobs there are, and what distinguishes them."""
    if cause.error == _OUTSIDE:
        return ""
    count = plural(len(cause.jobs), "job")
    others = {0: "", 1: ", 1 of them with another message"}.get(cause.others, f", {cause.others} other messages")
    common = f", all with {cause.common}" if len(cause.jobs) > 1 else f", {cause.common}"
    return count + others + (common if cause.common else "")


def _grouped(
    group: Sequence[TrackedJob], place: str, everyone: Sequence[TrackedJob], blocked: Mapping[str, list[str]]
) -> Cause:
    messages = list(dict.fromkeys(map(error_of, group)))
    return Cause(
        error=messages[0],
        others=len(messages) - 1,
        place=place,
        jobs=tuple(job.identity for job in group),
        log=next((str(job.directory.err) for job in group if job.directory.err.exists()), ""),
        common=_common(group, everyone),
        blocked=tuple(label for job in group for label in blocked.get(job.identity, ())),
    )


def _cause(job: TrackedJob) -> tuple[str, str]:
    """What failures of one cause share: the error's type and place; without a place, the error in a line."""
    place = place_of(job)
    return (str(job.error.get("type")), place) if place else (error_of(job), "")


def place_of(job: TrackedJob) -> str:
    """The line of the user's code that raised a job's error, and its function; empty if it is not known."""
    error = job.error
    if job.state is not State.FAILED or not error.get("file"):
        return ""
    place = format_line((str(error["file"]), int(error.get("line") or 0)))
    return line(f"{place} in {error.get('function', '?')}", LONGEST)


def error_of(job: TrackedJob) -> str:
    """What went wrong, in a line."""
    if job.state is State.CANCELLED:
        return "cancelled"
    kind = bare_class(line(job.error.get("type") or "failed", LONGEST))
    said = str(job.error.get("message") or "").replace(f", needed by {job.label}", "")  # differs from job to job
    words = said.strip().splitlines()
    return line(f"{kind}: {words[0]}" if words else kind, LONGEST)


def _common(group: Sequence[TrackedJob], everyone: Sequence[TrackedJob]) -> str:
    """The tags of one job. Of several jobs, the tags that all of them have, and not every job of the run."""
    shared = [item for item in group[0].tags.items() if all(_has(job, item) for job in group)]
    if len(everyone) > len(group) > 1:
        shared = [item for item in shared if not all(_has(job, item) for job in everyone)]
    return line(" ".join(f"{name}={value}" for name, value in sorted(shared)), LONGEST)


def _has(job: TrackedJob, item: tuple[str, Any]) -> bool:
    return item[0] in job.tags and job.tags[item[0]] == item[1]
