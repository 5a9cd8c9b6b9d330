"""The `experiment` context: submit tasks, wait for them, find results.

Owns: what happens when a script enters, submits, waits and leaves. Following the jobs is tracking.py's, what a
submission finds is submitting.py's, the words at the end are report.py's.
"""

from __future__ import annotations

import getpass
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpm_core.config import experiments, outputs
from xpm_core.display import Display
from xpm_core.errors import ExperimentError, FailedExperiment
from xpm_core.graph import caller, written
from xpm_core.local_workers import LocalWorkers
from xpm_core.main_guard import refuse_inside_job, refuse_unguarded
from xpm_core.names import check_experiment_name, check_queue_name
from xpm_core.report import Summary, causes, lines, show_failures_plainly, summarize
from xpm_core.states import SETTLED, State
from xpm_core.store import reading
from xpm_core.store.connector import Connector
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import DEFAULT_LEASE_S, DEFAULT_QUEUE
from xpm_core.submitting import Options, Submitter
from xpm_core.text import plain, shows_glyphs, span
from xpm_core.tracking import Tracker
from xpm_core.workspace import Workspace

if TYPE_CHECKING:
    from types import TracebackType

    from xpm_core.config import Task

log = logging.getLogger("xpm")

SECOND_CTRL_C_S = 2.0
DRAIN_S = 5.0


class experiment:
    """An experiment in a workspace, as a context manager; leaving it waits for its jobs.

    Args:
        workdir: The workspace's directory; it is made when it is not there.
        name: Letters, digits, `.`, `_` and `-`.
        port: Of the page that shows the run; it comes with a later version.
        redis: Address of a server. Else XPM_REDIS_URL counts, else a settings file, else a server is embedded.
        workers: Slots to start on this machine. With an embedded server the number of CPUs, else none.
        queue: The queue that tasks go to which name no other.
        lease_s: How long a worker may be silent before its job goes to another, seconds.

    Raises:
        WorkspaceError: The workspace cannot be used.
        RedisUnavailableError: The server does not answer.
        FailedExperiment: On leaving, when not all jobs are done.

    Example:
        with experiment("workspace", "digits") as xp:
            learn = Learn.C(epochs=10).submit()
            if xp.wait():
                print(learn.jobpath)
    """

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
    ) -> None:
        self.name = check_experiment_name(name)
        self.queue = check_queue_name(queue)
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 0):
            raise ExperimentError(f"experiment {name!r}", f"workers={workers!r}", "Pass a number of slots, 0 or more.")
        self._workdir, self._port, self._redis, self._workers = workdir, port, redis, workers
        self._lease_s = lease_s
        self._lock = threading.RLock()
        self._local: LocalWorkers | None = None
        self._told_unfinished = False

    # -- entering --------------------------------------------------------------------------------------------------

    def __enter__(self) -> experiment:
        where = written(caller())
        refuse_inside_job(where)
        if experiments:
            raise ExperimentError(where, f"experiment {experiments[-1].name!r} is open", "Leave it first.")
        self._began = time.monotonic()
        self.workspace = Workspace.open(self._workdir)
        with ExitStack() as stack:
            self.connector = Connector.of_workspace(self.workspace, self._redis, self._lease_s)
            stack.callback(self.connector.close)
            self._store = Store(self.connector.client, self.workspace.id)
            self._run = self._store.open_run(self.name, new_execution_id(), _about())
            self._directory = self.workspace.experiment(self.name)
            self._run_directory = self._directory.new_run()
            self._log_to(stack)
            self.tracker = Tracker(self._store, self.connector.blocking, self._run.cursor, self._lease_s)
            self._submitter = Submitter(
                self.workspace, self._store, self._directory, self._run, self.tracker, self._start_workers
            )
            self.tracker.start()
            stack.callback(self.tracker.stop)
            stack.callback(self._submitter.close)
            self._stack = stack.pop_all()
        experiments.append(self)
        show_failures_plainly()
        if self._port is not None:
            log.warning(
                "experiment %s: port=%d: the page that it serves comes with a later version", self.name, self._port
            )
        return self

    def _log_to(self, stack: ExitStack) -> None:
        """Write the run's log beside its results, as long as the run lasts; warnings go to stderr, too."""
        file = logging.FileHandler(self._run_directory.log, encoding="utf-8", delay=True)
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        handlers: list[logging.Handler] = [file]
        if not logging.getLogger().handlers:  # else the script has its own way of showing them
            stderr = logging.StreamHandler()
            stderr.setLevel(logging.WARNING)
            handlers.append(stderr)
        for handler in handlers:
            log.addHandler(handler)
            stack.callback(handler.close)
            stack.callback(log.removeHandler, handler)
        if log.level == logging.NOTSET:
            log.setLevel(logging.INFO)
            stack.callback(log.setLevel, logging.NOTSET)

    @property
    def resultspath(self) -> Path:
        """This run's own folder for results, made when first asked for."""
        return self._run_directory.results

    # -- submitting ------------------------------------------------------------------------------------------------

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
        where = written(caller())
        refuse_unguarded(type(task), where)
        options = Options.of({"queue": self.queue, **given}, where)
        with self._lock:
            self._submitter.submit(task, options, where)
        return outputs(task)

    def _start_workers(self, queues: set[str]) -> None:
        """Start this script's own workers, once there is something to do for them."""
        slots = self._workers
        if slots is None:
            slots = (os.cpu_count() or 1) if self.connector.embedded is not None else 0
        if slots and queues and self._local is None:
            url = "" if self.connector.embedded is not None else self.connector.url
            self._local = LocalWorkers(self.workspace, slots, sorted(queues), url=url, lease_s=self._lease_s)
            log.info("experiment %s: workers started, pid %d, log %s", self.name, self._local.pid, self._local.log)

    # -- waiting ---------------------------------------------------------------------------------------------------

    def wait(self) -> Summary:
        """Wait until no job of this run has anything more to wait for, and all callbacks were made.

        Returns:
            Counts of the run's jobs; false when not all of them are done.
        """
        try:
            self._submitter.flush()
            self._tell_unfinished()
            while not self._quiet():
                with Display(self.name, self.tracker, f"xpm-worker --workspace {self.workspace.path}") as display:
                    self.tracker.wait(self.tracker.settled, lambda: self._tick(display), 0.1)
                self.tracker.callbacks.drain()  # a callback may have submitted more
        except KeyboardInterrupt:
            self._interrupted()
        return summarize(self.tracker.jobs.values())

    def _quiet(self) -> bool:
        """Whether all is settled, also what callbacks may have submitted."""
        if not self.tracker.settled():
            return False
        self.tracker.callbacks.drain()
        self._submitter.flush()
        return self.tracker.settled()

    def _tick(self, display: Display) -> None:
        display.update()
        if self._local is not None:
            self._local.check()

    def _tell_unfinished(self) -> None:
        """Name, once, the unfinished jobs of earlier runs."""
        if self._told_unfinished or not self._run.jobs:
            return
        self._told_unfinished = True
        known = reading.experiment_jobs(self._store.client, self._store.w, self.name)
        earlier = [identity for identity in known if identity not in self.tracker.jobs]
        states = reading.states(self._store.client, self._store.w, earlier)
        unfinished = [identity for identity, (state, _) in states.items() if state not in SETTLED]
        if unfinished:
            shown = " ".join(identity[:7] for identity in unfinished[:5]) + (" …" if len(unfinished) > 5 else "")
            _say(
                f"{self.name}: {len(unfinished)} unfinished jobs of earlier runs are not waited for: {shown}. "
                f"Cancel them: xpm cancel {unfinished[0][:7]} --workspace {self.workspace.path}"
            )

    def _interrupted(self) -> None:
        """Ctrl-C: leave the jobs; once more within a moment: cancel what has not started."""
        _say(f"{self.name}: stopped watching. {self._going_on()} Ctrl-C again to cancel what has not started.")
        try:
            time.sleep(SECOND_CTRL_C_S)
        except KeyboardInterrupt:
            waiting = [job for job in self.tracker.jobs.values() if job.state in _UNSTARTED]
            for job in waiting:
                self._store.cancel(job.identity)
            _say(f"{self.name}: {len(waiting)} jobs cancelled that had not started.")
        raise SystemExit(130)

    def _going_on(self) -> str:
        counts = self.tracker.counts()
        words = ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state] and not state.settled)
        if not words:
            return "No job is unfinished."
        return (
            f"Its jobs go on ({words}). Attach again: run the script again. "
            f"Cancel: xpm cancel --experiment {self.name} --workspace {self.workspace.path}"
        )

    # -- leaving ---------------------------------------------------------------------------------------------------

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        drain = False
        try:
            if kind is None:
                summary = self.wait()
                drain = True
                self._report(summary)
            elif issubclass(kind, KeyboardInterrupt):
                self._interrupted()
            elif not issubclass(kind, SystemExit):
                _say(f"{self.name}: the script stopped with {kind.__name__}. {self._going_on()}")
        finally:
            self._close(drain)

    def _close(self, drain: bool) -> None:
        experiments.remove(self)
        if self._local is not None:
            if drain:
                self._local.drain(DRAIN_S)
            else:
                self._local.let_go()
        self._stack.close()

    def _report(self, summary: Summary) -> None:
        elapsed = span(time.monotonic() - self._began)
        if not summary:
            self._learn_errors()
        text = lines(self.name, summary, causes(self.tracker.jobs), elapsed)
        log.info("%s", text[0])
        if not summary:
            raise FailedExperiment(self.name, "\n".join(text))
        _say(text[0])

    def _learn_errors(self) -> None:
        """Read the errors of jobs that had failed before this script could see it."""
        unknown = [job.identity for job in self.tracker.jobs.values() if job.state is State.FAILED and not job.error]
        for known in reading.jobs(self._store.client, self._store.w, unknown):
            self.tracker.jobs[known.identity].error = known.error


_UNSTARTED = (State.WAITING, State.READY, State.DELAYED, State.BLOCKED)


def _about() -> dict[str, Any]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no name for this uid
        user = str(os.getuid())
    script = os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] else ""
    return {"host": socket.gethostname(), "pid": os.getpid(), "user": user, "script": script, "directory": os.getcwd()}


def _say(message: str) -> None:
    print(message if shows_glyphs(sys.stderr) else plain(message), file=sys.stderr, flush=True)
