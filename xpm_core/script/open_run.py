"""A run of a script while it is open: its parts, which are made one after the other and closed in reverse.

Owns: what happens to these parts when a script submits, waits and leaves. The jobs of the run are in the tracker, which
the follower keeps up to date (follow/). How a task is submitted is in submit/submitter.py, and what is said at the end
in ending.py.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from typing import TYPE_CHECKING, NamedTuple

from xpm_core.errors import XpmError
from xpm_core.index.writers import EndWriter, UnreportedEnds
from xpm_core.reading.why.reader import ReasonReader
from xpm_core.script.announce.announcer import Announcer
from xpm_core.script.code.on_change import OnChange
from xpm_core.script.ending import Ending
from xpm_core.script.follow.events import Events
from xpm_core.script.follow.follower import Follower
from xpm_core.script.follow.foreseer import foreseer_of
from xpm_core.script.follow.outage import Outage
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.script.live.display import Display
from xpm_core.script.local_workers import LocalWorkers
from xpm_core.script.page_process import PageProcess
from xpm_core.script.show.leaving import undisturbed, unfinished
from xpm_core.script.show.report import Summary, show_failures_plainly, summarize
from xpm_core.script.show.run_log import log_to
from xpm_core.script.submit.options import Options
from xpm_core.script.submit.submitter import Submitter
from xpm_core.script.this_process import about, cpus
from xpm_core.server.connection import OUTAGES
from xpm_core.server.url import safe_url
from xpm_core.store.connector import Connector
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.tracebacks.callsite import CodeLine
from xpm_core.words.commands import Commands
from xpm_core.words.text import say
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from xpm_core.config import Task

log = logging.getLogger("xpm")

DRAIN_S = 5.0
"""How long the script waits, when it leaves, for its own workers to end, in seconds."""

LATE_S = 1.0
"""How long the script waits at its end for events that are behind what it knows, in seconds."""

_UNSENT: tuple[type[Exception], ...] = (XpmError, *OUTAGES)
"""Errors of submissions that could not be sent."""


class Wanted(NamedTuple):
    """What the script wants of a run: arguments of `experiment`, which explains them."""

    name: str
    queue: str
    redis: str | None
    workers: int | None
    lease_s: float
    progress: bool
    on_change: OnChange
    port: int | None = None


class OpenRun:
    """A run of a script, from its first line in the block to the last.

    Args:
        workspace: The workspace.
        wanted: What the script wants.

    Attributes:
        connector: The server.
        tracker: The jobs.
        submitter: Submits them.
        local: The script's own workers.
        follower: Follows the events of the jobs.
        directory: The directory of the run.

    Raises:
        RedisUnavailableError: The server does not answer.
        WorkspaceError: The workspace cannot be used.
    """

    def __init__(self, workspace: Workspace, wanted: Wanted) -> None:
        self._workspace, self._name, self._wanted = workspace, wanted.name, wanted
        self._began_s = time.monotonic()
        self._unfinished_named = self._waited = False
        with ExitStack() as stack:
            self._connect(stack)
            self._begin(stack)
            self._stack = stack.pop_all()
        show_failures_plainly()

    # -- entering --------------------------------------------------------------------------------------------------

    def _connect(self, stack: ExitStack) -> None:
        wanted, workspace = self._wanted, self._workspace
        connector = self.connector = Connector.of_workspace(workspace, wanted.redis, wanted.lease_s)
        stack.callback(connector.close)
        self._store = Store(connector.client, workspace.id)
        self._commands = Commands.of_script(workspace.path, "" if wanted.redis is None else safe_url(wanted.redis))
        slots = wanted.workers
        if slots is None:
            slots = cpus() if connector.embedded is not None else 0
        url = "" if connector.embedded is not None else connector.url
        self.local = LocalWorkers(workspace, slots, wanted.queue, url=url, lease_s=wanted.lease_s)

    def _begin(self, stack: ExitStack) -> None:
        self._run = self._store.open_run(self._name, new_execution_id(), about())
        folder = self._workspace.experiment(self._name)
        self.directory = folder.new_run()
        log_to(self.directory.log, stack)
        self._follow(stack)
        self._show(stack)
        self.submitter = Submitter(
            self._workspace, self._store, folder, self._run, self.directory, self.tracker, self.start_workers
        )
        self.submitter.on_change, self.submitter.commands = self._wanted.on_change, self._commands
        self._ending = Ending(
            self._name, self.tracker, self._store, self._ends, self.connector, self._commands, self.submitter.notes,
            self._began_s,
        )  # fmt: skip
        stack.callback(self._end_workers)
        announcer = Announcer(self._name, self._workspace.path, self.directory.path, self._commands, self._began_s)
        self._ending.announce = announcer.ended
        self.tracker.on_failure = announcer.failed
        stack.callback(announcer.close)
        stack.callback(self._send_the_rest)
        if self._wanted.port is not None:
            self._serve_page(self._wanted.port, stack)

    def _follow(self, stack: ExitStack) -> None:
        connector = self.connector
        revive = None if connector.embedded is None else connector.embedded.revive
        self.tracker = Tracker(self._run.cursor, Outage(self._name, connector.blocking, revive))
        self._ends = EndWriter(self._workspace.path, f"run-{self._run.id}")
        unreported = UnreportedEnds(self._workspace, self._ends)
        self.follower = Follower(self.tracker, self._store, connector.blocking, self._wanted.lease_s, unreported)
        self.follower.start()
        stack.callback(self._stop_following)

    def _show(self, stack: ExitStack) -> None:
        client = self.connector.brief
        reason, foreseer = ReasonReader(client, self._workspace.id).reason, foreseer_of(client, self._workspace)
        progress = self._wanted.progress
        self._display = Display(self._name, self.tracker, self._commands, reason, foreseer, progress=progress)
        stack.callback(self._display.leave)

    def _serve_page(self, port: int, stack: ExitStack) -> None:
        url = "" if self.connector.embedded is not None else self.connector.url
        log_file, place = self.directory.path / "page.log", self._workspace.path
        self._page = PageProcess(self._name, place, port, url=url, log_file=log_file, tell=self._display.tell)
        self._page.start()
        stack.callback(self._page.close)

    # -- submitting ------------------------------------------------------------------------------------------------

    def submit(self, task: Task, options: Options, place: CodeLine) -> TrackedJob:
        """Submit a task; see `Submitter.submit`."""
        return self.submitter.submit(task, options, place)

    def start_workers(self, queues: set[str]) -> None:
        """Start this script's own workers, if they do not run and one of these queues is theirs."""
        if self._wanted.queue in queues and self.local.ensure():
            self.tracker.expect_workers(self._wanted.queue)

    # -- waiting ---------------------------------------------------------------------------------------------------

    def wait(self) -> Summary:
        """Wait until all jobs are settled and all callbacks were made; see `experiment.wait`."""
        self._watch(self._quiet, self.tracker.settled)
        return summarize(self.tracker.snapshot().values())

    def wait_for(self, job: TrackedJob) -> bool:
        """Wait until a job is settled; whether it belongs to this run."""

        def over() -> bool:
            return job.state.settled or self.tracker.jobs.get(job.identity) is not job

        self._watch(over, over)
        return self.tracker.jobs.get(job.identity) is job

    def events(self, follow: bool, has_left: Callable[[], bool]) -> Events:
        """The events since the run began; see `experiment.events`.

        Args:
            follow: Whether to go on until the script has left the block.
            has_left: Whether it has.
        """
        self.submitter.flush()

        def over() -> bool:
            return has_left() or (not follow and self.tracker.settled())

        return Events(self.connector.url, self._workspace.id, self._run.cursor, lambda: list(self.tracker.jobs), over)

    def _watch(self, over: Callable[[], bool], until: Callable[[], bool]) -> None:
        """Show the run until a condition over its jobs holds, again and again until all is over."""
        try:
            self.submitter.flush()
            self.submitter.say_fates()
            self._name_unfinished()
            while not over():
                with self._display:
                    self.tracker.wait(until, self._tick, 0.1)
            self._display.catch_up()
            self.submitter.say_fates()  # of tasks that callbacks have submitted
        except KeyboardInterrupt:
            raise self._ending.interrupted() from None

    def _quiet(self) -> bool:
        """Whether all jobs are settled, also those that callbacks have submitted."""
        if not self.tracker.settled():
            return False
        self.tracker.callbacks.drain()
        self.submitter.flush()
        self.follower.confirm()
        if self.tracker.settled():
            self.tracker.await_events(LATE_S)
        return self.tracker.settled()

    def _tick(self) -> None:
        self._display.update()
        self.local.check()
        if self.local.left:  # they had nothing to do, before this run had more jobs
            self.start_workers({job.queue for job in self.tracker.jobs.values() if not job.state.settled})

    def _name_unfinished(self) -> None:
        """Name, once, the unfinished jobs of earlier runs."""
        if not self._unfinished_named and self._run.jobs:
            self._unfinished_named = True
            if text := unfinished(self._name, self._store, self.tracker.jobs, self._commands):
                say(text)

    # -- leaving ---------------------------------------------------------------------------------------------------

    def end(self, error: BaseException | None) -> None:
        """The block ends: wait and report, or say how it stands if an error ends it.

        Raises:
            FailedExperiment: Not all jobs are done.
        """
        ended_by = error
        try:
            if error is None:
                summary = self.wait()
                self._waited = True
                self._ending.report(summary)
            elif error is self._ending.interrupt:
                pass  # raised by `wait`, which has said everything
            elif isinstance(error, KeyboardInterrupt):
                self._ending.interrupted_by(error)
            else:
                self._ending.stopped_by(error)
        except BaseException as raised:
            ended_by = raised
            raise
        finally:
            self._ending.over(ended_by)

    def close(self) -> None:
        """Close all parts, the last one first."""
        with nullcontext() if self._waited else undisturbed():
            self._stack.close()

    def _send_the_rest(self) -> None:
        """Send the submissions that are on their way. If that fails, log it, because the script is leaving anyway."""
        try:
            self.submitter.close()
        except _UNSENT as error:
            log.warning("%s: not all tasks were submitted: %s", self._name, error)

    def _end_workers(self) -> None:
        """Let this script's own workers end; if the script stops early, let them go on."""
        if self._waited:
            with suppress(KeyboardInterrupt):
                self.local.drain(0 if self._others_run() else DRAIN_S)
        self.local.let_go()

    def _others_run(self) -> bool:
        """Whether a job of another script runs. It may run on our workers, so we do not wait for them."""
        try:
            return self._store.look(self._wanted.lease_s).running > 0
        except OUTAGES:
            return True

    def _stop_following(self) -> None:
        self.follower.stop()
        self.tracker.callbacks.close(make_all=self._waited)
