"""A rehearsal of an experiment: what its function would submit. It touches no server and writes no file.

Owns: what stands in the place of `xp`. What the function would learn from jobs that have not run ends the rehearsal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from xpm_core.config import state_of, upstream
from xpm_core.config.attributes import experiments
from xpm_core.config.dependencies import outputs
from xpm_core.defaults import DEFAULT_QUEUE
from xpm_core.errors import WorkspaceError
from xpm_core.language.graph.state import unsubmitted
from xpm_core.language.graph.tags import submission_tags
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity import seal
from xpm_core.language.identity.digest import task_id
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.show.report import Summary, summarize
from xpm_core.script.submit.arguments import check_variable
from xpm_core.script.submit.listings import Listings
from xpm_core.script.submit.options import Options
from xpm_core.states import State
from xpm_core.store import tokens
from xpm_core.tracebacks.callsite import CodeLine, caller
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from types import TracebackType

    from xpm_core.config import Task

NO_ID = "0" * 12
"""Stands for the id of the workspace, which may not exist yet."""


class NotForeseenError(BaseException):
    """Raised when a function asks for what only a run can know. It passes `except Exception` of the user's code.

    Attributes:
        place: The line that asks.
        what: What it asks for.
    """

    def __init__(self, place: CodeLine, what: str) -> None:
        super().__init__(place, what)
        self.place, self.what = place, what


class Unconnected:
    """Stands for the connector of a rehearsal: no token is created, but all requests are checked."""

    def createtoken(
        self, name: str, count: int, *, scope: str = "server", units: bool = False, env: str = ""
    ) -> tokens.Token:
        """A token of that name, which exists nowhere."""
        tokens.check_token(name, count, env)
        return tokens.Token(name, count)

    def limitpasses(self, count: int) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> NoReturn:
        raise NotForeseenError(caller(), f"asks the server ({name})")


class Plan:
    """Stands for an experiment, and collects what would be submitted.

    Args:
        workspace: The directory of the workspace. It need not exist.
        name: The name of the experiment.
        queue: The default queue.

    Attributes:
        jobs: The jobs, by identity, in the order of their submission.
    """

    def __init__(self, workspace: Path, name: str, queue: str | None) -> None:
        path = Path(os.path.realpath(workspace))
        if path.exists() and not path.is_dir():
            raise WorkspaceError(str(path), "is not a directory", "Name a workspace's directory.")
        self.name, self.queue = name, queue or DEFAULT_QUEUE
        self.workspace = Workspace(path, NO_ID)
        self.connector = Unconnected()
        self.jobs: dict[str, TrackedJob] = {}
        self._options = Options(queue=self.queue)
        self._listings = Listings()

    def __enter__(self) -> Plan:
        experiments.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        experiments.remove(self)

    def submit(self, task: Task, given: Mapping[str, Any]) -> Any:
        """Take a task; `Task.submit` calls this. All of it is checked as at a submission."""
        place = caller()
        options = Options.of(given, place, self._options) if given else self._options
        needs = upstream(task)
        identity = seal.seal(task)
        below = [each for _, each in reachable(task, unsubmitted)]
        job = self.jobs.get(identity)
        if job is None:
            tags = submission_tags(task, below, needs)
            job = self.jobs[identity] = self._job(task, identity, tags, options, place)
        state_of(task).submitted = state_of(task).submitted or job
        return outputs(task)

    def _job(self, task: Task, identity: str, tags: Mapping[str, Any], options: Options, place: CodeLine) -> TrackedJob:
        directory = self.workspace.job(task_id(type(task)), identity)
        queue = options.queue or self.queue
        job = TrackedJob(self, identity, type(task).__name__, directory, place, queue, tags, state_of(task).demand)
        if self._listings.marked(directory) and directory.adoptable() is not None:
            job.state, job.reused = State.DONE, True
        return job

    def setenv(self, name: str, value: str, override: bool = True) -> None:
        """Check a variable."""
        check_variable(name, value)

    def wait(self) -> Summary:
        """Go on if all jobs are done already; else this ends the rehearsal."""
        summary = summarize(self.jobs.values())
        if not summary:
            raise NotForeseenError(caller(), "waits for jobs that are not done")
        return summary

    def wait_for(self, job: TrackedJob) -> bool:
        """The same for a job; `Task.wait` calls this."""
        raise NotForeseenError(caller(), "waits for a job that is not done")

    def listen(self, job: TrackedJob, callback: Callable[..., object], task: Any) -> None:
        """Callbacks are not called, because they may write files."""

    def watch(self, job: TrackedJob, watch: Any) -> None:
        """Nor are functions that watch outputs."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotForeseenError(caller(), f"asks for what only a run has (xp.{name})")
