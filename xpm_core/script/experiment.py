"""The `experiment` context: submit tasks, wait for them, find results.

Owns: what happens when a script enters, submits, waits and leaves. The jobs of the run are in the tracker, which the
follower keeps up to date (follow/). How a task is submitted is in submit/submitter.py. What is said at the end is in
ending.py.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from xpm_core.config import experiments, outputs
from xpm_core.defaults import DEFAULT_LEASE_S, DEFAULT_QUEUE
from xpm_core.errors import ExperimentError, XpmError
from xpm_core.job.inside import refuse_inside_job
from xpm_core.project.workspace_names import directory_of
from xpm_core.reading.why.reader import ReasonReader
from xpm_core.script.announce.announcer import Announcer
from xpm_core.script.code.choice import Choice, chosen
from xpm_core.script.code.on_change import WARN, OnChange
from xpm_core.script.ending import Ending
from xpm_core.script.follow.events import Events
from xpm_core.script.follow.follower import Follower
from xpm_core.script.follow.foreseer import foreseer_of
from xpm_core.script.follow.outage import Outage
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.script.live.display import Display
from xpm_core.script.live.run_html import experiment_html
from xpm_core.script.local_workers import LocalWorkers
from xpm_core.script.show.leaving import undisturbed, unfinished
from xpm_core.script.show.report import Summary, show_failures_plainly, summarize
from xpm_core.script.show.run_log import log_to
from xpm_core.script.submit.arguments import check, check_variable, names_of, refuse_unknown
from xpm_core.script.submit.options import Options
from xpm_core.script.submit.submitter import Submitter
from xpm_core.script.this_process import about, cpus, dry_run_wanted
from xpm_core.server.connection import OUTAGES
from xpm_core.server.url import safe_url
from xpm_core.store.connector import Connector
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.tracebacks.callsite import caller, format_line
from xpm_core.tracebacks.edges import edge
from xpm_core.words.commands import Commands
from xpm_core.words.names import check_experiment_name, check_queue_name
from xpm_core.words.text import say
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from types import TracebackType

    from xpm_core.config import Task
    from xpm_core.script.rehearsal.plan import Plan
    from xpm_core.script.rehearsal.rehearsal import Rehearsal
    from xpm_core.workspace.experiment_directory import RunDirectory

log = logging.getLogger("xpm")

DRAIN_S = 5.0
"""How long the script waits, when it leaves, for its own workers to end, in seconds."""

_UNSENT: tuple[type[Exception], ...] = (XpmError, *OUTAGES)
"""Errors of submissions that could not be sent."""


class experiment:
    """An experiment in a workspace, as a context manager. When the block ends, it waits for the jobs.

    Args:
        workdir: The workspace's directory, which is made if it does not exist; or its name in the user's settings.
        name: The experiment's name: letters, digits, `.`, `_` and `-`.
        port: Port of the page that shows the run; the page comes with a later version.
        redis: URL of the Redis server, such as `redis://head:6379/0`. Without it, XPM_REDIS_URL counts, then a
            settings file; if none names a server, the workspace gets an embedded one.
        workers: How many slots to start on this machine, to serve `queue`. Default: the number of CPUs if the server
            is embedded, otherwise 0.
        queue: Default queue of tasks submitted without `queue=`.
        lease_s: After how many seconds of silence a worker loses its job, which then runs elsewhere.
        progress: Whether the progress of the run is shown while the script waits. XPM_QUIET=1 in the environment
            switches it off, too. The report at the end, warnings and errors are shown in any case.
        code: "snapshot": each job uses the project's files as they were when its task was submitted. "live": it uses
            the files as they are when it starts. Default: "snapshot", or "live" if XPM_SNAPSHOT=0 is set.
        on_code_change: What is done with a done job that ran code or read files of the project which have changed
            since. "warn": the report says so. "rerun": the job runs again. "error": the line that submits it, or a
            later one, raises an error. "ignore": nothing is said. The attribute `on_code_change` of a class goes
            before it. Changes that a job never ran, or that cannot be judged, are only told.
        dry_run: Whether nothing is submitted or made: the script says at the end what it would do. XPM_DRY_RUN=1 in
            the environment asks for that, too.

    Attributes:
        name: The experiment's name.
        dry_run: Whether this is a dry run.
        queue: The default queue.
        workspace: The workspace, once the block has begun. Its `path` is the directory.

    Raises:
        ExperimentError: An argument cannot work, or another experiment is open.
        InvalidNameError: A name has characters that it may not have.
        WorkspaceError: The workspace cannot be used.
        RedisUnavailableError: The server does not answer.
        FailedExperiment: At the end of the block, when not all jobs are done.

    Example:
        with experiment("workspace", "digits") as xp:
            learn = Learn.C(epochs=10).submit()
            if xp.wait():
                print(learn.jobpath)
    """

    @edge
    def __init__(
        self,
        workdir: str | os.PathLike[str],
        name: str,
        *,
        port: int | None = None,
        redis: str | None = None,
        workers: int | None = None,
        queue: str = DEFAULT_QUEUE,
        lease_s: float = DEFAULT_LEASE_S,
        progress: bool = True,
        code: Choice | None = None,
        on_code_change: OnChange = WARN,
        dry_run: bool = False,
        **unknown: NoReturn,
    ) -> None:
        if unknown:
            refuse_unknown("experiment(): unknown argument", unknown, names_of(experiment.__init__), caller())
        self.name = check_experiment_name(name)
        self.queue = check_queue_name(queue)
        check(workdir=workdir, port=port, redis=redis, workers=workers, lease_s=lease_s, progress=progress, code=code)
        check(on_code_change=on_code_change, dry_run=dry_run)
        self.dry_run = dry_run or dry_run_wanted()
        self.rehearsal: Rehearsal | None = None
        self._workdir, self._port, self._redis, self._workers = workdir, port, redis, workers
        self._lease_s, self._progress, self._on_change = lease_s, progress, on_code_change
        self._options = Options(queue=self.queue, code=chosen(code, format_line(caller())))
        self._lock = threading.RLock()
        self._run_directory: RunDirectory | None = None

    # -- entering --------------------------------------------------------------------------------------------------

    @edge
    def __enter__(self) -> experiment:
        where = format_line(caller())
        refuse_inside_job(where)
        if experiments:
            raise ExperimentError(where, f"experiment {experiments[-1].name!r} is open", "Leave it first.")
        if self.dry_run:
            return self._rehearse()
        self._began_s = time.monotonic()
        self._unfinished_named = self._waited = False
        self._interrupt: BaseException | None = None
        self.workspace = Workspace.open(directory_of(self._workdir, create=True))
        with ExitStack() as stack:
            self._connect(stack)
            self._begin_run(stack)
            self._stack = stack.pop_all()
        experiments.append(self)
        show_failures_plainly()
        if self._port is not None:
            log.warning("%s: port=%d: the page that it serves comes with a later version", self.name, self._port)
        return self

    def _rehearse(self) -> experiment:
        """Begin a dry run."""
        from xpm_core.script.rehearsal.rehearsal import Rehearsal  # late, because most runs are none

        place = directory_of(self._workdir, create=True)
        self.rehearsal = Rehearsal(place, self.name, self.queue, self._redis, self._workers, cpus())
        self.workspace = self.rehearsal.workspace
        experiments.append(self)
        return self

    def _connect(self, stack: ExitStack) -> None:
        connector = self._connector = Connector.of_workspace(self.workspace, self._redis, self._lease_s)
        stack.callback(connector.close)
        self._store = Store(connector.client, self.workspace.id)
        self._commands = Commands.of_script(self.workspace.path, "" if self._redis is None else safe_url(self._redis))
        slots = self._workers
        if slots is None:
            slots = cpus() if connector.embedded is not None else 0
        url = "" if connector.embedded is not None else connector.url
        self._local = LocalWorkers(self.workspace, slots, self.queue, url=url, lease_s=self._lease_s)

    def _begin_run(self, stack: ExitStack) -> None:
        self._run = self._store.open_run(self.name, new_execution_id(), about())
        folder = self.workspace.experiment(self.name)
        self._run_directory = folder.new_run()
        log_to(self._run_directory.log, stack)
        self._follow(stack)
        self._show(stack)
        self._submitter = Submitter(
            self.workspace, self._store, folder, self._run, self._run_directory, self.tracker, self._start_workers
        )
        self._submitter.on_change = self._on_change
        self._ending = Ending(
            self.name, self.tracker, self._store, self._connector, self._commands, self._submitter.notes, self._began_s
        )
        stack.callback(self._end_workers)
        announcer = Announcer(self.name, self.workspace.path, self._run_directory.path, self._commands, self._began_s)
        self.tracker.on_failure, self._ending.announce = announcer.failed, announcer.ended
        stack.callback(announcer.close)
        stack.callback(self._send_the_rest)

    def _follow(self, stack: ExitStack) -> None:
        connector = self._connector
        revive = None if connector.embedded is None else connector.embedded.revive
        self.tracker = Tracker(self._run.cursor, Outage(self.name, connector.blocking, revive))
        self._follower = Follower(self.tracker, self._store, connector.blocking, self._lease_s)
        self._follower.start()
        stack.callback(self._stop_following)

    def _show(self, stack: ExitStack) -> None:
        client = self._connector.brief
        reason, foreseer = ReasonReader(client, self.workspace.id).reason, foreseer_of(client, self.workspace)
        self._display = Display(self.name, self.tracker, self._commands, reason, foreseer, progress=self._progress)
        stack.callback(self._display.leave)

    @property
    @edge
    def connector(self) -> Connector:
        """The server in use; it creates tokens. In a dry run, it only checks the requests.

        Raises:
            ExperimentError: The experiment is not open.
        """
        self._refuse_closed()
        return self._connector if self.rehearsal is None else cast("Connector", self.rehearsal.connector)

    @property
    @edge
    def resultspath(self) -> Path:
        """This run's own folder for results; it is made at the first use.

        Raises:
            ExperimentError: The experiment was never open.
            DryRunError: This is a dry run, which has no folder.
            WorkspaceError: The folder cannot be made.
        """
        self._refuse_dry("the script asks for xp.resultspath")
        if self._run_directory is None:
            raise self._closed_error()
        return self._run_directory.results

    @edge
    def plan(self) -> Plan:
        """What the script would do, as far as it has got in a dry run: jobs, time, and what would be in the way.

        Returns:
            The plan. `str(plan)` is what is printed at the end of a dry run, `plan.as_data()` the same for programs.

        Raises:
            ExperimentError: This is no dry run.

        Example:
            with experiment("workspace", "digits", dry_run=True) as xp:
                Learn.C(epochs=10).submit()
                print(xp.plan())
        """
        if self.rehearsal is None:
            wrong = "only a dry run has a plan, and this run submits its tasks"
            raise ExperimentError(format_line(caller()), wrong, "Pass dry_run=True, or set XPM_DRY_RUN=1.")
        return self.rehearsal.plan()

    def _refuse_dry(self, what: str) -> None:
        if self.rehearsal is not None:
            from xpm_core.script.rehearsal.rehearsal import not_foreseen

            raise not_foreseen(what)

    def _refuse_closed(self) -> None:
        if self not in experiments:
            raise self._closed_error()

    def _closed_error(self) -> ExperimentError:
        return ExperimentError(
            format_line(caller()),
            f"experiment {self.name!r} is not open",
            f"Do it inside of: with experiment(workdir, {self.name!r}) as xp: ...",
        )

    def _repr_html_(self) -> str:
        """What a notebook shows of it: its workspace, and how its jobs stand."""
        jobs = [] if self._run_directory is None else self.tracker.snapshot().values()
        workspace = self._workdir if self._run_directory is None else self.workspace.path
        return experiment_html(self.name, os.fspath(workspace), self in experiments, jobs)

    # -- submitting ------------------------------------------------------------------------------------------------

    @edge
    def submit(self, task: Task, given: Mapping[str, Any]) -> Any:
        """Submit a task; `Task.submit` calls this. Equal tasks share one job.

        Args:
            task: The task. Every task that it refers to was submitted before.
            given: Options by name, see `Options`.

        Returns:
            What the task's `task_outputs` returns.

        Raises:
            UnguardedScriptError: A worker that imports the script would submit the task again.
            ConfigurationError: The task is not complete, or not valid.
            TokenRequestError, OriginClashError: See `Store.submit`.
        """
        place = caller()
        options = Options.of(given, place, self._options) if given else self._options
        with self._lock:
            (self.rehearsal or self._submitter).submit(task, options, place)
        return outputs(task, owned=True)

    @edge
    def setenv(self, name: str, value: str, override: bool = True) -> None:
        """Set a variable in the environment of all jobs that are submitted from now on; `submit(env=...)` wins.

        Args:
            name: The variable's name.
            value: Its value.
            override: Whether to replace a value that an earlier call has set.

        Raises:
            ExperimentError: The name or the value is no string.
        """
        check_variable(name, value)
        if override or name not in self._options.env:
            self._options = replace(self._options, env={**self._options.env, name: value})

    def _start_workers(self, queues: set[str]) -> None:
        """Start this script's own workers, if they do not run and one of these queues is theirs."""
        if self.queue in queues and self._local.ensure():
            self.tracker.expect_workers(self.queue)

    # -- waiting ---------------------------------------------------------------------------------------------------

    @edge
    def wait(self) -> Summary:
        """Wait until all jobs of this run are settled (done, failed, blocked or cancelled) and all callbacks were made.

        Returns:
            Counts of the run's jobs by state. It is false when not all of them are done. In a dry run, it is true, and
            returns at once.

        Raises:
            WorkersFailedError: The script's own workers have ended with an error.
            WipedError: The server has forgotten the jobs.

        Example:
            if xp.wait():
                print("all jobs are done")
        """
        self._refuse_closed()
        if self.rehearsal is not None:
            return self.rehearsal.summary()
        self._watch(self._quiet, self.tracker.settled)
        return summarize(self.tracker.snapshot().values())

    @edge
    def wait_for(self, job: TrackedJob) -> bool:
        """Wait until a job is settled; `Task.wait` calls this.

        Returns:
            Whether the job belongs to this run; only then it was waited for.
        """
        self._refuse_closed()
        if self.rehearsal is not None:
            return job.identity in self.rehearsal.jobs

        def over() -> bool:
            return job.state.settled or self.tracker.jobs.get(job.identity) is not job

        self._watch(over, over)
        return self.tracker.jobs.get(job.identity) is job

    def _watch(self, over: Callable[[], bool], until: Callable[[], bool]) -> None:
        """Show the run until a condition over its jobs holds, again and again until all is over."""
        try:
            self._submitter.flush()
            self._submitter.say_fates()
            self._name_unfinished()
            while not over():
                with self._display:
                    self.tracker.wait(until, self._tick, 0.1)
            self._display.catch_up()
            self._submitter.say_fates()  # of tasks that callbacks have submitted
        except KeyboardInterrupt:
            self._interrupt = self._ending.interrupted()
            raise self._interrupt from None

    @edge
    def events(self, *, follow: bool = False) -> Events:
        """All events of the workspace since this run began, in order: of this run's jobs, of others, and of workers.

        Iterate them with `for` or `async for`. The iteration ends when all jobs of this run are settled.

        Args:
            follow: Whether to go on until the block of the experiment ends instead.

        Returns:
            The events; each iteration starts with the first one again.

        Example:
            for event in xp.events():
                if event.event == "failed":
                    print(event.task, event.error["message"])
        """
        self._refuse_closed()
        self._refuse_dry("the script asks for xp.events()")
        self._submitter.flush()

        def over() -> bool:
            return self not in experiments or (not follow and self.tracker.settled())

        return Events(self._connector.url, self.workspace.id, self._run.cursor, lambda: list(self.tracker.jobs), over)

    def _quiet(self) -> bool:
        """Whether all jobs are settled, also those that callbacks have submitted."""
        if not self.tracker.settled():
            return False
        self.tracker.callbacks.drain()
        self._submitter.flush()
        self._follower.confirm()
        return self.tracker.settled()

    def _tick(self) -> None:
        self._display.update()
        self._local.check()
        if self._local.left:  # they had nothing to do, before this run had more jobs
            self._start_workers({job.queue for job in self.tracker.jobs.values() if not job.state.settled})

    def _name_unfinished(self) -> None:
        """Name, once, the unfinished jobs of earlier runs."""
        if not self._unfinished_named and self._run.jobs:
            self._unfinished_named = True
            if text := unfinished(self.name, self._store, self.tracker.jobs, self._commands):
                say(text)

    # -- leaving ---------------------------------------------------------------------------------------------------

    @edge
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.rehearsal is not None:
            experiments.remove(self)
            self.rehearsal.end(error)
            return
        try:
            if error is None:
                summary = self.wait()
                self._waited = True
                self._ending.report(summary)
            elif error is self._interrupt:
                pass  # raised by `wait`, which has said everything
            elif isinstance(error, KeyboardInterrupt):
                self._ending.interrupted_by(error)
            else:
                self._ending.stopped_by(error)
        finally:
            experiments.remove(self)
            self._ending.over(sys.exc_info()[1])
            with nullcontext() if self._waited else undisturbed():
                self._stack.close()

    def _send_the_rest(self) -> None:
        """Send the submissions that are on their way. If that fails, log it, because the script is leaving anyway."""
        try:
            self._submitter.close()
        except _UNSENT as error:
            log.warning("%s: not all tasks were submitted: %s", self.name, error)

    def _end_workers(self) -> None:
        """Let this script's own workers end; if the script stops early, let them go on."""
        if self._waited:
            with suppress(KeyboardInterrupt):
                self._local.drain(0 if self._others_run() else DRAIN_S)
        self._local.let_go()

    def _others_run(self) -> bool:
        """Whether a job of another script runs. It may run on our workers, so we do not wait for them."""
        try:
            return self._store.look(self._lease_s).running > 0
        except OUTAGES:
            return True

    def _stop_following(self) -> None:
        self._follower.stop()
        self.tracker.callbacks.close(make_all=self._waited)
