"""What a waiting script shows on stderr: a few lines that move on a terminal, plain lines elsewhere.

Owns: when something is shown. `run_screen.py` writes the lines of a terminal; `follow/tracker.py` knows the jobs.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from xpm_core.labels import short
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.script.show.run_screen import RunScreen, cause, what
from xpm_core.states import State
from xpm_core.words.text import plain, say, shows_glyphs

if TYPE_CHECKING:
    from rich.live import Live

    from xpm_core.words.commands import Commands

REFRESH_S = 0.25
PLAIN_EACH = 100
"""Up to so many jobs, each change has its line. With more jobs, a line shows the counts now and then."""
PLAIN_EVERY_S = 5.0

_GLYPH = {State.DONE: "✓", State.FAILED: "✗", State.CANCELLED: "✗", State.BLOCKED: "⧗"}


class Display:
    """Shows a run while its script waits. Use as a context manager, and call `update` now and then.

    Args:
        name: Of the experiment.
        tracker: Knows the jobs to show.
        commands: Writes the command lines.
    """

    def __init__(self, name: str, tracker: Tracker, commands: Commands) -> None:
        self._name, self._tracker, self._commands = name, tracker, commands
        self._glyphs = shows_glyphs(sys.stderr)
        self._live: Live | None = None
        self._began = self._counted = time.monotonic()
        self._drawn = 0.0
        self._seen: dict[str, State] = {}
        self._unserved: set[str] = set()
        self._paused: set[str] = set()
        self._said = ""

    def __enter__(self) -> Display:
        if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, highlight=False, markup=False, emoji=False)
            # Rich prints the script's own output above these lines; but not if stdout is a file.
            self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=sys.stdout.isatty())
            self._live.start()
        else:
            self._seen = self._tracker.states()
        return self

    def __exit__(self, *_: object) -> None:
        self.update(last=True)
        if self._live:
            self._live.stop()

    def update(self, *, last: bool = False) -> None:
        """Show the changes. Calling it too often costs little."""
        if not last and time.monotonic() - self._drawn < REFRESH_S:
            return
        self._drawn = time.monotonic()
        if self._live is not None:
            self._draw(self._live)
        else:
            self._print(last)
        self._warn()

    # -- a terminal ------------------------------------------------------------------------------------------------

    def _draw(self, live: Live) -> None:
        from rich.text import Text

        jobs = list(self._tracker.snapshot().values())
        screen = RunScreen(self._name, jobs, live.console.width, self._glyphs)
        lines = screen.lines(time.monotonic() - self._began, self._tracker.obstacles)
        styled = (Text(line, style, no_wrap=True, overflow="crop") for line, style in lines)
        live.update(Text("\n").join(styled), refresh=True)

    # -- no terminal -----------------------------------------------------------------------------------------------

    def _print(self, last: bool) -> None:
        before, jobs = self._seen, self._tracker.snapshot()
        self._seen = {identity: job.state for identity, job in jobs.items()}
        counts, total = Counter(self._seen.values()), len(self._seen)
        for identity, state in self._seen.items():
            if state.settled and before.get(identity) is not state and (total <= PLAIN_EACH or state is State.FAILED):
                say(f"{self._name}  {counts[State.DONE]}/{total}  {self._line(jobs[identity], state)}")
        if total > PLAIN_EACH and (last or time.monotonic() - self._counted > PLAIN_EVERY_S):
            words = ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state])
            self._counted = time.monotonic()
            if words != self._said:
                self._said = words
                say(f"{self._name}  {words}")

    def _line(self, job: TrackedJob, state: State) -> str:
        reason = f"  {cause(job)}" if state is State.FAILED else ""
        return f"{_GLYPH[state]} {state.value:<9} {what(job)}  {short(job.identity)}{reason}"

    # -- both ------------------------------------------------------------------------------------------------------

    def _warn(self) -> None:
        """Warn once about each queue that no worker serves, and about each pause of a queue."""
        for reason in self._tracker.unserved:
            if reason.queue not in self._unserved:
                self._unserved.add(reason.queue)
                self._say(f"{self._name}: {reason.warning(self._commands.start_worker(reason.queue))}")
        known, self._paused = self._paused, {pause.queue for pause in self._tracker.paused}
        for pause in self._tracker.paused:
            if pause.queue not in known:
                self._say(f"{self._name}: {pause.warning(self._commands.resume_queue(pause.queue))}")

    def _say(self, message: str) -> None:
        if self._live:
            # The terminal wraps the message, so that a command in it can be copied.
            self._live.console.print(message if self._glyphs else plain(message), style="yellow", soft_wrap=True)
        else:
            say(message)
