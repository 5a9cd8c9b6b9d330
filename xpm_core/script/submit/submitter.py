"""What a submission finds: a new job, one to attach to, one that is done, or one whose result is gone.

Owns: the way from a sealed task to a tracked job, and what the job's directory has to say in it (ARCHITECTURE.md,
"The job directory is the record").
"""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from xpm_core.backoff import Backoff
from xpm_core.config import state_of, upstream
from xpm_core.defaults import DEFAULT_QUEUE
from xpm_core.errors import RedisFullError, XpmError
from xpm_core.labels import short
from xpm_core.language.graph.state import EMPTY, unsubmitted
from xpm_core.language.graph.tags import name_from_tags, submission_tags
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity import seal
from xpm_core.language.identity.digest import task_id
from xpm_core.project.origin import project_name
from xpm_core.reading.server import server_time
from xpm_core.script.follow.follower import LONGEST_PAUSE_S, SHORTEST_PAUSE_S
from xpm_core.script.follow.markers import mark_done
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.script.submit.guard import refuse_unguarded
from xpm_core.script.submit.listings import LISTING_LAG_S, Listings
from xpm_core.script.submit.lookalikes import Lookalikes
from xpm_core.script.submit.options import Options
from xpm_core.script.submit.outbox import Answer, Outbox
from xpm_core.script.submit.pending import Asked, Parcel
from xpm_core.script.submit.twins import Twins
from xpm_core.server.connection import OUTAGES
from xpm_core.states import State
from xpm_core.store.records import RetryCode, Run, Submission, SubmitCode, Submitted
from xpm_core.store.scripts import Sent
from xpm_core.tracebacks.callsite import CodeLine, format_line
from xpm_core.wire import payload, signing
from xpm_core.workspace.experiment_directory import ExperimentDirectory
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_links import JobLinks
from xpm_core.workspace.payload_parts import Parts

if TYPE_CHECKING:
    from xpm_core.config import Task
    from xpm_core.store.jobs import Store
    from xpm_core.workspace.workspace import Workspace

log = logging.getLogger("xpm")


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
        self.twins, self.lookalikes = Twins(), Lookalikes(workspace, directory)
        self._outbox = Outbox(self._send, tracker.script_is_idle)
        self._listings, self._links = Listings(), JobLinks(directory)
        self._classes: set[type] = set()
        self._names: dict[type, tuple[str, str, str]] = {}
        self._parts = Parts(workspace.path)
        self._written = lru_cache(maxsize=64)(format_line)  # most tasks are submitted by one line
        self._key = signing.key_in(os.environ)
        self._closed = threading.Event()

    def submit(self, task: Task, options: Options, place: CodeLine) -> TrackedJob:
        """Seal a task and put it on its way; return its job. Equal tasks of a run share one job.

        The first task of a class is sent at once, so that what is wrong with the class is told where it is submitted.

        Raises:
            UnguardedScriptError: A worker that imports the script would submit the task again.
            ConfigurationError: The task is not complete or not valid.
            TokenRequestError, OriginClashError: See `Store.submit`.
        """
        self._outbox.raise_failure()
        needs = upstream(task)
        digest = seal.seal(task)
        job = self._tracker.jobs.get(digest)
        config = state_of(task)
        if job is None:
            below = [each for _, each in reachable(task, unsubmitted)]
            classes = set(map(type, below))
            refuse_unguarded(classes, place)
            new = not classes <= self._classes
            job = self._job(task, digest, submission_tags(task, below, needs), options, place)
            parcel = self._parcel(job, task, needs, options, seal.class_origins(task) if new else EMPTY)
            config.submitted = job
            self._tracker.add(job)
            self.twins.remember(task, digest, below)
            if not parcel.marked:
                self.lookalikes.look(job, task, below)
            self._outbox.put(parcel)
            if new:
                self._classes |= classes
                self.flush()
        else:
            if config.submitted is None:
                config.submitted = job
            self.twins.compare(job, task, place)
        for watch in config.watches:
            self._tracker.watch(job, watch)
        for callback in config.callbacks:
            self._tracker.listen(job, callback, task)
        return job

    def notes(self) -> list[str]:
        """Lines for the report of the run: tasks that are one job, and tasks that look like others."""
        return [*self.twins.lines(), *self.lookalikes.lines()]

    def flush(self) -> None:
        """Send what is on its way. Whatever waits or reads calls this first."""
        self._outbox.flush()

    def close(self) -> None:
        """Send what is on its way, if the server answers, and end the thread."""
        self._closed.set()
        self._outbox.close()

    def _job(self, task: Task, digest: str, tags: Mapping[str, Any], options: Options, place: CodeLine) -> TrackedJob:
        _, folder, _ = self._names_of(type(task))
        directory = JobDirectory(self._workspace.path, f"{folder}/{digest}")
        name, queue = type(task).__name__, options.queue or DEFAULT_QUEUE
        return TrackedJob(self._tracker, digest, name, directory, place, queue, tags, state_of(task).demand)

    def _parcel(
        self, job: TrackedJob, task: Task, needs: Sequence[Task], options: Options, origins: Mapping[str, str]
    ) -> Parcel:
        known = tuple([state_of(needed).submitted.identity for needed in needs])
        parcel = Parcel(job, task, self._listings.marked(job.directory), known, options, origins)
        if not parcel.done:
            self._submission(parcel)  # what is wrong with a task is told where it is submitted
        return parcel

    def _names_of(self, cls: type) -> tuple[str, str, str]:
        """The name of a class in identities, the folder of its jobs, within the workspace, and its project's name."""
        found = self._names.get(cls)
        if found is None:
            name = task_id(cls)
            found = self._names[cls] = name, self._workspace.folder_of(name), project_name(cls)
        return found

    def _submission(self, parcel: Parcel) -> Submission:
        if parcel.submission is not None:
            return parcel.submission
        job, task, options = parcel.job, parcel.task, parcel.options
        name, _, project = self._names_of(type(task))
        parcel.submission = Submission(
            identity=job.identity,
            task=name,
            name=job.name,
            directory=job.directory.relative,
            payload=payload.pack(task, self._workspace.path, job.tags, self._parts),
            needs=parcel.needs,
            demand=job.demand,
            queue=job.queue,
            priority=options.priority,
            marker=(job.directory.adoptable() or "") if parcel.marked else "",
            max_retries=options.max_retries,
            max_losses=options.max_losses,
            backoff_s=options.backoff,
            min_time_s=math.ceil(options.min_time),
            options=options.in_job(type(task)),
            tags=job.tags,
            project=project,
            where=self._written(job.place),
        )
        if self._key is not None:
            parcel.submission = signed(parcel.submission, self._workspace.id, self._key)
        return parcel.submission

    # -- sending ---------------------------------------------------------------------------------------------------

    def _send(self, parcels: list[Parcel]) -> Answer:
        asked = self._ask(parcels)
        return Answer(asked.ready, partial(self._answered, parcels, asked))

    def _answered(self, parcels: list[Parcel], asked: Asked) -> None:
        try:
            answers = self._wait_for(parcels, asked)
        except XpmError as error:
            if len(parcels) > 1:
                self._send_one_by_one(parcels)
                return
            self._tracker.drop(parcels[0].job)
            if isinstance(error, RedisFullError):  # it was not told of whom
                where = f"{self._submission(parcels[0]).label}: {error.where}"
                raise RedisFullError(where, error.problem, error.remedy) from None
            raise
        self._tracker.answered(zip([parcel.job for parcel in parcels], answers, strict=True))
        for parcel in parcels:
            self._links.add(parcel.job.directory, name_from_tags(parcel.job.tags))
        self._begun({parcel.job.queue for parcel in parcels if not parcel.job.state.settled})

    def _send_one_by_one(self, parcels: list[Parcel]) -> None:
        """One of them is refused, and with it the whole call: find it, and send the others."""
        first: XpmError | None = None
        for parcel in parcels:
            try:
                self._send([parcel]).take()
            except XpmError as error:
                first = first or error
        if first is not None:
            raise first

    def _wait_for(self, parcels: list[Parcel], asked: Asked) -> list[Submitted]:
        """The answers, and what they ask for, however long the server is away, until the experiment is left."""
        backoff = Backoff(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)
        while True:
            try:
                found = self._found(parcels, asked)
                return [self._look_after(each, answer) for each, answer in zip(parcels, found, strict=True)]
            except OUTAGES as error:
                if self._closed.is_set():
                    raise
                self._tracker.outage.failed(error)
                self._closed.wait(backoff.next_s())
                asked = self._ask(parcels)

    def _ask(self, parcels: list[Parcel]) -> Asked:
        """Recall what is done, as the directories say; if nothing is, submit."""
        if done := [each.job.identity for each in parcels if each.done]:
            return self._store.recall(self._directory.name, done)
        return self._submit(parcels)

    def _submit(self, parcels: list[Parcel]) -> Sent[list[Submitted]]:
        origins = {each: origin for parcel in parcels for each, origin in parcel.origins.items()}
        submissions = [self._submission(parcel) for parcel in parcels]
        return self._store.send(self._directory.name, self._run.started_ms, submissions, origins)

    def _found(self, parcels: list[Parcel], asked: Asked) -> list[Submitted]:
        """What `_ask` has found; what could not be recalled is submitted."""
        of = [parcel for parcel in parcels if parcel.done] or parcels
        known = {each.job.identity: to for each, to in zip(of, asked.reply(), strict=True) if to is not None}
        if rest := [parcel for parcel in parcels if parcel.job.identity not in known]:
            answers = self._submit(rest).reply()
            known.update((parcel.job.identity, answer) for parcel, answer in zip(rest, answers, strict=True))
        return [known[parcel.job.identity] for parcel in parcels]

    def _look_after(self, parcel: Parcel, answer: Submitted) -> Submitted:
        """A job that is done but has no marker: mend the marker, or run the job again when its directory is gone."""
        if answer.code is not SubmitCode.UNMARKED:
            return answer
        directory, label = parcel.job.directory, parcel.job.label
        if mark_done(directory, answer.execution):
            return answer
        if server_time(self._store.client) - answer.ended_s < LISTING_LAG_S:
            return answer
        code, now, other = self._store.retry(parcel.job.identity, answer.execution, self._submission(parcel))
        if code is RetryCode.IN_USE:
            log.warning("%s: its result is gone, but job %s uses it: it is not run again now", label, short(other))
            return answer
        log.warning("%s: it was done, but its result is gone from %s: it runs again", label, directory.path)
        return answer._replace(code=SubmitCode.RETRIED, state=State(now))


def signed(job: Submission, workspace_id: str, key: bytes) -> Submission:
    """A submission with its signature."""
    parts = signing.SignedJob(workspace_id, job.identity, job.task, job.name, job.directory, job.payload, job.options)
    return job._replace(options={**job.options, signing.SIGNATURE: signing.sign(key, parts)})
