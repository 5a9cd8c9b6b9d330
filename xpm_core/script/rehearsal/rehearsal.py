"""A dry run takes the tasks of a script in the place of the server. It makes no file.

Owns: what a script gets for what only a run has. Paths of jobs are those of a run, dependencies and tokens are checked,
waiting ends at once as if all had gone well, callbacks are not called. What only jobs or a server could answer is a
`DryRunError`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from xpm_core.config import state_of, upstream
from xpm_core.config.dependencies import own_paths
from xpm_core.errors import DryRunError, WorkspaceError
from xpm_core.language.graph.state import unsubmitted
from xpm_core.language.graph.tags import submission_tags
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity import seal
from xpm_core.language.identity.digest import task_id
from xpm_core.project.origin import project_name
from xpm_core.script.code.on_change import WARN, OnChange
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.rehearsal.facts import read_facts
from xpm_core.script.rehearsal.plan import Plan, plan_of
from xpm_core.script.rehearsal.planned_job import PlannedJob
from xpm_core.script.rehearsal.todays_code import TodaysCode
from xpm_core.script.show.report import Summary, summarize
from xpm_core.script.show.unwritten import missing_files, owner
from xpm_core.script.submit.guard import refuse_unguarded
from xpm_core.script.submit.listings import Listings
from xpm_core.script.submit.lookalikes import Lookalikes
from xpm_core.script.submit.options import Options
from xpm_core.script.submit.twins import Twins
from xpm_core.server.address import locate
from xpm_core.server.url import safe_url
from xpm_core.states import State
from xpm_core.store import tokens
from xpm_core.store.refusals import tag
from xpm_core.tracebacks.callsite import CodeLine, caller, format_line
from xpm_core.tracebacks.edges import edge
from xpm_core.words.commands import Commands
from xpm_core.words.text import plural, say
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from xpm_core.config import Task

NO_ID = "0" * 12
"""Stands for the id of a workspace that does not exist yet."""
EARLY = " The script has stopped early, and so has its plan."


def not_foreseen(what: str) -> DryRunError:
    """The error for something that only a run has."""
    remedy = "Ask for it only in a run: if not xp.dry_run."
    return DryRunError(format_line(caller()), f"{what}, and this is a dry run, in which no job runs", remedy)


@dataclass(frozen=True)
class DrySummary(Summary):
    """What waiting returns in a dry run: true, so that the script goes on as if all jobs had been done.

    `unfinished` are the jobs that would run.
    """

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"{self._done}   {self.unfinished} would run" if self.unfinished else self._done


class DryConnector:
    """Stands for the connector of a dry run: no token is created, but each request is checked.

    Attributes:
        capacities: The tokens that the script would create, or whose units it would set.
        per_machine: Those of them of which each machine has its own units.
    """

    def __init__(self) -> None:
        self.capacities: dict[str, int] = {}
        self.per_machine: dict[str, int] = {}

    @edge
    def createtoken(
        self, name: str, count: int, *, scope: str = "server", units: bool = False, env: str = ""
    ) -> tokens.Token:
        """A token of that name, which the server need not have."""
        tokens.check_token(name, count, env)
        self.capacities[name] = count
        if scope == "host":
            self.per_machine[name] = count
        return tokens.Token(name, count)

    def limitpasses(self, count: int) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise not_foreseen(f"the script asks for xp.connector.{name}")


class Rehearsal:
    """The tasks of a dry run.

    Args:
        workspace: The directory of the workspace. It need not exist.
        name: The name of the experiment.
        queue: Its default queue.
        redis: The address of its server, if the script gives one.
        workers: How many workers the script would start, for its default queue; None for as many as `cpus` if the
            server is the workspace's own.
        cpus: How many CPUs this process may use.
        on_change: What is done with a done job that ran code which has changed, unless its class says it.

    Attributes:
        jobs: The jobs, by identity, in the order of their submission.
        silent: Whether somebody else prints the plan.

    Raises:
        WorkspaceError: There is a file of that name, or a workspace that cannot be used.
    """

    def __init__(
        self,
        workspace: str | Path,
        name: str,
        queue: str,
        redis: str | None,
        workers: int | None,
        *,
        cpus: int,
        on_change: OnChange = WARN,
    ) -> None:
        self.name, self._queue, self._redis = name, queue, redis
        self.workspace = _opened(Path(os.path.realpath(workspace)))
        self.connector = DryConnector()
        own = cpus if locate(self.workspace.path, redis).url is None else 0
        self._workers = own if workers is None else workers
        self.jobs: dict[str, PlannedJob] = {}
        self.silent = False
        self._has_waited = False
        self._after_waiting = 0
        self._code = TodaysCode(self.workspace, on_change)
        self._listings = Listings()
        self._twins = Twins()
        self._lookalikes = Lookalikes(self.workspace, self.workspace.experiment(name))

    def submit(self, task: Task, options: Options, place: CodeLine) -> PlannedJob:
        """Take a task. It is checked as at a submission; the arguments and errors are those of `Submitter.submit`."""
        needs = upstream(task)
        identity, config = seal.seal(task), state_of(task)
        job = self.jobs.get(identity)
        if job is not None:
            config.submitted = config.submitted or job
            self._twins.compare(job, task, place, options)
            own_paths(task)
            return job
        below = [each for _, each in reachable(task, unsubmitted)]
        classes = set(map(type, below))
        refuse_unguarded(classes, place)
        job = self._job(task, identity, submission_tags(task, below, needs), options, place)
        job.needs = tuple([state_of(each).submitted.identity for each in needs])
        self._code.take(job, type(task), classes, options)
        config.submitted = self.jobs[identity] = job
        self._after_waiting += self._has_waited
        self._twins.remember(task, identity, below, options)
        if not job.reused:
            self._lookalikes.look(job, task, below)
        own_paths(task, below)
        return job

    def _job(self, task: Task, identity: str, tags: Mapping[str, Any], options: Options, place: CodeLine) -> PlannedJob:
        directory = self.workspace.job(task_id(type(task)), identity)
        queue = options.queue or self._queue
        job = PlannedJob(self, identity, type(task).__name__, directory, place, queue, tags, state_of(task).demand)
        job.project, job.min_time_s = tag(project_name(type(task))), math.ceil(options.min_time)
        if self._listings.marked(directory) and directory.adoptable() is not None:
            job.state, job.reused = State.DONE, True
        return job

    @staticmethod
    def not_foreseen(what: str) -> DryRunError:
        """The error for something that only a run has."""
        return not_foreseen(what)

    def wait(self) -> DrySummary:
        """Wait for no job; what a script gets that waits for all."""
        self._waited_for(self.jobs.values())
        found = summarize(self.jobs.values())
        return DrySummary(**vars(found))

    def wait_for(self, job: TrackedJob) -> bool:
        """Wait for no job; whether it belongs to this run."""
        self._waited_for([job])
        return job.identity in self.jobs

    def _waited_for(self, jobs: Iterable[TrackedJob]) -> None:
        self._has_waited = self._has_waited or any(not job.reused for job in jobs)

    def plan(self) -> Plan:
        """What would become of the jobs so far.

        Raises:
            RedisUrlError, SettingsError: The address of the server cannot be understood.
        """
        facts = read_facts(self.workspace, self._redis, list(self.jobs))
        facts = replace(facts, per_machine={**facts.per_machine, **self.connector.per_machine})
        code = self._code.judge(self.jobs.values())
        redis = "" if self._redis is None else safe_url(self._redis)
        return plan_of(
            self.name,
            list(self.jobs.values()),
            facts,
            own=(frozenset({self._queue}),) * self._workers,
            tokens=self.connector.capacities,
            notes=[*self._twins.lines(), *self._lookalikes.lines(), *code, *self._doubts()],
            commands=Commands.of_script(self.workspace.path, redis),
        )

    def _doubts(self) -> list[str]:
        """A note, if the script has gone on as if jobs had run that have not: their results may lead it elsewhere."""
        if not self._after_waiting:
            return []
        jobs = plural(self._after_waiting, "job")
        return [f"note    {jobs} came after the script had waited for results that are not there: a run may differ"]

    def explained(self, error: BaseException) -> DryRunError | None:
        """The error to raise in place of one about a file that a job of the dry run would have written, else None."""
        for missing in missing_files(error):
            path = Path(os.path.abspath(os.fsdecode(missing.filename)))
            job = owner(path, self.jobs)
            if job is not None and not job.reused:
                wrong = f"this is a dry run, so it has not run, and {path.name} is not there"
                return DryRunError(job.label, wrong, "Read its results only in a run: if not xp.dry_run.")
        return None

    def end(self, error: BaseException | None) -> None:
        """Say what the script would do; if an error has ended it early, what it would do up to there.

        Raises:
            DryRunError: The error is about a file that a job would have written.
        """
        if isinstance(error, KeyboardInterrupt):
            return
        if not self.silent:
            say(str(self.plan()))
            say("This was a dry run: nothing was submitted." + ("" if error is None else EARLY))
        explained = None if error is None else self.explained(error)
        if explained is not None:
            raise explained from error

    def close(self) -> None:
        """A run has more to close."""

    def listen(self, job: TrackedJob, callback: Callable[..., object], task: Any) -> None:
        """Callbacks are not called, because no job is done by this run, and they may write files."""

    def watch(self, job: TrackedJob, watch: Any) -> None:
        """Nor are functions that watch outputs."""


def _opened(path: Path) -> Workspace:
    """The workspace of a directory, as it is; one without an id if it does not exist yet."""
    if (path / ".xpm" / "workspace.json").exists():
        return Workspace.open(path, create=False, writable=False)
    if path.exists() and not path.is_dir():
        raise WorkspaceError(str(path), "is not a directory", "Name a workspace's directory.")
    return Workspace(path, NO_ID)
