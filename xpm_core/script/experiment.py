"""The `experiment` context: submit tasks, wait for them, find results.

Owns: its arguments, and what may be asked when. What a run does is in open_run.py; in a dry run, a rehearsal is in the
place of the run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from xpm_core.config import experiments, outputs
from xpm_core.defaults import DEFAULT_LEASE_S, DEFAULT_QUEUE
from xpm_core.errors import ExperimentError
from xpm_core.job.inside import refuse_inside_job
from xpm_core.project.workspace_names import directory_of
from xpm_core.script.code.choice import Choice, chosen
from xpm_core.script.code.on_change import WARN, OnChange
from xpm_core.script.follow.events import Events
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.script.live.run_html import experiment_html
from xpm_core.script.open_run import OpenRun, Wanted
from xpm_core.script.run_results import RunResults
from xpm_core.script.sampling.until import Sampling
from xpm_core.script.show.report import Summary
from xpm_core.script.submit.arguments import check, check_variable, names_of, refuse_unknown
from xpm_core.script.submit.options import Options
from xpm_core.script.this_process import cpus, dry_run_wanted
from xpm_core.store.connector import Connector
from xpm_core.tracebacks.callsite import caller, format_line
from xpm_core.tracebacks.edges import edge
from xpm_core.words.names import check_experiment_name, check_queue_name
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from types import TracebackType

    from xpm_core.config import Task
    from xpm_core.script.rehearsal.plan import Plan
    from xpm_core.script.rehearsal.rehearsal import Rehearsal


class experiment(RunResults, Sampling):
    """An experiment in a workspace, as a context manager. When the block ends, it waits for the jobs.

    Args:
        workdir: The workspace's directory, which is made if it does not exist; or its name in the user's settings.
        name: The experiment's name: letters, digits, `.`, `_` and `-`.
        port: Port of the page that shows the workspace in a browser while the block is open; 0 for a free one. The
            page may also act. Its address is printed, and ends in a token. Default: no page.
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
        self._workdir = workdir
        self._wanted = Wanted(self.name, self.queue, redis, workers, lease_s, progress, on_code_change, port)
        self._options = Options(queue=self.queue, code=chosen(code, format_line(caller())))
        self._lock = threading.RLock()
        self._run: OpenRun | None = None
        self._open: OpenRun | Rehearsal | None = None

    # -- entering --------------------------------------------------------------------------------------------------

    @edge
    def __enter__(self) -> experiment:
        where = format_line(caller())
        refuse_inside_job(where)
        if experiments:
            raise ExperimentError(where, f"experiment {experiments[-1].name!r} is open", "Leave it first.")
        place = directory_of(self._workdir, create=True)
        if self.dry_run:
            return self._rehearse(place)
        self.workspace = Workspace.open(place)
        self._open = self._run = OpenRun(self.workspace, self._wanted)
        experiments.append(self)
        return self

    def _rehearse(self, place: str) -> experiment:
        """Begin a dry run."""
        from xpm_core.script.rehearsal.rehearsal import Rehearsal  # late, because most runs are none

        want = self._wanted
        rehearsal = Rehearsal(
            place, self.name, want.queue, want.redis, want.workers, cpus=cpus(), on_change=want.on_change
        )
        self._open, self.rehearsal, self.workspace = rehearsal, rehearsal, rehearsal.workspace
        experiments.append(self)
        return self

    @property
    @edge
    def connector(self) -> Connector:
        """The server in use; it creates tokens. In a dry run, it only checks the requests.

        Raises:
            ExperimentError: The experiment is not open.
        """
        return cast("Connector", self._opened().connector)

    @property
    @edge
    def resultspath(self) -> Path:
        """This run's own folder for results; it is made at the first use.

        Raises:
            ExperimentError: The experiment was never open.
            DryRunError: This is a dry run, which has no folder.
            WorkspaceError: The folder cannot be made.
        """
        self.refuse_dry("the script asks for xp.resultspath")
        return self._begun().directory.results

    @property
    @edge
    def tracker(self) -> Tracker:
        """The jobs of the run."""
        self.refuse_dry("the script asks for xp.tracker")
        return self._begun().tracker

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

    def refuse_dry(self, what: str) -> None:
        """Raise the error for what only a run has, if this is a dry run."""
        if self.rehearsal is not None:
            raise self.rehearsal.not_foreseen(what)

    def _begun(self) -> OpenRun:
        """The run, which may have ended."""
        if self._run is None:
            raise self._closed_error()
        return self._run

    def _opened(self) -> OpenRun | Rehearsal:
        """The run, or the dry run in its place, while the block is open."""
        if self not in experiments or self._open is None:
            raise self._closed_error()
        return self._open

    def _closed_error(self) -> ExperimentError:
        return ExperimentError(
            format_line(caller()),
            f"experiment {self.name!r} is not open",
            f"Do it inside of: with experiment(workdir, {self.name!r}) as xp: ...",
        )

    def _repr_html_(self) -> str:
        """What a notebook shows of it: its workspace, and how its jobs stand."""
        jobs = [] if self._run is None else self._run.tracker.snapshot().values()
        workspace = self._workdir if self._run is None else self.workspace.path
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
            self._opened().submit(task, options, place)
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
        return self._opened().wait()

    @edge
    def wait_for(self, job: TrackedJob) -> bool:
        """Wait until a job is settled; `Task.wait` calls this.

        Returns:
            Whether the job belongs to this run; only then it was waited for.
        """
        return self._opened().wait_for(job)

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
        self._opened()
        self.refuse_dry("the script asks for xp.events()")
        return self._begun().events(follow, lambda: self not in experiments)

    # -- leaving ---------------------------------------------------------------------------------------------------

    @edge
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._open is not None
        try:
            self._open.end(error)
        finally:
            experiments.remove(self)
            self._open.close()
