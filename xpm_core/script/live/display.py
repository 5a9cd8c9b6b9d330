"""What a waiting script shows: lines that move on a terminal, HTML in a notebook, plain lines elsewhere, or nothing.

Owns: which of these it is, and when something is shown. `run_view.py` has the facts; `follow/tracker.py` has the jobs.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from xpm_core.script.follow.foreseer import Foreseer
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.script.live.asker import Asker
from xpm_core.script.live.notebook import NotebookOutput
from xpm_core.script.live.plain_lines import PlainLines
from xpm_core.script.live.run_html import run_html, run_text
from xpm_core.script.live.run_screen import RunScreen
from xpm_core.script.live.run_view import RunView
from xpm_core.script.live.terminal import WARNING, Terminal, is_terminal
from xpm_core.tracebacks.prompt import in_notebook
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Reason
from xpm_core.words.text import say

log = logging.getLogger("xpm")

REFRESH_S = 0.25
SHARE = 10
"""A drawing that takes long is repeated less often: it gets one part in so many of the time."""
WATCHED = "Interrupt the cell to stop watching: the jobs go on."
UNWATCHED = "Stopped watching. The jobs go on."


def is_quiet() -> bool:
    """Whether XPM_QUIET asks for no progress."""
    return os.environ.get("XPM_QUIET", "") not in ("", "0")


@dataclass
class Output:
    """Where a run is shown: on a terminal or in a notebook, if there is one; else in plain lines."""

    plain: PlainLines
    terminal: Terminal | None = field(default_factory=lambda: Terminal() if is_terminal() else None)
    notebook: NotebookOutput | None = field(default_factory=lambda: NotebookOutput() if in_notebook() else None)


class Display:
    """Shows a run while its script waits. Use as a context manager, and call `update` now and then.

    Args:
        name: Of the experiment.
        tracker: Knows the jobs to show.
        commands: Writes the command lines.
        ask: Returns why a job does not run, see `Asker`.
        foreseer: Knows when the jobs may have ended.
        progress: Whether the progress of the run is shown. Warnings are always shown.
    """

    def __init__(
        self,
        name: str,
        tracker: Tracker,
        commands: Commands,
        ask: Callable[[str], Reason],
        foreseer: Foreseer,
        *,
        progress: bool = True,
    ) -> None:
        self._name, self._tracker, self._commands = name, tracker, commands
        self._progress = progress and not is_quiet()
        self._asker, self._foreseer, self._output = Asker(ask), foreseer, Output(PlainLines(name))
        self._began = time.monotonic()
        self._due = 0.0
        self._unserved: set[str] = set()
        self._paused: set[str] = set()
        self._lock, self._waits = threading.Lock(), 0
        if self._progress:
            tracker.on_change = self._note

    def __enter__(self) -> Display:
        with self._lock:
            self._waits += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._waits -= 1
            if self._waits:  # a callback has waited, while the script waits
                return
        self.update(last=True, stopped=kind is not None)
        with self._harmless():
            if self._output.terminal is not None:
                self._output.terminal.end()

    def catch_up(self) -> None:
        """Show changes that came while nobody waited, if nothing else will show them."""
        with self._harmless():
            terminal = self._output.terminal
            if terminal is not None and terminal.mine():
                self._output.plain.forget()
                terminal.end()
            elif self._progress and self._tracker.jobs:
                self._show(last=True, stopped=False)

    def tell(self, message: str) -> None:
        """Print a line now, whatever is shown, and although nothing else is. Any thread may call it."""
        with self._harmless():
            self._say(message, style="")

    def leave(self) -> None:
        """The script leaves, and closes its connections soon."""
        self._asker.leave()
        self._foreseer.leave()

    def update(self, *, last: bool = False, stopped: bool = False) -> None:
        """Show the changes. Calling it too often costs little.

        Args:
            last: Whether the script no longer waits.
            stopped: Whether it stops before its jobs have ended.
        """
        began = time.monotonic()
        if not last and began < self._due:
            return
        with self._harmless():
            if self._progress:
                self._show(last, stopped)
            self._warn()
        took = time.monotonic() - began
        self._due = began + max(REFRESH_S, SHARE * took)

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        """Whatever goes wrong while a run is shown does not end its script: a terminal may be closed, for example."""
        try:
            yield
        except Exception:  # the display's edge: a run that nobody sees is better than a run that ends
            self._progress, terminal, self._output.terminal = False, self._output.terminal, None
            if terminal is not None:
                terminal.leave()
            log.warning("%s: its progress can no longer be shown; the jobs go on", self._name, exc_info=True)

    # -- showing ---------------------------------------------------------------------------------------------------

    def _show(self, last: bool, stopped: bool) -> None:
        output, jobs = self._output, self._tracker.snapshot()
        if output.notebook is not None:
            note = "" if last and not stopped else UNWATCHED if stopped else WATCHED
            view = self._view(jobs)
            output.notebook.show(run_html(view, self._commands, note), run_text(view))
        elif output.terminal is not None and output.terminal.mine():
            output.terminal.draw(RunScreen(self._view(jobs), output.terminal.width, output.terminal.glyphs).lines())
        else:
            output.plain.show(jobs, last=last)
            return
        output.plain.forget()

    def _view(self, jobs: dict[str, TrackedJob]) -> RunView:
        listed = list(jobs.values())
        self._asker.look(listed)
        elapsed_s = time.monotonic() - self._began
        forecast = self._foreseer.look(listed)
        return RunView(self._name, listed, elapsed_s, self._tracker.obstacles, self._asker.answer, forecast)

    def _note(self, job: TrackedJob) -> None:
        """A job has come into another state."""
        self._output.plain.note(job, self._tracker.jobs)

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

    def _say(self, message: str, style: str = WARNING) -> None:
        terminal = self._output.terminal
        if terminal is not None and self._output.notebook is None:
            terminal.say(message, style)
        else:
            say(message)
