"""What a script says when the block of its experiment ends: the report, or what becomes of its jobs.

Owns: what is said in which case. The texts are made in `show`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from xpm_core.errors import FailedExperiment
from xpm_core.reading.jobs import JobReader
from xpm_core.script.show.leaving import going_on, interrupted, standing, stopped, undisturbed
from xpm_core.script.show.report import Summary, causes, lines, summarize
from xpm_core.script.show.unwritten import explain
from xpm_core.server.connection import ServerError
from xpm_core.states import State
from xpm_core.store.jobs import Store
from xpm_core.tracebacks.prompt import at_prompt, in_notebook
from xpm_core.words.text import say, span

if TYPE_CHECKING:
    from xpm_core.index.writers import EndWriter
    from xpm_core.script.follow.tracker import Tracker
    from xpm_core.server.connection import Client
    from xpm_core.store.connector import Connector
    from xpm_core.words.commands import Commands

log = logging.getLogger("xpm")

INTERRUPTED = 130
"""Exit code after Ctrl-C."""


class Ending:
    """The last words of one run.

    Args:
        name: The experiment's.
        tracker: The jobs of the run.
        store: The jobs on the server.
        ends: What this run does to jobs, in the index.
        connector: The script's connections to the server.
        commands: Command lines for messages.
        notes: Returns further lines for the report.
        began_s: When the run began, by `time.monotonic()`.
    """

    def __init__(
        self,
        name: str,
        tracker: Tracker,
        store: Store,
        ends: EndWriter,
        connector: Connector,
        commands: Commands,
        notes: Callable[[], Sequence[str]],
        began_s: float,
    ) -> None:
        self._name, self._tracker, self._store, self._connector = name, tracker, store, connector
        self._ends, self._commands, self._notes, self._began_s = ends, commands, notes, began_s
        self.announce: Callable[[str, Summary, str], None] = lambda outcome, summary, report: None
        """Called once with the outcome of the run, its counts and its report, before an error is raised."""
        self._announced = False
        self.interrupt: BaseException | None = None
        """The error that ends the script after Ctrl-C; None before that."""

    def report(self, summary: Summary) -> None:
        """Say what a run came to that was waited for.

        Raises:
            FailedExperiment: Not all jobs are done; its text is the report.
        """
        if not summary:
            self._learn_errors(self._store.client)
        text = self._report(summary)
        log.info("%s", text[0])
        self._announced = True
        self.announce("done" if summary else "failed", summary, "\n".join(text))
        if not summary:
            raise FailedExperiment(self._name, "\n".join(text))
        say("\n".join(text))

    def stopped_by(self, error: BaseException) -> None:
        """Say what becomes of the jobs after an error of the script. If a job's file is missing, say why."""
        self._say_failures()
        explain(error, self._tracker.snapshot(), self._commands)
        going = going_on(self._name, self._states(), self._commands)
        say(f"{self._name}: the script stopped with {type(error).__name__}. {going}")

    def interrupted(self) -> BaseException:
        """Ctrl-C was pressed: say what becomes of the jobs.

        Returns:
            The error that is to end the script. At a prompt or in a notebook it ends what was typed, not the process.
        """
        with suppress(KeyboardInterrupt), undisturbed():  # one more may come in the moment before it is ignored
            self._say_failures()
        if in_notebook():  # nobody presses Ctrl-C twice there, and a cell ends with its error
            with undisturbed():
                self.interrupt = KeyboardInterrupt(stopped(self._name, self._states(), self._commands))
        else:
            with suppress(KeyboardInterrupt):  # one more may come while the last words are said
                interrupted(self._name, self._states, self._store, self._ends, self._commands)
            self.interrupt = KeyboardInterrupt("stopped watching") if at_prompt() else SystemExit(INTERRUPTED)
        return self.interrupt

    def interrupted_by(self, error: KeyboardInterrupt) -> None:
        """Ctrl-C was pressed while the script's own code ran: at a prompt, the traceback shows where."""
        found = self.interrupted()
        if not isinstance(found, KeyboardInterrupt):
            raise found
        error.args = found.args

    def over(self, error: BaseException | None) -> None:
        """Announce the end of a run that had no report.

        Args:
            error: What ends it: Ctrl-C, or an error of the script or of what it waited for.
        """
        if self._announced:
            return
        interrupted = isinstance(error, KeyboardInterrupt) or (error is not None and error is self.interrupt)
        summary = summarize(self._tracker.snapshot().values())
        text = [*self._report(summary), f"{self._name}: the script stopped with {type(error).__name__}."]
        self._announced = True
        self.announce("interrupted" if interrupted else "stopped", summary, "\n".join(text))

    def _say_failures(self) -> None:
        """Say what has failed so far, because the block ends before its report."""
        jobs = self._tracker.snapshot().values()
        if not any(job.state in (State.FAILED, State.CANCELLED, State.BLOCKED) for job in jobs):
            return
        if not self._tracker.outage.reason:
            with suppress(ServerError):
                self._learn_errors(self._connector.brief)
        for line in self._report(summarize(self._tracker.snapshot().values())):
            say(line)

    def _states(self) -> dict[str, State]:
        return standing(self._tracker, Store(self._connector.brief, self._store.w))

    def _report(self, summary: Summary) -> list[str]:
        jobs = self._tracker.snapshot()
        done = [job.identity for job in jobs.values() if job.state is State.DONE]
        notes = [*self._notes(), *self._tracker.refused.lines(done)]
        elapsed = span(time.monotonic() - self._began_s)
        return lines(self._name, summary, causes(jobs), elapsed, self._commands, notes)

    def _learn_errors(self, client: Client) -> None:
        """Read the errors of jobs that had failed before this run: no event of the run says them."""
        jobs = self._tracker.snapshot().values()
        unknown = [job.identity for job in jobs if job.state is State.FAILED and not job.error]
        self._tracker.learn_errors(JobReader(client, self._store.w).read(unknown))
