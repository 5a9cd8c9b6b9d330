"""What a script knows of the jobs of its run: a table under a lock, and waiting for a change of it.

Owns: the table. The script's own thread adds jobs and takes in the answers to submissions; the follower (follower.py)
brings what happens afterwards. Nothing here asks the server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xpm_core.errors import WipedError
from xpm_core.language.graph.state import EMPTY
from xpm_core.reading import events
from xpm_core.reading.why.known import all_paused, unserved
from xpm_core.script.follow.callbacks import Callbacks
from xpm_core.script.follow.watching import Watches
from xpm_core.states import Event, State
from xpm_core.store.records import SubmitCode, Submitted
from xpm_core.store.refusals import Refused

if TYPE_CHECKING:
    from xpm_core.job.output_watch import Watch
    from xpm_core.reading.jobs import Job
    from xpm_core.script.follow.outage import Outage
    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.store.records import Serving
    from xpm_core.words.reasons import Reason
    from xpm_core.words.reasons_of_workers import Paused, Unserved

STARTING_S = 30.0
"""How long workers may take from their start until the server knows them."""

ANSWERED = (0, 1)
"""Before all events, but not the place of a job whose submission the server has not answered."""

_STATE_OF = {event: State(event.value) for event in Event if event.value in {state.value for state in State}}
_STATE_OF[Event.STARTED] = State.RUNNING


class Tracker:
    """The jobs of one run, and what else the script has learnt from the server.

    Args:
        cursor: The last event before the run began.
        outage: Whether the server is away; all threads of the script share it.

    Attributes:
        jobs: The jobs by identity, in the order of their submission. Iterate over `snapshot()` instead.
        cursor: The event up to which the follower has read.
        script_is_idle: Whether the script sends no submissions at the moment. The outbox sets it and clears it; while
            the script sends, the follower reads less often, so that it does not slow down the submissions.
        callbacks: The thread that calls functions of the script.
        refused: Jobs that workers have handed back because they cannot import something.
        unserved: Queues that have ready jobs of this run, and no living worker.
        paused: Queues that have ready jobs of this run, and that somebody has paused.
        on_change: Called with each job that has come into another state, except by its submission. No job changes while
            it runs.
        on_failure: Called with each job that has failed since its submission, under the same lock.
    """

    def __init__(self, cursor: str, outage: Outage) -> None:
        self.jobs: dict[str, TrackedJob] = {}
        self.cursor, self.outage = cursor, outage
        self.script_is_idle = threading.Event()
        self.script_is_idle.set()
        self.callbacks = Callbacks()
        self.refused = Refused()
        self.unserved: list[Unserved] = []
        self.paused: list[Paused] = []
        self.on_change: Callable[[TrackedJob], None] = lambda job: None
        self.on_failure: Callable[[TrackedJob], None] = lambda job: None
        self._changed = threading.Condition(threading.RLock())
        self._unsettled: set[str] = set()
        self._failure: BaseException | None = None
        self._unserved_before: set[str] = set()
        self._starting: dict[str, float] = {}

    # -- the script's side: submitting -------------------------------------------------------------------------------

    def add(self, job: TrackedJob) -> None:
        """Track a job whose submission is on its way."""
        with self._changed:
            self.jobs[job.identity] = job
            self._unsettled.add(job.identity)

    def drop(self, job: TrackedJob) -> None:
        """Forget a job whose submission was refused."""
        with self._changed:
            self.jobs.pop(job.identity, None)
            self._unsettled.discard(job.identity)
            self._changed.notify_all()

    def answered(self, answers: Iterable[tuple[TrackedJob, Submitted]]) -> None:
        """Take in the answers to submissions. An answer does not count where a later event of the job is known.

        If the follower has read up to `since` of an answer, it may jump to the cursor of that answer: in between,
        the stream holds nothing but what these answers say.
        """
        cursor, position = "", (0, 0)
        spans: list[tuple[str, str]] = []
        with self._changed:
            for job, answer in answers:
                if answer.code is SubmitCode.DONE or answer.code is SubmitCode.UNMARKED:
                    job.reused = True
                if answer.cursor is not cursor:  # the answers of one batch share it
                    cursor, position = answer.cursor, events.position(answer.cursor)
                    spans.append((answer.since, cursor))
                job.entering = False
                if position > job.position:
                    job.position = job.told = position
                    self._move(job, answer.state, answer.root)
                self._read_outputs(job)
            for since, cursor in spans:
                if since == self.cursor:
                    self.cursor = cursor
            self._changed.notify_all()

    def listen(self, job: TrackedJob, callback: Callable[..., object], task: Any) -> None:
        """Call a function once with a job's task when the job is done. A second registration has no effect."""
        with self._changed:
            if any(known == callback for known, _ in job.listeners):
                return
            job.listeners = (*job.listeners, (callback, task))
            if job.called_back:
                self.callbacks.put(job.label, callback, task)

    def watch(self, job: TrackedJob, watch: Watch) -> None:
        """Call a function once with each output of a job. A second registration has no effect.

        Raises:
            OutputError: The method does not belong to the task.
        """
        with self._changed:
            if job.watches is None:
                job.watches = Watches(job.label, job.directory, self.callbacks)
            if job.watches.add(watch):
                self._read_outputs(job)

    def expect_workers(self, queue: str) -> None:
        """Workers of a queue were started: until the server knows them, the queue does not count as unserved."""
        with self._changed:
            self._starting[queue] = time.monotonic() + STARTING_S

    # -- the script's side: waiting and looking ------------------------------------------------------------------------

    def snapshot(self) -> dict[str, TrackedJob]:
        """The jobs of this moment, by identity, in the order of their submission. Each job may change afterwards."""
        with self._changed:
            return dict(self.jobs)

    def states(self) -> dict[str, State]:
        """The states of all jobs at this moment, by identity, in the order of their submission."""
        with self._changed:
            return {identity: job.state for identity, job in self.jobs.items()}

    def settled(self) -> bool:
        """Whether all jobs of this run are settled: done, failed, blocked or cancelled."""
        with self._changed:
            return not self._unsettled

    def wait(self, until: Callable[[], bool], tick: Callable[[], None], every_s: float) -> None:
        """Wait until a condition over the jobs holds.

        Args:
            until: The condition. It is checked after each change.
            tick: Called at each change, and at least every `every_s` seconds. No job changes while it runs.
            every_s: Seconds.

        Raises:
            Exception: What made the follower give up.
        """
        with self._changed:
            while not until():
                if self._failure:
                    raise self._failure
                self._changed.wait(every_s)
                tick()

    def await_events(self, timeout_s: float) -> None:
        """Wait for the events behind what records have told: only events tell which workers have refused a job.

        Args:
            timeout_s: How long to wait at most, seconds. The server may be away, or may have lost the events.
        """
        with self._changed:
            last = max((job.position for job in self.jobs.values()), default=ANSWERED)
            self._changed.wait_for(lambda: self._failure or events.position(self.cursor) >= last, timeout_s)

    # -- the follower's side -------------------------------------------------------------------------------------------

    def unsettled(self) -> list[TrackedJob]:
        """The jobs that are not settled, and whose submission the server has answered."""
        with self._changed:
            jobs = [self.jobs[identity] for identity in self._unsettled]
        return [job for job in jobs if job.position > (0, 0)]

    def take(self, records: Sequence[events.Record]) -> None:
        """Learn from events. An event does not count where a later one of the same job is known."""
        if not records:
            return
        with self._changed:
            for record in records:
                job = self.jobs.get(record.job)
                position = events.position(record.cursor)
                if job is not None and position > job.told:
                    job.told = position
                    self._hear(job, record)
                if job is not None and position > job.position:
                    job.position = position
                    self._apply(job, record)
                    self._report(job, record.event)
            self.cursor = max(self.cursor, records[-1].cursor, key=events.position)
            self._changed.notify_all()

    def correct(
        self,
        seen: Mapping[str, tuple[int, int]],
        found: Mapping[str, Job],
        positions: Mapping[str, tuple[int, int]],
    ) -> None:
        """Learn how jobs stand from their records on the server, in place of events.

        The events that a record holds may still come. They do not count if the record has told something new: the job
        would go back to an earlier state.

        Args:
            seen: The jobs that were asked for, and the position of each before that. If it has changed since, the
                script has learnt something newer, and the record does not count.
            found: The records that the server has.
            positions: Of each record, the place of the last event that it holds.

        Raises:
            WipedError: The server does not know an unsettled job.
        """
        with self._changed:
            jobs = [self.jobs[identity] for identity in seen if identity in self.jobs]
            lost = [job.label for job in jobs if job.identity not in found and not job.state.settled]
            if lost:
                raise WipedError(lost[0], len(lost))
            for job in jobs:
                if job.identity in found and job.position == seen[job.identity]:
                    known, position = found[job.identity], max(positions[job.identity], ANSWERED)
                    if known.state is not job.state or position < job.position:  # the server may have lost events
                        job.position = position
                    self._adopt(job, known)
            self._changed.notify_all()

    def learn_errors(self, found: Iterable[Job]) -> None:
        """Learn the errors of failed jobs from their records: answers to submissions do not say them."""
        with self._changed:
            for known in found:
                self.jobs[known.identity].error = known.error

    def learn_served(self, queues: Sequence[Serving]) -> None:
        """Learn which queues are served. A queue is unserved if two looks in a row find no worker for it.

        One look is not enough, because workers may be about to start.
        """
        now = time.monotonic()
        with self._changed:
            own = {job.queue for job in self.jobs.values() if job.state is State.READY}
            for queue in queues:
                if queue.workers or self._starting.get(queue.queue, now) < now:
                    self._starting.pop(queue.queue, None)
            found = unserved(queues, own - self._starting.keys())
            before, self._unserved_before = self._unserved_before, {each.queue for each in found}
            self.unserved = [each for each in found if each.queue in before]
            self.paused = all_paused(queues, None, own)

    @property
    def obstacles(self) -> list[Reason]:
        """What is known to be in the way of ready jobs of this run."""
        return [*self.paused, *self.unserved]

    def fail(self, error: BaseException) -> None:
        """Nothing is followed any more: `wait` raises this error."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    # -- one job -------------------------------------------------------------------------------------------------------

    def _hear(self, job: TrackedJob, record: events.Record) -> None:
        """Learn from an event what no record of a job tells."""
        if record.event is Event.OUTPUT and job.watches is not None:
            job.watches.produced(record.said)
        if record.event is Event.RELEASED and "said" in record.data:
            self.refused.note(job.identity, record.data["said"])

    def _apply(self, job: TrackedJob, record: events.Record) -> None:
        """Learn from one event of a job."""
        if record.event is Event.PROGRESS:
            job.progress = record.said
        elif record.event is not Event.OUTPUT:
            job.progress = EMPTY
        state = _STATE_OF.get(record.event)
        if state is None:
            return
        if state is State.DONE and job.state is State.RUNNING and job.since_s:
            job.took_s = max(record.at_s - job.since_s, 0.0)
        job.since_s = record.at_s
        job.worker = record.worker if state is State.RUNNING else ""
        if state is State.FAILED:
            job.error = record.error
        self._move(job, state, record.data.get("root", ""))

    def _report(self, job: TrackedJob, event: Event) -> None:
        """Report a change, unless it is the state that the job came into by its submission."""
        if event is Event.SUBMITTED:
            job.entering = True
        elif event in _STATE_OF:
            if not job.entering or event not in (Event.WAITING, Event.READY):
                self.on_change(job)
            if event is Event.FAILED:
                self.on_failure(job)
            job.entering = False

    def _adopt(self, job: TrackedJob, known: Job) -> None:
        """Learn from the record of a job on the server."""
        job.progress = known.progress
        if known.state is not job.state:
            job.error = known.error if known.state is State.FAILED else {}
            job.since_s = max(known.submitted_s, known.started_s, known.ended_s)
            if known.state is State.DONE and known.started_s:
                job.took_s = max(known.ended_s - known.started_s, 0.0)
            job.worker = known.worker if known.state is State.RUNNING else ""
            self._move(job, known.state, known.root)
            self.on_change(job)
            if known.state is State.FAILED:
                self.on_failure(job)
        self._read_outputs(job)

    def _move(self, job: TrackedJob, state: State, root: str) -> None:
        """Let a job be in a state; once it is done, call its listeners."""
        job.state, job.root = state, root
        if state.settled:
            self._read_outputs(job)
            self._unsettled.discard(job.identity)
        else:
            self._unsettled.add(job.identity)
        if state is State.DONE and not job.called_back:
            job.called_back = True
            for callback, task in job.listeners:
                self.callbacks.put(job.label, callback, task)

    def _read_outputs(self, job: TrackedJob) -> None:
        """Look for outputs in the job's directory, unless a new attempt will set that directory aside."""
        if job.watches is not None and (job.state is State.DONE or job.watches.survive):
            job.watches.catch_up()
