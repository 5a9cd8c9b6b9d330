"""What a submission finds: a new job, one to attach to, one that is done, or one whose result is gone.

Owns: the way from a sealed task to a tracked job, and what the job's directory has to say in it (ARCHITECTURE.md,
"The job directory is the record").
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from xpm_core import identity, payload, signing
from xpm_core.config import ResumableTask, state, upstream
from xpm_core.errors import ExperimentError, XpmError
from xpm_core.graph import Place, reachable, written
from xpm_core.names import check_queue_name
from xpm_core.outbox import Outbox
from xpm_core.states import State
from xpm_core.store import reading
from xpm_core.store.connection import OUTAGES
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
from xpm_core.tags import joined
from xpm_core.tracking import BACKOFF_MOST_S, TrackedJob, Tracker

if TYPE_CHECKING:
    from xpm_core.config import Task
    from xpm_core.experiment_directory import ExperimentDirectory
    from xpm_core.job_directory import JobDirectory
    from xpm_core.store.jobs import Store
    from xpm_core.workspace import Workspace

log = logging.getLogger("xpm")

LISTED_S = 10.0
"""How long a listing of a task's folder is believed."""

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
        min_time: How long it runs at least, seconds: workers that have less time left do not take it.
    """

    queue: str | None = None
    priority: int = 0
    timeout: float | None = None
    max_retries: int = DEFAULT_MAX_RETRIES
    max_losses: int = DEFAULT_MAX_LOSSES
    backoff: float = DEFAULT_BACKOFF_S
    env: Mapping[str, str] = field(default_factory=dict)
    min_time: float = 0

    @classmethod
    def of(cls, given: Mapping[str, Any], place: Place) -> Options:
        """Read what `submit` was given.

        Raises:
            ExperimentError: There is no such option, or its value cannot work.
        """
        for name in given:
            if name not in _CHECKS:
                names = [known.name for known in fields(cls)]
                near = get_close_matches(name, names, 1)
                remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
                raise ExperimentError(written(place), f"submit(): unknown option {name!r}", remedy)
        options = cls(**given)
        for name, value in given.items():
            right, wanted = _CHECKS[name]
            if not right(value):
                problem = f"submit({name}={value!r}): expected {wanted}"
                raise ExperimentError(written(place), problem, "Pass such a value.")
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
    "min_time": (lambda value: _seconds(value) and value <= 10**9, "a number of seconds, at least 0"),
}


class Parcel:
    """A submission on its way, and the job that waits for its answer.

    Args:
        job: The job.
        marker: The execution that its directory names as done; empty when it names none.
        make: Makes the submission, which a job that is done does not need.
        origins: Of classes that the server has not been told of yet.
    """

    def __init__(self, job: TrackedJob, marker: str, make: Callable[[], Submission], origins: dict[str, str]) -> None:
        self.job, self.marker, self.origins = job, marker, origins
        self._make = make
        self._made: Submission | None = None
        if not marker:
            self.submission()  # what is wrong with a task is told where it is submitted

    def submission(self) -> Submission:
        """What the server is to be told."""
        if self._made is None:
            self._made = self._make()
        return self._made


class Listings:
    """Which jobs have a directory, by one listing for all jobs of a task.

    A directory that was made since is missed: then the server knows the job, or whoever is to run it looks.
    """

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}
        self._taken_s: dict[str, float] = {}

    def marker(self, job: JobDirectory) -> str:
        """The execution that a job's directory names as done; empty when there is none."""
        folder = job.folder
        if time.monotonic() - self._taken_s.get(folder, -LISTED_S) >= LISTED_S:
            with contextlib.suppress(OSError):
                self._names[folder] = frozenset()
                self._names[folder] = frozenset(os.listdir(folder))
            self._taken_s[folder] = time.monotonic()
        if job.identity not in self._names[folder]:
            return ""
        marker = job.done_marker()
        return "" if marker is None else marker.execution


class Submitter:
    """Submits the tasks of one run, in batches.

    Args:
        workspace: Where the jobs' directories lie.
        store: Where they are submitted.
        directory: Of the experiment.
        run: What failed before it began is retried.
        tracker: Learns of each job.
        begun: Called after each batch with the queues of jobs that are not settled.
    """

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        directory: ExperimentDirectory,
        run: Run,
        tracker: Tracker,
        begun: Callable[[set[str]], None],
    ) -> None:
        self._workspace, self._store, self._directory, self._run = workspace, store, directory, run
        self._tracker, self._begun = tracker, begun
        self._outbox = Outbox(self._send)
        self._listings = Listings()
        self._classes: set[type] = set()
        self._closed = threading.Event()

    def submit(self, task: Task, options: Options, place: Place) -> TrackedJob:
        """Seal a task and put it on its way; return its job. Equal tasks of a run share one job.

        The first task of a class is sent at once, so that what is wrong with the class is told where it is submitted.

        Raises:
            ConfigurationError: The task is not complete or not valid.
            TokenRequestError, OriginClashError: See `Store.submit`.
        """
        self._outbox.raise_failure()
        needs = upstream(task)
        digest = identity.seal(task)
        job = self._tracker.jobs.get(digest)
        config = state(task)
        if job is None:
            classes = {type(each) for _, each in reachable(task)}
            new = not self._classes.issuperset(classes)
            parcel = self._parcel(task, needs, options, place, identity.class_origins(task) if new else {})
            job = config.submitted = parcel.job
            self._tracker.add(job)
            self._outbox.put(parcel)
            if new:
                self._classes |= classes
                self.flush()
        elif config.submitted is None:
            config.submitted = job
        for watch in config.watches:
            self._tracker.watch(job, watch)
        for callback in config.callbacks:
            self._tracker.listen(job, callback)
        return job

    def flush(self) -> None:
        """Send what is on its way. Whatever waits or reads calls this first."""
        self._outbox.flush()

    def close(self) -> None:
        """Send what is on its way, if the server answers, and end the thread."""
        self._closed.set()
        self._outbox.close()

    def _parcel(
        self, task: Task, needs: Sequence[Task], options: Options, place: Place, origins: dict[str, str]
    ) -> Parcel:
        config = state(task)
        job = TrackedJob(
            tracker=self._tracker,
            identity=identity.seal(task),
            name=type(task).__name__,
            task=task,
            directory=self._workspace.job(identity.task_id(type(task)), identity.seal(task)),
            place=place,
            queue=options.queue or DEFAULT_QUEUE,
            tags=task.tags(),
            demand=dict(config.demand),
        )
        known = [state(needed).submitted.identity for needed in needs]
        marker = self._listings.marker(job.directory)
        return Parcel(job, marker, lambda: self._submission(job, known, options), origins)

    def _submission(self, job: TrackedJob, needs: list[str], options: Options) -> Submission:
        task = job.task
        submission = Submission(
            identity=job.identity,
            task=identity.task_id(type(task)),
            name=job.name,
            directory=job.directory.relative,
            payload=payload.pack(task, self._workspace.path),
            needs=needs,
            demand=job.demand,
            queue=job.queue,
            priority=options.priority,
            marker=job.directory.adoptable() or "" if self._listings.marker(job.directory) else "",
            max_retries=options.max_retries,
            max_losses=options.max_losses,
            backoff_s=options.backoff,
            min_time_s=math.ceil(options.min_time),
            options={
                "timeout_s": options.timeout,
                "env": dict(options.env),
                "resumable": isinstance(task, ResumableTask),
                "template": getattr(type(task), "template", True) is not False,
            },
            tags=job.tags,
        )
        return signed(submission, self._workspace.id)

    # -- sending ---------------------------------------------------------------------------------------------------

    def _send(self, parcels: list[Parcel]) -> None:
        try:
            answers = self._submitted(parcels)
        except XpmError:
            if len(parcels) == 1:
                self._tracker.drop(parcels[0].job)
                raise
            self._send_one_by_one(parcels)
            return
        for parcel, answer in zip(parcels, answers, strict=True):
            self._tracker.answered(parcel.job, self._look_after(parcel, answer))
            self._directory.link_job(parcel.job.directory, joined(parcel.job.tags))
        self._begun({parcel.job.queue for parcel in parcels if not parcel.job.state.settled})

    def _send_one_by_one(self, parcels: list[Parcel]) -> None:
        """One of them is refused, and with it the whole call: find it, and send the others."""
        first: XpmError | None = None
        for parcel in parcels:
            try:
                self._send([parcel])
            except XpmError as error:
                first = first or error
        if first is not None:
            raise first

    def _submitted(self, parcels: list[Parcel]) -> list[Submitted]:
        """Submit, however long the server is away, until the experiment is left."""
        delay_s = 0.1
        while True:
            try:
                return self._ask(parcels)
            except OUTAGES as error:
                if self._closed.is_set():
                    raise
                self._tracker.outage = str(error)
                self._closed.wait(delay_s * random.uniform(0.5, 1.5))
                delay_s = min(delay_s * 2, BACKOFF_MOST_S)

    def _ask(self, parcels: list[Parcel]) -> list[Submitted]:
        """Recall what is done, and submit the rest."""
        name = self._directory.name
        done = [(parcel.job.identity, parcel.marker) for parcel in parcels if parcel.marker and not parcel.origins]
        recalled = self._store.recall(name, done) if done else []
        known = {key[0]: found for key, found in zip(done, recalled, strict=True) if found is not None}
        rest = [parcel for parcel in parcels if parcel.job.identity not in known]
        if rest:
            origins = {each: origin for parcel in rest for each, origin in parcel.origins.items()}
            submissions = [parcel.submission() for parcel in rest]
            answers = self._store.submit(name, self._run.started_ms, submissions, origins)
            known.update((parcel.job.identity, answer) for parcel, answer in zip(rest, answers, strict=True))
        return [known[parcel.job.identity] for parcel in parcels]

    def _look_after(self, parcel: Parcel, answer: Submitted) -> Submitted:
        """A job that is done but has no marker: mend the marker, or run the job again when its directory is gone."""
        if answer.code is not SubmitCode.UNMARKED:
            return answer
        directory, label = parcel.job.directory, parcel.job.label
        if (record := directory.record(answer.execution)) is not None and record.get("reason") == "done":
            directory.write_marker("done", answer.execution)
            return answer
        if reading.server_time(self._store.client) - answer.ended_s < LISTING_LAG_S:
            return answer
        code, now, other = self._store.retry(parcel.job.identity, answer.execution, parcel.submission())
        if code is RetryCode.IN_USE:
            log.warning("%s: its result is gone, but job %s uses it: it is not run again now", label, other[:7])
            return answer
        log.warning("%s: it was done, but its result is gone from %s: it runs again", label, directory.path)
        return replace(answer, code=SubmitCode.RETRIED, state=State(now))


def signed(job: Submission, workspace_id: str) -> Submission:
    """A submission with its signature, if this process has XPM_SIGNING_KEY."""
    key = signing.key_in(os.environ)
    if key is None:
        return job
    parts = signing.SignedJob(workspace_id, job.identity, job.task, job.name, job.directory, job.payload, job.options)
    return replace(job, options={**job.options, signing.SIGNATURE: signing.sign(key, parts)})
