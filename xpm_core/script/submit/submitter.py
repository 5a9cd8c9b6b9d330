"""Submit tasks: each one becomes a new job, or joins a job that is there, whether that is done or not.

Owns: the way from a sealed task to a tracked job, and when the job's directory decides on it
(docs/internals/files.md).
"""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Any

from xpm_core.backoff import Backoff
from xpm_core.config import state_of, upstream
from xpm_core.config.dependencies import own_paths
from xpm_core.defaults import DEFAULT_QUEUE
from xpm_core.errors import BeingRemovedError, ExperimentError, RedisFullError, XpmError
from xpm_core.index.parameters import flat_parameters
from xpm_core.index.writers import IndexedJob, SubmissionWriter
from xpm_core.labels import short
from xpm_core.language.graph.state import EMPTY, unsubmitted
from xpm_core.language.graph.tags import name_from_tags, submission_tags
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity import seal
from xpm_core.language.identity.digest import task_id
from xpm_core.project.origin import project_name
from xpm_core.reading.server import server_time
from xpm_core.script.code.advice import advice
from xpm_core.script.code.choice import LIVE
from xpm_core.script.code.fates import Fates
from xpm_core.script.code.on_change import ERROR, IGNORE, RERUN, WARN, OnChange, rule_of, without_effect
from xpm_core.script.code.reused import Reused, changed_line
from xpm_core.script.code.run_code import RunCode
from xpm_core.script.follow.follower import LONGEST_PAUSE_S, SHORTEST_PAUSE_S
from xpm_core.script.follow.markers import mark_done
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.script.submit.guard import refuse_unguarded
from xpm_core.script.submit.listings import Listings
from xpm_core.script.submit.lookalikes import Lookalikes
from xpm_core.script.submit.options import Options
from xpm_core.script.submit.outbox import Answer, Outbox
from xpm_core.script.submit.pending import Asked, Pending
from xpm_core.script.submit.twins import Twins
from xpm_core.server.connection import OUTAGES
from xpm_core.states import State
from xpm_core.store.records import RetryCode, Run, Submission, SubmitCode, Submitted
from xpm_core.store.scripts import Sent
from xpm_core.tracebacks.callsite import CodeLine, format_line
from xpm_core.wire import payload, signing
from xpm_core.words.commands import Commands
from xpm_core.words.text import say
from xpm_core.workspace.experiment_directory import ExperimentDirectory, RunDirectory
from xpm_core.workspace.files import LISTING_LAG_S
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_links import JobLinks
from xpm_core.workspace.job_spec import JobSpec, Retries
from xpm_core.workspace.payload_parts import Parts

if TYPE_CHECKING:
    from xpm_core.config import Task
    from xpm_core.store.jobs import Retried, Store
    from xpm_core.workspace.workspace import Workspace

log = logging.getLogger("xpm")

REMOVAL_S = 0.05
"""The pause before a job is submitted again whose directory is being removed just now, seconds."""
MANY_PAUSES = 60
"""After so many of these pauses, the log says what the script waits for: `xpm gc` may have been killed."""


def tell(line: str) -> None:
    """Say something on the code of jobs, and write it into the run's log."""
    log.info("%s", line)
    say(line)


class Submitter:
    """Submits the tasks of one run, in batches.

    Args:
        workspace: The directories of the jobs lie there.
        store: The jobs are submitted to it.
        directory: The directory of the experiment.
        run: The run of the script. A job that failed before it began runs again.
        record: The directory of the run, which records the jobs that the run names.
        tracker: Gets each job.
        begun: Called after each batch, with the queues of its jobs that are not settled.

    Attributes:
        on_change: What is done with a done job that ran code which has changed, unless its class says it.
        commands: Writes the commands that its lines name.
    """

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        directory: ExperimentDirectory,
        run: Run,
        record: RunDirectory,
        tracker: Tracker,
        begun: Callable[[set[str]], None],
    ) -> None:
        self._workspace, self._store, self._directory, self._run = workspace, store, directory, run
        self._record, self._tracker, self._begun = record, tracker, begun
        self.twins, self.lookalikes = Twins(), Lookalikes(workspace, directory)
        self._outbox = Outbox(self._send, tracker.script_is_idle)
        self._listings, self._links = Listings(), JobLinks(directory)
        self._index = SubmissionWriter(directory, run.id)
        self._record.name_jobs(())
        self._classes: set[type] = set()
        self._names: dict[type, tuple[str, str, str]] = {}
        self._parts = Parts(workspace.path)
        self._written = lru_cache(maxsize=64)(format_line)  # most tasks are submitted by one line
        self._key = signing.key_in(os.environ)
        self._code = RunCode(workspace.path, tell)
        self._fates = Fates(self._code.changed)
        self.on_change: OnChange = WARN
        self.commands = Commands()
        self._rules: dict[str, OnChange] = {}
        self._reused = Reused(workspace.path, lambda: self._code.newest)
        self._began_s = monotonic()
        self._closed = threading.Event()

    def submit(self, task: Task, options: Options, place: CodeLine) -> TrackedJob:
        """Seal a task, and submit it soon. Equal tasks of a run share one job.

        The first task of a class is sent at once, so that an error of the class is raised by the line that submits it.

        Args:
            task: The task.
            options: The options of `submit`.
            place: The line that submits it.

        Returns:
            The job.

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
            if job.directory.task not in self._rules:
                self._rules[job.directory.task] = rule_of(type(task), self.on_change, self._written(place))
            pending = self._pending(job, task, needs, options, classes)
            config.submitted = job
            self._tracker.add(job)
            self.twins.remember(task, digest, below, options)
            if not pending.marked:
                self.lookalikes.look(job, task, below)
            self._outbox.put(pending)
            if new:
                self._classes |= classes
                self.flush()
            own_paths(task, below)
        else:
            if config.submitted is None:
                config.submitted = job
            self.twins.compare(job, task, place, options)
            own_paths(task)
        for watch in config.watches:
            self._tracker.watch(job, watch)
        for callback in config.callbacks:
            self._tracker.listen(job, callback, task)
        return job

    def notes(self) -> list[str]:
        """Lines for the report of the run: tasks that are one job, tasks that look like others, and other code."""
        jobs = [job for job in self._tracker.snapshot().values() if job.reused]
        told = [job for job in jobs if self._rules[job.directory.task] != IGNORE]
        code = self._reused.lines(told)
        code += advice(self._reused.older, self.commands, self._directory.name)
        if not self._code.newest.snapshot:
            code += without_effect({self._rules[job.directory.task] for job in jobs})
        return [*self.twins.lines(), *self.lookalikes.lines(), *self._fates.notes(), *code]

    def say_fates(self) -> None:
        """Say which jobs that were there have other code now than before, or than this run submits."""
        for line in self._fates.lines():
            tell(line)

    def flush(self) -> None:
        """Send all pending submissions. Every method that waits or reads calls this first."""
        self._outbox.flush()

    def close(self) -> None:
        """Send all pending submissions, if the server answers, and end the thread."""
        self._closed.set()
        self._outbox.close()
        self.say_fates()
        self._record.end()

    def _job(self, task: Task, digest: str, tags: Mapping[str, Any], options: Options, place: CodeLine) -> TrackedJob:
        _, folder, _ = self._names_of(type(task))
        directory = JobDirectory(self._workspace.path, f"{folder}/{digest}")
        name, queue = type(task).__name__, options.queue or DEFAULT_QUEUE
        return TrackedJob(self._tracker, digest, name, directory, place, queue, tags, state_of(task).demand)

    def _pending(
        self, job: TrackedJob, task: Task, needs: Sequence[Task], options: Options, classes: set[type]
    ) -> Pending:
        known = job.needs = tuple([state_of(needed).submitted.identity for needed in needs])
        origins = EMPTY if classes <= self._classes else seal.class_origins(task)
        imported = self._imported(classes, needs)
        pending = Pending(job, task, self._listings.marked(job.directory), known, options, origins, imported)
        if not pending.done:
            self._submission(pending)  # so that an error of the task is raised by the line that submits it
        return pending

    def _names_of(self, cls: type) -> tuple[str, str, str]:
        """The name of a class in identities, the folder of its jobs, within the workspace, and its project's name."""
        found = self._names.get(cls)
        if found is None:
            name = task_id(cls)
            found = self._names[cls] = name, self._workspace.folder_of(name), project_name(cls)
        return found

    def _submission(self, pending: Pending) -> Submission:
        if pending.submission is not None:
            return pending.submission
        job, task, options = pending.job, pending.task, pending.options
        name, _, project = self._names_of(type(task))
        wire_form = payload.pack(task, self._workspace.path, job.tags, self._parts)
        code = self._code.of(pending.classes, live=options.code == LIVE)
        how = options.in_job(type(task), code)
        spec = JobSpec(job.identity, name, job.name, job.directory.relative, wire_form, how)
        pending.submission = Submission(
            spec=spec if self._key is None else signing.signed(self._key, self._workspace.id, spec),
            needs=pending.needs,
            demand=job.demand,
            queue=job.queue,
            priority=options.priority,
            marker=(job.directory.adoptable() or "") if pending.marked else "",
            retries=Retries(options.max_retries, options.max_losses, options.backoff),
            min_time_s=math.ceil(options.min_time),
            tags=job.tags,
            project=project,
            made_ms=self._now_ms(),
            where=self._written(job.place),
        )
        return pending.submission

    def _now_ms(self) -> int:
        """The time by the server's clock, in steps of 50 ms, so that jobs that are sent together share it."""
        return self._run.started_ms + int((monotonic() - self._began_s) * 20) * 50

    def _imported(self, classes: set[type], needs: Sequence[Task]) -> set[type]:
        """The classes that a job imports: its own, and those of tasks that an earlier run has submitted."""
        for needed in needs:
            submitted = state_of(needed).submitted
            if self._tracker.jobs.get(submitted.identity) is not submitted:
                classes = classes | {type(each) for _, each in reachable(needed)}
        return classes

    # -- sending ---------------------------------------------------------------------------------------------------

    def _send(self, batch: list[Pending]) -> Answer:
        self._record.name_jobs(pending.job.identity for pending in batch)
        asked = self._ask(batch)
        return Answer(asked.ready, partial(self._answered, batch, asked))

    def _answered(self, batch: list[Pending], asked: Asked) -> None:
        try:
            answers = self._wait_for(batch, asked)
        except XpmError as error:
            if len(batch) > 1:
                self._send_one_by_one(batch)
                return
            self._tracker.drop(batch[0].job)
            if isinstance(error, RedisFullError):  # the server does not say which job it has no memory for
                where = f"{self._submission(batch[0]).label}: {error.where}"
                raise RedisFullError(where, error.problem, error.remedy) from None
            raise
        self._tracker.answered(zip([pending.job for pending in batch], answers, strict=True))
        for pending, answer in zip(batch, answers, strict=True):
            if pending.submission is not None:
                self._fates.note(answer, pending.submission.spec.options.snapshot)
        for pending in batch:
            self._links.add(pending.job.directory, name_from_tags(pending.job.tags))
        self._index.add(map(self._indexed, batch, answers))
        self._begun({pending.job.queue for pending in batch if not pending.job.state.settled})
        for pending in batch:
            self._refuse_changed(pending.job)

    def _indexed(self, pending: Pending, answer: Submitted) -> IndexedJob:
        """A job as it enters the index of the experiment."""
        job, task = pending.job, pending.task
        params = partial(flat_parameters, task, job.directory)
        again, new = answer.code is SubmitCode.RETRIED, answer.code is SubmitCode.NEW
        return IndexedJob(job.identity, self._names[type(task)][0], job.tags, params, again, new, pending.asked_s)

    def _send_one_by_one(self, batch: list[Pending]) -> None:
        """The server refuses a whole batch because of one job. Find that job, and submit the others."""
        first: XpmError | None = None
        for pending in batch:
            try:
                self._send([pending]).take()
            except XpmError as error:
                first = first or error
        if first is not None:
            raise first

    def _wait_for(self, batch: list[Pending], asked: Asked) -> list[Submitted]:
        """Return the answers, however long the server is away. Only the end of the experiment ends the waiting."""
        backoff, pauses = Backoff(SHORTEST_PAUSE_S, LONGEST_PAUSE_S), 0
        while True:
            try:
                found = self._found(batch, asked)
                return [self._look_after(each, answer) for each, answer in zip(batch, found, strict=True)]
            except OUTAGES as error:
                if self._closed.is_set():
                    raise
                self._tracker.outage.failed(error)
                self._closed.wait(backoff.next_s())
                asked = self._ask(batch)
            except BeingRemovedError as error:  # also at the end of the experiment, because this is soon over
                sleep(REMOVAL_S)
                pauses += 1
                if pauses == MANY_PAUSES:
                    log.warning("%s: %s; if that was killed, this takes two minutes", error.where, error.problem)
                for each in batch:
                    each.look_again()
                asked = self._ask(batch)

    def _ask(self, batch: list[Pending]) -> Asked:
        """Recall the jobs whose directories say that they are done; if there are none, submit all."""
        for each in batch:
            each.asked_s = time()
        if done := [each.job.identity for each in batch if each.done]:
            return self._store.recall(self._directory.name, done)
        return self._submit(batch)

    def _submit(self, batch: list[Pending]) -> Sent[list[Submitted]]:
        origins = {each: origin for pending in batch for each, origin in pending.origins.items()}
        submissions = [self._submission(pending) for pending in batch]
        return self._store.send(self._directory.name, self._run.started_ms, submissions, origins)

    def _found(self, batch: list[Pending], asked: Asked) -> list[Submitted]:
        """The answers to `_ask`. Jobs that could not be recalled are submitted."""
        of = [pending for pending in batch if pending.done] or batch
        known = {each.job.identity: to for each, to in zip(of, asked.reply(), strict=True) if to is not None}
        if rest := [pending for pending in batch if pending.job.identity not in known]:
            answers = self._submit(rest).reply()
            known.update((pending.job.identity, answer) for pending, answer in zip(rest, answers, strict=True))
        return [known[pending.job.identity] for pending in batch]

    def _look_after(self, pending: Pending, answer: Submitted) -> Submitted:
        """If a done job has no marker, write the marker, or run the job again if its directory is gone.

        A job whose code has changed runs again, too, if the run or its class asks for that.
        """
        if answer.code is SubmitCode.DONE:
            return self._renew(pending, answer)
        if answer.code is not SubmitCode.UNMARKED:
            return answer
        directory, label = pending.job.directory, pending.job.label
        if mark_done(directory, answer.execution):
            return self._renew(pending, answer)
        if server_time(self._store.client) - answer.ended_s < LISTING_LAG_S:
            return answer
        code, now, other = self._retry(pending, answer.execution)
        if code is RetryCode.IN_USE:
            log.warning("%s: its result is gone, but job %s uses it: it is not run again now", label, short(other))
            return answer
        log.warning("%s: it was done, but its result is gone from %s: it runs again", label, directory.path)
        return answer._replace(code=SubmitCode.RETRIED, state=State(now))

    def _retry(self, pending: Pending, execution: str) -> Retried:
        pending.asked_s = time()
        return self._store.retry(pending.job.identity, execution, self._submission(pending))

    # -- code that has changed -------------------------------------------------------------------------------------

    def _renew(self, pending: Pending, answer: Submitted) -> Submitted:
        """Run a done job again that ran code which has changed, if that is wanted."""
        job = pending.job
        if self._rules[job.directory.task] != RERUN:
            return answer
        found, marker = self._reused.of(job), job.directory.done_marker()
        if found.answer != "ran" or marker is None:
            return answer
        code, now, other = self._retry(pending, marker.execution)
        if code is RetryCode.IN_USE:
            log.warning("%s. Job %s uses its result: it is not run again now", changed_line(job, found), short(other))
        if code is not RetryCode.RETRIED:
            return answer
        log.info("%s. It runs again", changed_line(job, found))
        return answer._replace(code=SubmitCode.RETRIED, state=State(now))

    def _refuse_changed(self, job: TrackedJob) -> None:
        """Refuse a done job that ran code which has changed, if that is wanted.

        Raises:
            ExperimentError: Names the job, the line that submits it, and what has changed.
        """
        if not job.reused or self._rules[job.directory.task] != ERROR:
            return
        found = self._reused.of(job)
        if found.answer == "ran":
            accept = self.commands.accept(self._directory.name)
            remedy = 'Undo the change, or say what is to become of such results: on_code_change="rerun" or "ignore". '
            remedy += f"Or accept them: {accept}"
            raise ExperimentError(self._written(job.place), changed_line(job, found), remedy)
