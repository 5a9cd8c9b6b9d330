"""What a submission finds: a new job, one to attach to, one that is done, or one whose result is gone.

Owns: the way from a sealed task to a tracked job, and what the job's directory has to say in it (DESIGN.md,
"The job directory is the record").
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from xpm_core import identity, payload
from xpm_core.config import ResumableTask, state, upstream
from xpm_core.errors import ExperimentError
from xpm_core.names import check_queue_name
from xpm_core.states import State
from xpm_core.store import reading
from xpm_core.store.records import (
    DEFAULT_BACKOFF_S,
    DEFAULT_MAX_LOSSES,
    DEFAULT_MAX_RETRIES,
    DEFAULT_QUEUE,
    RetryCode,
    Run,
    Submission,
    SubmitCode,
    Submitted,
)
from xpm_core.tags import tagspath
from xpm_core.tracking import TrackedJob, Tracker, position

if TYPE_CHECKING:
    from xpm_core.config import Task
    from xpm_core.experiment_directory import ExperimentDirectory
    from xpm_core.job_directory import JobDirectory
    from xpm_core.store.jobs import Store
    from xpm_core.workspace import Workspace

log = logging.getLogger("xpm")

LISTING_LAG_S = 120.0
"""How long a network file system may say that a directory is not there; a marker counts as missing only after."""


@dataclass(frozen=True)
class Options:
    """What `Task.submit` can be told.

    Args:
        queue: The queue; None for the experiment's own.
        priority: -100 to 100; higher first.
        timeout: After how long the job is killed, seconds; None for never.
        max_retries: How often it is run again after its own errors.
        max_losses: How often it is run again after its worker was lost.
        backoff: Delay of the first retry, seconds; each further one takes twice as long.
        env: Variables added to the job's environment.
    """

    queue: str | None = None
    priority: int = 0
    timeout: float | None = None
    max_retries: int = DEFAULT_MAX_RETRIES
    max_losses: int = DEFAULT_MAX_LOSSES
    backoff: float = DEFAULT_BACKOFF_S
    env: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any], where: str) -> Options:
        """Read what `submit` was given.

        Raises:
            ExperimentError: There is no such option, or its value cannot work.
        """
        names = [known.name for known in fields(cls)]
        for name in given:
            if name not in names:
                near = get_close_matches(name, names, 1)
                remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
                raise ExperimentError(where, f"submit(): unknown option {name!r}", remedy)
        options = cls(**given)
        for name, (right, wanted) in _CHECKS.items():
            value = getattr(options, name)
            if not right(value):
                raise ExperimentError(where, f"submit({name}={value!r}): expected {wanted}", "Pass such a value.")
        if options.queue is not None:
            check_queue_name(options.queue)
        return options


def _whole(value: Any, least: float, most: float = float("inf")) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "queue": (lambda value: value is None or isinstance(value, str), "a name"),
    "priority": (lambda value: _whole(value, -100, 100), "an integer from -100 to 100"),
    "timeout": (lambda value: value is None or (_seconds(value) and value > 0), "a number of seconds above 0"),
    "max_retries": (lambda value: _whole(value, 0), "an integer of at least 0"),
    "max_losses": (lambda value: _whole(value, 0), "an integer of at least 0"),
    "backoff": (_seconds, "a number of seconds, at least 0"),
    "env": (
        lambda value: isinstance(value, Mapping) and all(isinstance(x, str) for x in [*value, *value.values()]),
        "names and values as strings",
    ),
}


class Submitter:
    """Submits the tasks of one run."""

    def __init__(
        self, workspace: Workspace, store: Store, directory: ExperimentDirectory, run: Run, tracker: Tracker
    ) -> None:
        self._workspace, self._store, self._directory, self._run = workspace, store, directory, run
        self._tracker = tracker

    def submit(self, task: Task, options: Options, where: str) -> TrackedJob:
        """Seal and submit a task; return its job. Equal tasks of a run share one job.

        Raises:
            ConfigurationError: The task is not complete or not valid.
            TokenRequestError, OriginClashError: See `Store.submit`.
        """
        needs = upstream(task)
        digest = identity.seal(task)
        job = self._tracker.jobs.get(digest)
        if job is None:
            submission = self._submission(task, digest, needs, options)
            job = self._send(task, submission, where)
        config = state(task)
        if config.submitted is None:
            config.submitted = job
            for callback in config.callbacks:
                self._tracker.listen(job, callback)
        return job

    def _submission(self, task: Task, digest: str, needs: Sequence[Task], options: Options) -> Submission:
        config = state(task)
        directory = self._workspace.job(identity.task_id(type(task)), digest)
        return Submission(
            identity=digest,
            task=identity.task_id(type(task)),
            name=type(task).__name__,
            directory=directory.relative,
            payload=payload.pack(task, self._workspace.path),
            needs=[state(needed).submitted.identity for needed in needs],
            demand=config.demand,
            queue=options.queue or DEFAULT_QUEUE,
            priority=options.priority,
            marker=directory.adoptable() or "",
            max_retries=options.max_retries,
            max_losses=options.max_losses,
            backoff_s=options.backoff,
            options={
                "timeout_s": options.timeout,
                "env": dict(options.env),
                "resumable": isinstance(task, ResumableTask),
            },
            tags=task.tags(),
        )

    def _send(self, task: Task, submission: Submission, where: str) -> TrackedJob:
        directory = self._workspace.job_at(submission.directory)
        origins = identity.class_origins(task)
        [answer] = self._store.submit(self._directory.name, self._run.started_ms, [submission], origins)
        answer = self._look_after(submission, answer, directory)
        job = TrackedJob(
            tracker=self._tracker,
            identity=submission.identity,
            name=submission.name,
            task=task,
            directory=directory,
            where=where,
            queue=submission.queue,
            tags=dict(submission.tags),
            demand=dict(submission.demand),
            state=answer.state,
            reused=answer.state is State.DONE,
            root=answer.root,
            cursor=position(answer.cursor),
        )
        self._tracker.add(job)
        self._directory.link_job(directory, tagspath(task))
        return job

    def _look_after(self, submission: Submission, answer: Submitted, directory: JobDirectory) -> Submitted:
        """A job that is done but has no marker: mend the marker, or run the job again when its directory is gone."""
        if answer.code is not SubmitCode.UNMARKED:
            return answer
        if (record := directory.record(answer.execution)) is not None and record.get("reason") == "done":
            directory.write_marker("done", answer.execution)
            return answer
        if reading.server_time(self._store.client) - answer.ended_s < LISTING_LAG_S:
            return answer
        label = f"{submission.name}/{submission.identity[:7]}"
        code, now, other = self._store.retry(submission.identity, answer.execution)
        if code is RetryCode.IN_USE:
            log.warning("%s: its result is gone, but job %s uses it: it is not run again now", label, other[:7])
            return answer
        log.warning("%s: it was done, but its result is gone from %s: it runs again", label, directory.path)
        again, cursor = State(now), answer.cursor
        return Submitted(SubmitCode.RETRIED, again, answer.execution, answer.ended_s, "", cursor)
