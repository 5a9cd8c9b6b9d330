"""The `experiment` context: submit tasks, wait for them, find results.

Owns: what happens when a script enters, submits, waits and leaves. Following the jobs is tracking.py's, what a
submission finds is submitting.py's, the words at the end are report.py's and notices.py's.
"""

from __future__ import annotations

import getpass
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from xpm_core.config import experiments, outputs
from xpm_core.defaults import DEFAULT_LEASE_S, DEFAULT_QUEUE
from xpm_core.errors import ExperimentError, FailedExperiment, XpmError
from xpm_core.job.inside import refuse_inside_job
from xpm_core.script.follow.events import Events
from xpm_core.script.follow.outage import Outage
from xpm_core.script.follow.tracker import TrackedJob, Tracker
from xpm_core.script.local_workers import LocalWorkers
from xpm_core.script.show.display import Display
from xpm_core.script.show.leaving import going_on, interrupted, standing, stopped, undisturbed, unfinished
from xpm_core.script.show.prompt import at_prompt, in_notebook
from xpm_core.script.show.report import Summary, causes, lines, show_failures_plainly, summarize
from xpm_core.script.show.run_log import log_to
from xpm_core.script.show.unwritten import explain
from xpm_core.script.submit.arguments import check, check_variable, names_of, refuse_unknown
from xpm_core.script.submit.options import Options
from xpm_core.script.submit.submitter import Submitter
from xpm_core.server.connection import OUTAGES, ServerError
from xpm_core.server.url import safe_url
from xpm_core.states import State
from xpm_core.store import reading
from xpm_core.store.connector import Connector
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.tracebacks.callsite import caller, format_line
from xpm_core.tracebacks.edges import edge
from xpm_core.words.commands import Commands
from xpm_core.words.names import check_experiment_name, check_queue_name
from xpm_core.words.text import say, span
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from types import TracebackType

    from xpm_core.config import Task
    from xpm_core.server.connection import Client

log = logging.getLogger("xpm")

DRAIN_S = 5.0
"""How long to wait, on leaving, for this script's own workers to end."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


class experiment:
    """An experiment in a workspace, as a context manager; leaving it waits for its jobs.

    Args:
        workdir: The workspace's directory; it is made when it is not there.
        name: Letters, digits, `.`, `_` and `-`.
        port: Of the page that shows the run; it comes with a later version.
        redis: Address of a server. Else XPM_REDIS_URL counts, else a settings file, else a server is embedded.
        workers: Slots to start on this machine, for `queue`. With an embedded server the number of CPUs, else none.
        queue: The queue that tasks go to which name no other.
        lease_s: How long a worker may be silent before its job goes to another, seconds.

    Raises:
        ExperimentError: An argument cannot work.
        WorkspaceError: The workspace cannot be used.
        RedisUnavailableError: The server does not answer.
        FailedExperiment: On leaving, when not all jobs are done.

    Example:
        with experiment("workspace", "digits") as xp:
            learn = Learn.C(epochs=10).submit()
            if xp.wait():
                print(learn.jobpath)
    """

    workspace: Workspace
    tracker: Tracker

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
        **unknown: NoReturn,
    ) -> None:
        if unknown:
            refuse_unknown("experiment(): unknown argument", unknown, names_of(experiment.__init__), caller())
        self.name = check_experiment_name(name)
        self.queue = check_queue_name(queue)
        check(workdir=workdir, port=port, redis=redis, workers=workers, lease_s=lease_s)
        self._workdir, self._port, self._redis, self._workers = workdir, port, redis, workers
        self._lease_s = lease_s
        self._options = Options(queue=self.queue)
        self._lock = threading.RLock()
        self._results: Callable[[], Path] | None = None

    # -- entering --------------------------------------------------------------------------------------------------

    @edge
    def __enter__(self) -> experiment:
        where = format_line(caller())
        refuse_inside_job(where)
        if experiments:
            raise ExperimentError(where, f"experiment {experiments[-1].name!r} is open", "Leave it first.")
        self._began = time.monotonic()
        self._told_unfinished = self._orderly = False
        self._told: BaseException | None = None
        self.workspace = Workspace.open(self._workdir)
        with ExitStack() as stack:
            self._connect(stack)
            self._begin_run(stack)
            self._stack = stack.pop_all()
        experiments.append(self)
        show_failures_plainly()
        if self._port is not None:
            log.warning("%s: port=%d: the page that it serves comes with a later version", self.name, self._port)
        return self

    def _connect(self, stack: ExitStack) -> None:
        connector = self._connector = Connector.of_workspace(self.workspace, self._redis, self._lease_s)
        stack.callback(connector.close)
        self._store = Store(connector.client, self.workspace.id)
        self._commands = Commands(self.workspace.path, "" if self._redis is None else safe_url(self._redis))
        slots = self._workers
        if slots is None:
            slots = _cpus() if connector.embedded is not None else 0
        url = "" if connector.embedded is not None else connector.url
        self._local = LocalWorkers(self.workspace, slots, self.queue, url=url, lease_s=self._lease_s)

    def _begin_run(self, stack: ExitStack) -> None:
        self._run = self._store.open_run(self.name, new_execution_id(), _about())
        directory = self.workspace.experiment(self.name)
        run_directory = directory.new_run()
        self._results = lambda: run_directory.results
        log_to(run_directory.log, stack)
        embedded = self._connector.embedded
        outage = Outage(self.name, None if embedded is None else embedded.revive)
        self.tracker = Tracker(self._store, self._connector.blocking, self._run.cursor, self._lease_s, outage)
        self._submitter = Submitter(
            self.workspace, self._store, directory, self._run, self.tracker, self._start_workers
        )
        self.tracker.start()
        stack.callback(lambda: self.tracker.stop(make_callbacks=self._orderly))
        stack.callback(self._end_workers)
        stack.callback(self._send_the_rest)

    @property
    @edge
    def connector(self) -> Connector:
        """The server in use: what creates tokens."""
        self._refuse_closed()
        return self._connector

    @property
    @edge
    def resultspath(self) -> Path:
        """This run's own folder for results, made when first asked for."""
        if self._results is None:
            self._refuse_closed()
            raise AssertionError("an open experiment has results")
        return self._results()

    def _refuse_closed(self) -> None:
        if self not in experiments:
            raise ExperimentError(
                format_line(caller()),
                f"experiment {self.name!r} is not open",
                f"Do it inside of: with experiment(workdir, {self.name!r}) as xp: ...",
            )

    # -- submitting ------------------------------------------------------------------------------------------------

    @edge
    def submit(self, task: Task, given: Mapping[str, Any]) -> Any:
        """Submit a task; `Task.submit` calls this. An equal task attaches to the same job.

        Args:
            task: A configuration; what it refers to has been submitted before.
            given: See `Options`.

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
            self._submitter.submit(task, options, place)
        return outputs(task)

    @edge
    def setenv(self, name: str, value: str, override: bool = True) -> None:
        """Set a variable in the environment of all jobs that are submitted from now on; `submit(env=...)` wins.

        Args:
            name: The variable.
            value: What it holds.
            override: Whether to replace what an earlier call has set.

        Raises:
            ExperimentError: One of them is no text.
        """
        check_variable(name, value)
        if override or name not in self._options.env:
            self._options = replace(self._options, env={**self._options.env, name: value})

    def _start_workers(self, queues: set[str]) -> None:
        """Have this script's own workers run, once there is something to do for them."""
        if self.queue in queues and self._local.ensure():
            self.tracker.promise(self.queue)

    # -- waiting ---------------------------------------------------------------------------------------------------

    @edge
    def wait(self) -> Summary:
        """Wait until no job of this run has anything more to wait for, and all callbacks were made.

        Returns:
            Counts of the run's jobs; false when not all of them are done.

        Raises:
            WorkersFailedError: The script's own workers have ended with an error.
            WipedError: The server has forgotten the jobs.
        """
        self._refuse_closed()
        self._watch(self._quiet, self.tracker.settled)
        return summarize(self.tracker.jobs.values())

    @edge
    def wait_for(self, job: TrackedJob) -> bool:
        """Wait until a job has nothing more to wait for; returns whether it is one of this run."""
        self._refuse_closed()

        def ours() -> bool:
            return self.tracker.jobs.get(job.identity) is job

        def over() -> bool:
            return job.state.settled or not ours()

        self._watch(over, over)
        return ours()

    def _watch(self, over: Callable[[], bool], until: Callable[[], bool]) -> None:
        """Show the run until a condition over its jobs holds, again and again until all is over."""
        try:
            self._submitter.flush()
            self._tell_unfinished()
            while not over():
                with Display(self.name, self.tracker, self._commands) as display:
                    self.tracker.wait(until, lambda: self._tick(display), 0.1)
        except KeyboardInterrupt:
            raise self._interrupted() from None

    @edge
    def events(self, *, follow: bool = False) -> Events:
        """All events of the workspace since this run began, in order: of its own jobs, of others, and of workers.

        Iterate them with `for` or `async for`. They end when no job of this run has anything more to wait for.

        Args:
            follow: Go on until the experiment is left instead.

        Example:
            for event in xp.events():
                if event.event == "failed":
                    print(event.task, event.error["message"])
        """
        self._refuse_closed()
        self._submitter.flush()

        def over() -> bool:
            return self not in experiments or (not follow and self.tracker.settled())

        return Events(self._connector.url, self.workspace.id, self._run.cursor, lambda: list(self.tracker.jobs), over)

    def _quiet(self) -> bool:
        """Whether all is settled, also what callbacks may have submitted."""
        if not self.tracker.settled():
            return False
        self.tracker.callbacks.drain()
        self._submitter.flush()
        self.tracker.confirm()
        return self.tracker.settled()

    def _tick(self, display: Display) -> None:
        display.update()
        self._local.check()
        if self._local.left:  # with nothing to do, before this run had more
            self._start_workers({job.queue for job in self.tracker.jobs.values() if not job.state.settled})

    def _tell_unfinished(self) -> None:
        """Name, once, the unfinished jobs of earlier runs."""
        if not self._told_unfinished and self._run.jobs:
            self._told_unfinished = True
            if told := unfinished(self.name, self._store, self.tracker.jobs, self._commands):
                say(told)

    def _interrupted(self) -> BaseException:
        """Say what becomes of the jobs; returns what is to end the script, or only what was typed."""
        with undisturbed():
            self._say_failures()
        if in_notebook():  # nobody presses twice there, and a cell ends with its error
            with undisturbed():
                self._told = KeyboardInterrupt(stopped(self.name, self._stand(), self._commands))
        else:
            interrupted(self.name, self._stand, self._store, self._commands)
            self._told = KeyboardInterrupt("stopped watching") if at_prompt() else SystemExit(INTERRUPTED)
        return self._told

    # -- leaving ---------------------------------------------------------------------------------------------------

    @edge
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                summary = self.wait()
                self._orderly = True
                self._report(summary)
            elif isinstance(error, KeyboardInterrupt) and error is not self._told:
                self._interrupted_by(error)
            elif error is not self._told:
                self._say_failures()
                explain(error, self._jobs(), self._commands)
                say(f"{self.name}: the script stopped with {type(error).__name__}. {self._going_on()}")
        finally:
            experiments.remove(self)
            with nullcontext() if self._orderly else undisturbed():
                self._stack.close()

    def _interrupted_by(self, error: KeyboardInterrupt) -> None:
        """End with an interrupt of the script's own code, which shows where that was."""
        found = self._interrupted()
        if not isinstance(found, KeyboardInterrupt):
            raise found
        error.args = found.args

    def _say_failures(self) -> None:
        """Show what has failed so far, because the block ends before its report."""
        if not any(job.state in (State.FAILED, State.CANCELLED, State.BLOCKED) for job in self._jobs().values()):
            return
        if not self.tracker.outage:
            with suppress(ServerError):
                self._learn_errors(self._connector.brief)
        for line in self._ending(summarize(self._jobs().values())):
            say(line)

    def _jobs(self) -> dict[str, TrackedJob]:
        with self.tracker.changed:
            return dict(self.tracker.jobs)

    def _going_on(self) -> str:
        return going_on(self.name, self._stand(), self._commands)

    def _stand(self) -> dict[str, State]:
        return standing(self.tracker, Store(self._connector.brief, self.workspace.id))

    def _send_the_rest(self) -> None:
        """Send what is on its way; what cannot be sent is told, and stops nothing: the script is leaving anyway."""
        try:
            self._submitter.close()
        except _UNSENT as error:
            log.warning("%s: not all tasks were submitted: %s", self.name, error)

    def _end_workers(self) -> None:
        """Let this script's own workers leave, or go on when the script stops early."""
        if self._orderly:
            with suppress(KeyboardInterrupt):
                self._local.drain(0 if self._others_run() else DRAIN_S)
        self._local.let_go()

    def _others_run(self) -> bool:
        """Whether a job of another script runs, perhaps on our workers: that is not waited for."""
        try:
            return self._store.look(self._lease_s).running > 0
        except OUTAGES:
            return True

    def _report(self, summary: Summary) -> None:
        if not summary:
            self._learn_errors(self._store.client)
        text = self._ending(summary)
        log.info("%s", text[0])
        if not summary:
            raise FailedExperiment(self.name, "\n".join(text))
        say("\n".join(text))

    def _ending(self, summary: Summary) -> list[str]:
        elapsed = span(time.monotonic() - self._began)
        done = [job.identity for job in self._jobs().values() if job.state is State.DONE]
        refused = self.tracker.refused.lines(done)
        notes = [*self._submitter.twins.lines(), *self._submitter.lookalikes.lines(), *refused]
        return lines(self.name, summary, causes(self._jobs()), elapsed, self._commands, notes)

    def _learn_errors(self, client: Client) -> None:
        """Read the errors of jobs that had failed before this script could see it."""
        unknown = [job.identity for job in self._jobs().values() if job.state is State.FAILED and not job.error]
        for known in reading.jobs(client, self._store.w, unknown):
            self.tracker.jobs[known.identity].error = known.error


_UNSENT: tuple[type[Exception], ...] = (XpmError, *OUTAGES)
"""What is told of tasks that cannot be sent any more."""


def _cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _about() -> dict[str, Any]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no name for this uid
        user = str(os.getuid())
    script = os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] else ""
    return {"host": socket.gethostname(), "pid": os.getpid(), "user": user, "script": script, "directory": os.getcwd()}
