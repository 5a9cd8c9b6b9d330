"""The jobs of one run, kept up to date from the workspace's stream of events.

Owns: what this script knows of its jobs, and waiting for them. There is no polling of jobs: each state arrives as an
event. Now and then the thread calls `look`, which takes up what is due and tells which queues nobody serves, and looks
at one job, so that a server that was wiped, or events that were missed, do not make a script wait for ever.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from xpm_core.errors import WipedError
from xpm_core.language.graph.state import EMPTY
from xpm_core.script.follow import markers
from xpm_core.script.follow.callbacks import Callbacks
from xpm_core.script.follow.watching import Watches
from xpm_core.server.connection import OUTAGES
from xpm_core.server.faults import fault_of
from xpm_core.states import Event, State
from xpm_core.store import events, reading
from xpm_core.store.records import Look, Serving, SubmitCode, Submitted
from xpm_core.store.refusals import Refused
from xpm_core.tracebacks.callsite import CodeLine, format_line

if TYPE_CHECKING:
    from pathlib import Path

    from xpm_core.job.outputs import Watch
    from xpm_core.script.follow.outage import Outage
    from xpm_core.server.connection import Client
    from xpm_core.store.jobs import Store
    from xpm_core.workspace.job_directory import JobDirectory

log = logging.getLogger("xpm")

LOOK_EVERY_S = 2.0
"""How often `look` is called: a queue that twice in a row nobody serves is told within 5 s. Thrice a lease if that is
shorter, for expiry rests while nobody is seen to call (lua/include/clock.lua)."""
BACKOFF_MOST_S = 10.0
CALM_S = 0.05
"""How long the follower keeps out of the way of a script that submits one task after the other."""
DOUBT_S = 10.0
"""Who has not read events for so long asks whether some were dropped meanwhile."""
STARTING_S = 30.0
"""How long workers that were started may take until they are there."""

_STATE_OF = {event: State(event.value) for event in Event if event.value in {state.value for state in State}}
_STATE_OF[Event.STARTED] = State.RUNNING


class TrackedJob:
    """A job of this run, as this script knows it. Its task is not kept: a script may submit very many.

    `reused` says that it was done already when it was submitted, `marked` that its directory was seen to say so.
    `cursor` is the event up to which `state` is known, `progress` what it said last while it ran: `fraction`, `desc`
    and `inner`.
    """

    state: State = State.WAITING
    reused = called = marked = False
    root = worker = ""
    cursor = (0, 0)
    since_s = 0.0
    error: Mapping[str, Any] = EMPTY
    progress: Mapping[str, Any] = EMPTY
    listeners: tuple[tuple[Callable[..., object], Any], ...] = ()
    watches: Watches | None = None

    def __init__(
        self,
        tracker: Tracker,
        identity: str,
        name: str,
        directory: JobDirectory,
        place: CodeLine,
        queue: str,
        tags: Mapping[str, Any] = EMPTY,
        demand: Mapping[str, int] = EMPTY,
    ) -> None:
        self.tracker, self.identity, self.name, self.directory = tracker, identity, name, directory
        self.place, self.queue, self.tags, self.demand = place, queue, tags, demand

    @property
    def label(self) -> str:
        """How messages name it: `Train/3f2a91c`."""
        return f"{self.name}/{self.identity[:7]}"

    @property
    def where(self) -> str:
        """Where it was submitted, as `sweep.py:42`."""
        return format_line(self.place)

    @property
    def jobpath(self) -> Path:
        """The job's directory on this machine."""
        return self.directory.path

    def on_completed(self, callback: Callable[..., object], task: Any) -> None:
        """Have a function called once with the task when the job is done; at once if it is."""
        self.tracker.listen(self, callback, task)

    def watch(self, watch: Watch) -> None:
        """Have a function called with outputs, also with those that are there already."""
        self.tracker.watch(self, watch)


class Tracker:
    """Follows the events of a workspace for the jobs of one run.

    Args:
        store: For `look`, on the script's ordinary connection.
        blocking: A connection of its own, whose time-out is longer than `LOOK_EVERY_S`.
        cursor: The last event before the run began.
        lease_s: The lease that workers of this run use.
        outage: Is told when the server is away, and when it is back.
    """

    def __init__(self, store: Store, blocking: Client, cursor: str, lease_s: float, outage: Outage) -> None:
        self.jobs: dict[str, TrackedJob] = {}
        self._open: set[str] = set()
        self.unserved: list[Serving] = []
        self.refused = Refused()
        self.callbacks = Callbacks()
        self.changed = threading.Condition(threading.RLock())
        self.calm = threading.Event()
        self.calm.set()
        self._store, self._blocking, self._cursor, self._lease_s = store, blocking, cursor, lease_s
        self._outage = outage
        self._every_s = min(LOOK_EVERY_S, lease_s / 3)
        self._failure: BaseException | None = None
        self._unserved_before: set[str] = set()
        self._promised: dict[str, float] = {}
        self._reader = 0
        self._server = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="xpm-events", daemon=True)

    @property
    def outage(self) -> str:
        """Why the server does not answer; empty while it does."""
        return self._outage.words

    def away(self, error: Exception) -> None:
        """The server did not answer."""
        self._outage.failed(fault_of(error, self._blocking))

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, *, make_callbacks: bool = True) -> None:
        """Stop following. Callbacks that are due are made first, or else dropped."""
        self._stop.set()
        deadline = time.monotonic() + LOOK_EVERY_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            if not self.outage:
                with contextlib.suppress(*OUTAGES):
                    self._store.client.client_unblock(self._reader)
            self._thread.join(timeout=0.01)  # it may be about to block: then it is told again
        self.callbacks.close(make_all=make_callbacks)

    def promise(self, queue: str) -> None:
        """Expect workers of a queue that were started now: until they are there, it does not count as unserved."""
        with self.changed:
            self._promised[queue] = time.monotonic() + STARTING_S

    def add(self, job: TrackedJob) -> None:
        """Track a job that is on its way."""
        with self.changed:
            self.jobs[job.identity] = job
            self._open.add(job.identity)

    def answered(self, answers: Iterable[tuple[TrackedJob, Submitted]]) -> None:
        """Take what submissions of jobs answered, unless later events are known already.

        Who has read all events up to then need not read those that the answers tell of.
        """
        cursor, place, spans = "", (0, 0), []
        with self.changed:
            for job, answer in answers:
                if answer.code is SubmitCode.DONE or answer.code is SubmitCode.UNMARKED:
                    job.reused = True
                if answer.cursor is not cursor:  # most have the same
                    cursor, place = answer.cursor, events.position(answer.cursor)
                    spans.append((answer.since, cursor))
                if place > job.cursor:
                    job.cursor = place
                    self._move(job, answer.state, answer.root)
                self._catch_up(job)
            for since, cursor in spans:
                if since == self._cursor:
                    self._cursor = cursor
            self.changed.notify_all()

    def drop(self, job: TrackedJob) -> None:
        """Forget a job whose submission was refused."""
        with self.changed:
            self.jobs.pop(job.identity, None)
            self._open.discard(job.identity)
            self.changed.notify_all()

    def listen(self, job: TrackedJob, callback: Callable[..., object], task: Any) -> None:
        """Have a function called once with a job's task when it is done; what is registered is not called twice."""
        with self.changed:
            if any(known == callback for known, _ in job.listeners):
                return
            job.listeners = (*job.listeners, (callback, task))
            if job.called:
                self.callbacks.put(job.label, callback, task)

    def watch(self, job: TrackedJob, watch: Watch) -> None:
        """Have a function called once with each output of a job; what is registered already is not registered twice.

        Raises:
            OutputError: The method is none of the task's.
        """
        with self.changed:
            if job.watches is None:
                job.watches = Watches(job.label, job.directory, self.callbacks)
            if job.watches.add(watch):
                self._catch_up(job)

    def counts(self) -> Counter[State]:
        """Return how many jobs of this run are in each state."""
        with self.changed:
            return Counter(job.state for job in self.jobs.values())

    def wait(self, until: Callable[[], bool], tick: Callable[[], None], every_s: float) -> None:
        """Wait until a condition over the jobs holds, and call `tick` now and then.

        Raises:
            Exception: What made the following thread give up.
        """
        with self.changed:
            while not until():
                if self._failure:
                    raise self._failure
                self.changed.wait(every_s)
                tick()

    def settled(self) -> bool:
        """Whether no job of this run has anything more to wait for."""
        with self.changed:
            return not self._open

    def confirm(self) -> None:
        """See that what is done is done by its directory, too, and write the markers that no worker has written.

        A server that lost its last second with the power may not know the end of such a job: then it is open again.
        """
        with self.changed:
            jobs = list(self.jobs.values())
        if lacking := markers.unmarked(jobs):
            try:
                self._reread(lacking)
                markers.mark_all(self._store, lacking)
            except OUTAGES as error:
                log.warning("%d jobs are done, but their directories do not say so yet: %s", len(lacking), error)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        delay_s, looked, read_at = 0.1, 0.0, float("-inf")
        while not self._stop.is_set():
            try:
                self._reader = self._reader or self._blocking.client_id()
                if time.monotonic() - read_at > DOUBT_S and events.astray(self._blocking, self._store.w, self._cursor):
                    self._rebuild()
                calm = self.calm.wait(CALM_S)
                records = events.read(
                    self._blocking, self._store.w, self._cursor, block_s=self._every_s / 2 if calm else 0.0
                )
                if time.monotonic() - looked >= self._every_s:
                    looked = time.monotonic()
                    self._look(bool(records))
                self._outage.over()
                delay_s, read_at = 0.1, time.monotonic()
                self._mark_lost(records)
                self._take(records)
            except OUTAGES as error:
                self.away(error)
                self._reader, read_at = 0, float("-inf")
                self._outage.mend()
                self._stop.wait(delay_s * random.uniform(0.5, 1.5))
                delay_s = min(delay_s * 2, BACKOFF_MOST_S)
            except Exception as error:  # the thread's edge: wait() raises it
                log.debug("Following the events of the workspace failed", exc_info=True)
                with self.changed:
                    self._failure = error
                    self.changed.notify_all()
                return

    def _look(self, news: bool) -> None:
        look = self._store.look(self._lease_s)
        while look.more:
            look = self._store.look(self._lease_s)
        self._find_unserved(look)
        before, self._server = self._server, reading.run_id(self._store.client)
        if before != self._server:
            self._doubt()
        elif not news:
            self._compare(every=False)

    def _find_unserved(self, look: Look) -> None:
        """Which queues of this run's ready jobs nobody serves, twice in a row: workers may be about to start."""
        now = time.monotonic()
        with self.changed:
            mine = {job.queue for job in self.jobs.values() if job.state is State.READY}
            for queue in look.queues:
                if queue.workers or self._promised.get(queue.queue, now) < now:
                    self._promised.pop(queue.queue, None)
            found = [queue for queue in look.queues if queue.queue in mine and queue.ready and not queue.workers]
            found = [queue for queue in found if queue.queue not in self._promised]
            before, self._unserved_before = self._unserved_before, {queue.queue for queue in found}
            self.unserved = [queue for queue in found if queue.queue in before]

    def _doubt(self) -> None:
        """Another server answers than before, or the first one: what it lost is not known. A restart can go unseen."""
        if events.astray(self._blocking, self._store.w, self._cursor):
            self._rebuild()
        else:
            self._compare(every=True)

    def _compare(self, *, every: bool) -> None:
        """See of every open job, or of one, whether it stands as its events have told; if not, read all of them.

        So it shows that the server was wiped, or that this script fell behind the end of the stream, which is bounded.

        Raises:
            WipedError: The server does not know this run's jobs any more.
        """
        with self.changed:
            ours = [job for each in self._open if (job := self.jobs[each]).cursor > (0, 0)]
        some = ours if every else ours and [random.choice(ours)]
        known = reading.states(self._store.client, self._store.w, [job.identity for job in some])
        if any(job.identity not in known or known[job.identity][0] is not job.state for job in some):
            self._reread(ours)

    def _rebuild(self) -> None:
        """Events cannot be read from the cursor on: the jobs tell how they stand.

        Raises:
            WipedError: As for `_compare`.
        """
        cursor = events.last(self._blocking, self._store.w)
        with self.changed:
            ours = list(self.jobs.values())
        self._reread(ours, events.position(cursor))
        self._cursor = cursor

    def _reread(self, jobs: list[TrackedJob], place: tuple[int, int] | None = None) -> None:
        """Take from the server how jobs stand, of those that it was told of; they are known up to `place`, then."""
        ours = {job.identity: (job, job.cursor) for job in jobs if job.cursor > (0, 0)}
        found = {known.identity: known for known in reading.jobs(self._store.client, self._store.w, ours)}
        markers.mark_lost(self.jobs, found.values())
        with self.changed:
            if lost := [job.label for job, _ in ours.values() if job.identity not in found and not job.state.settled]:
                raise WipedError(lost[0], len(lost))
            for job, cursor in ours.values():
                if job.identity in found and job.cursor == cursor:  # else something newer was learnt meanwhile
                    job.cursor = place or cursor
                    self._adopt(job, found[job.identity])
            self.changed.notify_all()

    def _adopt(self, job: TrackedJob, known: reading.Job) -> None:
        job.progress = known.progress
        if known.state is not job.state:
            job.error = known.error if known.state is State.FAILED else {}
            job.since_s = max(known.submitted_s, known.started_s, known.ended_s)
            job.worker = known.worker if known.state is State.RUNNING else ""
            self._move(job, known.state, known.root)
        self._catch_up(job)

    def _take(self, records: list[events.Record]) -> None:
        if not records:
            return
        with self.changed:
            for record in records:
                job = self.jobs.get(record.job)
                place = events.position(record.cursor)
                if job is not None and place > job.cursor:
                    job.cursor = place
                    self._apply(job, record)
            self._cursor = max(self._cursor, records[-1].cursor, key=events.position)
            self.changed.notify_all()

    def _mark_lost(self, records: list[events.Record]) -> None:
        """Mark jobs whose workers were lost, as events told. Those may be read late: what happened since counts."""
        lost = {each.job for each in records if each.event is Event.FAILED and each.data.get("reason") == Event.LOST}
        markers.mark_lost(self.jobs, reading.jobs(self._store.client, self._store.w, lost & self.jobs.keys()))

    def _apply(self, job: TrackedJob, record: events.Record) -> None:
        if record.event is Event.PROGRESS:
            job.progress = record.said
        elif record.event is not Event.OUTPUT:
            job.progress = EMPTY
        elif job.watches is not None:
            job.watches.produced(record.said)
        if record.event is Event.RELEASED and "said" in record.data:
            self.refused.note(job.identity, record.data["said"])
        state = _STATE_OF.get(record.event)
        if state is None:
            return
        job.since_s = record.at_s
        job.worker = record.worker if state is State.RUNNING else ""
        if state is State.FAILED:
            job.error = record.error
        self._move(job, state, record.data.get("root", ""))

    def _move(self, job: TrackedJob, state: State, root: str) -> None:
        job.state, job.root = state, root
        if state.settled:
            self._catch_up(job)
        (self._open.discard if state.settled else self._open.add)(job.identity)
        if job.state is State.DONE and not job.called:
            job.called = True
            for callback, task in job.listeners:
                self.callbacks.put(job.label, callback, task)

    def _catch_up(self, job: TrackedJob) -> None:
        """Look for outputs in the job's directory, unless that is to be set aside before the job runs again."""
        if job.watches is not None and (job.state is State.DONE or job.watches.survive):
            job.watches.catch_up()
