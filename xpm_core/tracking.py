"""The jobs of one run, kept up to date from the workspace's stream of events.

Owns: what this script knows of its jobs, and waiting for them. There is no polling of jobs: each state arrives as an
event. While nothing happens, the thread calls `look`, which takes up what is due and tells which queues nobody serves.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xpm_core.callbacks import Callbacks
from xpm_core.states import Event, State
from xpm_core.store import events
from xpm_core.store.connection import OUTAGES
from xpm_core.store.records import Serving, SubmitCode, Submitted

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from xpm_core.job_directory import JobDirectory
    from xpm_core.store.jobs import Store

log = logging.getLogger("xpm")

LOOK_EVERY_S = 2.0
"""How often `look` is called: a queue that twice in a row nobody serves is told within 5 s. Thrice a lease if that is
shorter, for expiry rests while nobody is seen to call (lua/include/clock.lua)."""
BACKOFF_MOST_S = 10.0

_STATE_OF = {event: State(event.value) for event in Event if event.value in {state.value for state in State}}
_STATE_OF[Event.STARTED] = State.RUNNING


@dataclass
class TrackedJob:
    """A job of this run, as this script knows it.

    `reused` says that it was done already when it was submitted. `cursor` is the event up to which `state` is known.
    """

    tracker: Tracker
    identity: str
    name: str
    task: Any
    directory: JobDirectory
    where: str
    queue: str
    tags: dict[str, Any] = field(default_factory=dict)
    demand: dict[str, int] = field(default_factory=dict)
    state: State = State.WAITING
    reused: bool = False
    root: str = ""
    cursor: tuple[int, int] = (0, 0)
    worker: str = ""
    since_s: float = 0.0
    error: dict[str, Any] = field(default_factory=dict)
    listeners: list[Callable[..., object]] = field(default_factory=list)
    called: bool = False

    @property
    def label(self) -> str:
        """How messages name it: `Train/3f2a91c`."""
        return f"{self.name}/{self.identity[:7]}"

    @property
    def jobpath(self) -> Path:
        """The job's directory on this machine."""
        return self.directory.path

    def on_completed(self, callback: Callable[..., object]) -> None:
        """Have a function called once when the job is done; at once if it is."""
        self.tracker.listen(self, callback)


class Tracker:
    """Follows the events of a workspace for the jobs of one run.

    Args:
        store: For `look`, on the script's ordinary connection.
        blocking: A connection of its own, whose time-out is longer than `LOOK_EVERY_S`.
        cursor: The last event before the run began.
        lease_s: The lease that workers of this run use.
    """

    def __init__(self, store: Store, blocking: Redis, cursor: str, lease_s: float) -> None:
        self.jobs: dict[str, TrackedJob] = {}
        self.unserved: list[Serving] = []
        self.outage = ""
        self.callbacks = Callbacks()
        self.changed = threading.Condition(threading.RLock())
        self._store, self._blocking, self._cursor, self._lease_s = store, blocking, cursor, lease_s
        self._every_s = min(LOOK_EVERY_S, lease_s / 3)
        self._failure: BaseException | None = None
        self._unserved_before: set[str] = set()
        self._reader = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="xpm-events", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; callbacks that are due are made first."""
        self._stop.set()
        if not self.outage:
            with contextlib.suppress(*OUTAGES):
                self._store.client.client_unblock(self._reader)
        self._thread.join(timeout=LOOK_EVERY_S * 2)
        self.callbacks.close()

    def add(self, job: TrackedJob) -> None:
        """Track a job that is on its way."""
        with self.changed:
            self.jobs[job.identity] = job

    def answered(self, job: TrackedJob, answer: Submitted) -> None:
        """Take what the submission of a job answered, unless later events are known already."""
        with self.changed:
            job.reused = answer.code is SubmitCode.DONE or answer.code is SubmitCode.UNMARKED
            place = position(answer.cursor)
            if place > job.cursor:
                job.cursor, job.state, job.root = place, answer.state, answer.root
                self._settled(job)
            self.changed.notify_all()

    def drop(self, job: TrackedJob) -> None:
        """Forget a job whose submission was refused."""
        with self.changed:
            self.jobs.pop(job.identity, None)
            self.changed.notify_all()

    def listen(self, job: TrackedJob, callback: Callable[..., object]) -> None:
        """Have a function called once when the job is done; one that is registered already is not called twice."""
        with self.changed:
            if callback in job.listeners:
                return
            job.listeners.append(callback)
            if job.called:
                self.callbacks.put(job.label, callback, job.task)

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
            return all(job.state.settled for job in self.jobs.values())

    # -- the thread ------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        delay_s, looked = 0.1, 0.0
        while not self._stop.is_set():
            try:
                self._reader = self._reader or self._blocking.client_id()
                records = events.read(self._blocking, self._store.w, self._cursor, block_s=self._every_s / 2)
                if time.monotonic() - looked >= self._every_s:
                    looked = time.monotonic()
                    self._look()
                self.outage, delay_s = "", 0.1
            except OUTAGES as error:
                self.outage, self._reader = str(error), 0
                self._stop.wait(delay_s * random.uniform(0.5, 1.5))
                delay_s = min(delay_s * 2, BACKOFF_MOST_S)
                continue
            except Exception as error:  # the thread's edge: wait() raises it
                log.exception("Following the events of the workspace failed")
                with self.changed:
                    self._failure = error
                    self.changed.notify_all()
                return
            self._take(records)

    def _look(self) -> None:
        look = self._store.look(self._lease_s)
        while look.more:
            look = self._store.look(self._lease_s)
        with self.changed:
            mine = {job.queue for job in self.jobs.values() if job.state is State.READY}
            found = [queue for queue in look.queues if queue.queue in mine and queue.ready and not queue.workers]
            before, self._unserved_before = self._unserved_before, {queue.queue for queue in found}
            self.unserved = [queue for queue in found if queue.queue in before]  # workers may be about to start

    def _take(self, records: list[events.Record]) -> None:
        if not records:
            return
        with self.changed:
            for record in records:
                job = self.jobs.get(record.job)
                place = position(record.cursor)
                if job is not None and place > job.cursor:
                    job.cursor = place
                    self._apply(job, record)
            self._cursor = records[-1].cursor
            self.changed.notify_all()

    def _apply(self, job: TrackedJob, record: events.Record) -> None:
        state = _STATE_OF.get(record.event)
        if state is None:
            return
        job.state, job.since_s = state, record.at_s
        job.worker = record.worker if state is State.RUNNING else ""
        job.root = record.data.get("root", "")
        if state is State.FAILED:
            job.error = record.error
        self._settled(job)

    def _settled(self, job: TrackedJob) -> None:
        if job.state is State.DONE and not job.called:
            job.called = True
            for callback in job.listeners:
                self.callbacks.put(job.label, callback, job.task)


def position(cursor: str) -> tuple[int, int]:
    """The place of an event in its stream, comparable: "1700000000000-3" -> (1700000000000, 3)."""
    ms, _, n = cursor.partition("-")
    return int(ms or 0), int(n or 0)
