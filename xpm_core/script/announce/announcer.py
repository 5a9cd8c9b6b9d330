"""The announcer of one run: sends its first failure and its end, and calls the hooks `run_ended`.

Owns: the thread that does so, and how long the script waits for it when it leaves.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xpm_core.errors import SettingsError
from xpm_core.hooks import EndedRun, Hooks, LateCalls
from xpm_core.labels import title
from xpm_core.script.announce.sending import LIMIT_S, Sender
from xpm_core.script.announce.wishes import Wishes, wishes_of
from xpm_core.script.show.leaving import interruptible
from xpm_core.script.show.report import Summary, causes, lines_of
from xpm_core.words.text import line, span

if TYPE_CHECKING:
    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.words.commands import Commands

log = logging.getLogger("xpm")

STOP_S = 1.0
"""How long the script waits until a program has ended that it does not wait for any more, seconds."""

LONGEST_TITLE = 150
"""Characters of the title of a message."""


class _Message(NamedTuple):
    """What is sent. Its lines are made when it is sent, because no job changes while a failure is noted."""

    event: str
    title: str
    lines: Callable[[], Sequence[str]]
    outcome: str


class Announcer:
    """Sends what a user wishes to be sent of a run.

    Args:
        name: The experiment.
        workspace: The workspace.
        directory: The directory of the run.
        commands: Command lines for messages.
        began_s: When the run began, by `time.monotonic()`.

    Example:
        >>> tracker.on_failure = announcer.failed
        >>> announcer.ended("done", summary, report)
        >>> announcer.close()
    """

    def __init__(self, name: str, workspace: Path, directory: Path, commands: Commands, began_s: float) -> None:
        self._name, self._workspace, self._directory = name, workspace, directory
        self._commands, self._began_s = commands, began_s
        self._wishes = _wishes(workspace)
        self._hooks = LateCalls(Hooks(), "run_ended")
        self._waiting: queue.Queue[_Message | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._sender = Sender()
        self._has_failed = self._has_ended = False

    def failed(self, job: TrackedJob) -> None:
        """Note that a job has failed. The first one of a run is sent. This takes no time."""
        if self._has_failed or "failure" not in self._wishes.events:
            return
        self._has_failed = True
        known, about = {job.identity: job}, title(job.name, job.tags) if job.tags else job.label

        more = "Further failures are sent at its end." if "end" in self._wishes.events else "No further ones are sent."

        def text() -> Sequence[str]:
            return [*lines_of(causes(known), self._commands), f"The run goes on. {more}"]

        self._put(_Message("failure", line(f"{self._name}: {about} has failed", LONGEST_TITLE), text, "failed"))

    def ended(self, outcome: str, summary: Summary, report: str) -> None:
        """Note how the run has ended; only the first call counts.

        Args:
            outcome: done, failed, stopped or interrupted, see `EndedRun`.
            summary: How many jobs stand in which state.
            report: What the script prints at its end.
        """
        if self._has_ended:
            return
        self._has_ended = True
        seconds = time.monotonic() - self._began_s
        counts = {name: count for name, count in asdict(summary).items() if name != "imported"}
        run = EndedRun(self._name, self._workspace, self._directory, outcome, counts, seconds, report)
        self._hooks.put(run)
        if "end" in self._wishes.events and outcome != "interrupted":  # who has pressed Ctrl-C knows
            words = {"stopped": "the script has stopped: "}.get(outcome, "")
            counted = ", ".join(str(summary).split("   "))
            about = line(f"{self._name}: {words}{counted} in {span(seconds)}", LONGEST_TITLE)
            self._put(_Message("end", about, lambda: [report], outcome))

    def close(self) -> None:
        """Wait until all is sent, for some seconds at most. Ctrl-C ends the waiting, also after an earlier Ctrl-C.

        What is left then is not sent, and a program that still runs for it is ended.
        """
        with interruptible():
            ends = time.monotonic() + LIMIT_S
            if self._thread is not None:
                self._waiting.put(None)
            self._hooks.close()
            if self._thread is not None:
                self._thread.join(max(ends - time.monotonic(), 0.1))
        if self._thread is not None and self._thread.is_alive():
            log.warning("notify: not all was sent before the script left, which waits for %g s", LIMIT_S)
            self._sender.stop()
            self._thread.join(STOP_S)

    def _put(self, message: _Message) -> None:
        if not self._wishes.command and not self._wishes.apprise:
            return
        self._waiting.put(message)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (message := self._waiting.get()) is not None and not self._sender.stopped:
            try:
                self._send(message)
            except Exception as error:  # the edge of this thread: the script goes on
                log.warning("notify: it failed with %s: %s", type(error).__name__, message.event)

    def _send(self, message: _Message) -> None:
        head = [] if message.event == "end" else [message.title]  # a report begins with the counts itself
        text = "\n".join([*head, *message.lines()]) + "\n"
        if self._wishes.command:
            variables = {
                "XPM_EVENT": message.event,
                "XPM_EXPERIMENT": self._name,
                "XPM_WORKSPACE": str(self._workspace),
                "XPM_TITLE": message.title,
                "XPM_OUTCOME": message.outcome,
            }
            if problem := self._sender.by_command(self._wishes.command, text, variables):
                log.warning("%s", problem)
        if self._wishes.apprise:
            for problem in self._sender.by_apprise(self._wishes.apprise, message.title, "\n".join(message.lines())):
                log.warning("%s", problem)


def _wishes(workspace: Path) -> Wishes:
    """What is wished for. Wrong settings are said, and nothing is sent then."""
    try:
        wishes = wishes_of(workspace)
    except SettingsError as error:
        log.warning("%s Nothing is sent of this run.", error)
        return Wishes()
    if wishes.problem:
        log.warning("%s", wishes.problem)
    return wishes
