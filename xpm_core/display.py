"""What a waiting script shows on stderr: a few lines that move on a terminal, plain lines elsewhere.

Owns: the screens of SCREENS.md, "while `with experiment(...)` waits". What it shows comes from tracking.py.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from xpm_core.states import State
from xpm_core.text import plain, shows_glyphs, span
from xpm_core.tracking import TrackedJob, Tracker

if TYPE_CHECKING:
    from rich.live import Live

RUNNING_SHOWN, FAILED_SHOWN = 5, 3
REFRESH_S = 0.25
BAR = 24
PLAIN_EACH = 100
"""Up to so many jobs, each change has its line; beyond, a line tells the counts now and then."""
PLAIN_EVERY_S = 5.0

_STYLE = {State.RUNNING: "cyan", State.DONE: "green", State.FAILED: "red", State.CANCELLED: "magenta"}
_GLYPH = {State.DONE: "✓", State.FAILED: "✗", State.CANCELLED: "✗", State.RUNNING: "●", State.BLOCKED: "⧗"}


class Display:
    """Shows a run while its script waits. Use as a context manager, and call `update` now and then.

    Args:
        name: Of the experiment.
        tracker: What to show.
        workers_hint: The command that starts workers, told when nobody serves a queue.
    """

    def __init__(self, name: str, tracker: Tracker, workers_hint: str) -> None:
        self._name, self._tracker, self._hint = name, tracker, workers_hint
        self._glyphs = shows_glyphs(sys.stderr)
        self._live: Live | None = None
        self._began = time.monotonic()
        self._seen: dict[str, State] = {}
        self._told: set[str] = set()
        self._drawn = 0.0
        self._said = ""

    def __enter__(self) -> Display:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, highlight=False)
            self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=True)
            self._live.start()
        else:
            self._seen = {job.identity: job.state for job in self._tracker.jobs.values()}
        return self

    def __exit__(self, *_: object) -> None:
        self.update(last=True)
        if self._live:
            self._live.stop()

    def update(self, *, last: bool = False) -> None:
        """Show what has changed; cheap when called too often."""
        if not last and time.monotonic() - self._drawn < REFRESH_S:
            return
        self._drawn = time.monotonic()
        with self._tracker.changed:
            jobs = list(self._tracker.jobs.values())
            lines = [] if self._live is None else self._lines(jobs)
            changed = self._changed(jobs) if self._live is None else []
        if self._live is None:
            self._print(changed, jobs, last)
        else:
            from rich.text import Text

            text = Text("\n").join(Text(self._fit(line), style, no_wrap=True) for line, style in lines)
            self._live.update(text, refresh=True)
        self._warn()

    # -- a terminal ------------------------------------------------------------------------------------------------

    def _lines(self, jobs: list[TrackedJob]) -> list[tuple[str, str]]:
        counts = Counter(job.state for job in jobs)
        lines = [(self._head(counts, len(jobs)), "bold")]
        running = sorted((job for job in jobs if job.state is State.RUNNING), key=lambda job: job.since_s)
        now = time.time()
        for job in running[:RUNNING_SHOWN]:
            age = span(max(now - job.since_s, 0))
            lines.append((f"● {what(job):<44} {job.worker:<18} {age}", _STYLE[State.RUNNING]))
        if len(running) > RUNNING_SHOWN:
            lines.append((f"  and {len(running) - RUNNING_SHOWN} more running", ""))
        if counts[State.READY]:
            lines.append((f"⧗ {counts[State.READY]} ready   {self._ready(jobs, bool(running))}", "yellow"))
        failed = [job for job in jobs if job.state in (State.FAILED, State.CANCELLED)]
        lines += [
            (f"✗ {what(job):<44} {cause(job)}  (xpm show {job.identity[:7]})", _STYLE[State.FAILED])
            for job in failed[:FAILED_SHOWN]
        ]
        lines.append(("Ctrl-C once: stop watching, the jobs go on · twice: also cancel what has not started", "dim"))
        return lines

    def _head(self, counts: Counter[State], total: int) -> str:
        done = counts[State.DONE]
        ended = done + counts[State.FAILED] + counts[State.CANCELLED] + counts[State.BLOCKED]
        full = BAR * ended // max(total, 1)
        parts = [f"{self._name}  {'█' * full}{'·' * (BAR - full)}  {done}/{total}  {100 * done // max(total, 1)} %"]
        if counts[State.FAILED]:
            parts.append(f"✗ {counts[State.FAILED]}")
        if counts[State.BLOCKED]:
            parts.append(f"blocked {counts[State.BLOCKED]}")
        elapsed = time.monotonic() - self._began
        parts.append(f"elapsed {span(elapsed)}")
        fresh = sum(job.state is State.DONE and not job.reused for job in self._tracker.jobs.values())
        if fresh >= 3 and ended < total:
            parts.append(f"about {span(elapsed / fresh * (total - ended))} left")
        return "   ".join(parts)

    def _ready(self, jobs: list[TrackedJob], running: bool) -> str:
        """Why jobs are ready and do not run, as far as this script can tell for sure."""
        if self._tracker.unserved:
            return "no living worker serves them"
        held = {name for job in jobs if job.state is State.RUNNING for name in job.demand}
        wanted = {name for job in jobs if job.state is State.READY for name in job.demand}
        if held & wanted:
            return f"token {', '.join(sorted(held & wanted))} held by running jobs"
        return "all workers are busy" if running else "about to start"

    def _fit(self, line: str) -> str:
        return line if self._glyphs else plain(line)

    # -- no terminal -----------------------------------------------------------------------------------------------

    def _changed(self, jobs: list[TrackedJob]) -> list[TrackedJob]:
        changed = [job for job in jobs if self._seen.get(job.identity) is not job.state]
        self._seen.update((job.identity, job.state) for job in changed)
        return [job for job in changed if job.state.settled]

    def _print(self, changed: list[TrackedJob], jobs: list[TrackedJob], last: bool) -> None:
        counts = Counter(job.state for job in jobs)
        done = f"{self._name}  {counts[State.DONE]}/{len(jobs)}"
        for job in changed:
            if len(jobs) <= PLAIN_EACH or job.state is State.FAILED:
                reason = f"  {cause(job)}" if job.state is State.FAILED else ""
                self._say(f"{done}  {_GLYPH[job.state]} {job.state.value:<9} {what(job)}  {job.identity[:7]}{reason}")
        if len(jobs) > PLAIN_EACH and (last or time.monotonic() - self._began > PLAIN_EVERY_S):
            words = ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state])
            if words != self._said:
                self._said = words
                self._began = time.monotonic()
                self._say(f"{self._name}  {words}")

    def _say(self, line: str) -> None:
        print(self._fit(line), file=sys.stderr, flush=True)

    def _warn(self) -> None:
        """Tell once what keeps the run from going on: nobody serves a queue, or Redis is away."""
        for queue in self._tracker.unserved:
            if queue.queue not in self._told:
                self._told.add(queue.queue)
                self._tell(
                    f"{self._name}: {queue.ready} jobs are ready in queue '{queue.queue}', and no living worker serves "
                    f"it. Start one: {self._hint} --queue {queue.queue}"
                )
        outage = self._tracker.outage
        if outage and "outage" not in self._told:
            self._told.add("outage")
            self._tell(f"{self._name}: Redis is out of reach ({outage}). Waiting for it; running jobs go on.")
        elif not outage:
            self._told.discard("outage")

    def _tell(self, message: str) -> None:
        if self._live:
            self._live.console.print(self._fit(message), style="yellow")
        else:
            self._say(message)


def what(job: TrackedJob) -> str:
    """A job for people: its task and tags, `Train lr=0.01 model=mlp`."""
    return " ".join([job.name, *(f"{name}={_short(value)}" for name, value in job.tags.items())])


def cause(job: TrackedJob) -> str:
    """Why it failed, in a few words: `MemoryError train.py:88`."""
    if job.state is State.CANCELLED:
        return "cancelled"
    place = f" {str(job.error['file']).rpartition('/')[2]}:{job.error.get('line')}" if job.error.get("file") else ""
    return f"{job.error.get('type', 'failed')}{place}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"
