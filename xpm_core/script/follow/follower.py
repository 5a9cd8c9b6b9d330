"""The thread that follows the events of a workspace, for the tracker of one run.

Owns: reading the stream, and finding out whether it can be believed. Jobs are not polled: each state arrives as an
event. Now and then the thread calls `look`, which takes up what is due and says which queues are served. It also
compares one job with its record on the server. So a script does not wait for ever when the server was wiped, or when
the script has missed events.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from xpm_core.backoff import Backoff
from xpm_core.reading import events
from xpm_core.reading.jobs import JobReader
from xpm_core.reading.server import run_id
from xpm_core.script.follow import markers
from xpm_core.server.connection import OUTAGES
from xpm_core.states import Event, State

if TYPE_CHECKING:
    from xpm_core.index.writers import UnreportedEnds
    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.script.follow.tracker import Tracker
    from xpm_core.server.connection import Client
    from xpm_core.store.jobs import Store

log = logging.getLogger("xpm")

LOOK_EVERY_S = 2.0
"""How often `look` is called, in seconds: so a queue that two looks in a row find unserved is reported within 5 s.
It is called three times in a lease if that is more often: leases end only while somebody calls `look` regularly
(lua/include/clock.lua)."""
SENDING_S = 0.05
"""How long the follower waits, before each read, for a script that sends one submission after the other."""
DOUBT_S = 10.0
"""After so many seconds without a read, the follower asks whether events were dropped meanwhile."""
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
"""Between two tries while the server is away, in seconds."""


class Follower:
    """Follows the events of a workspace, and lets the tracker of a run learn from them.

    Args:
        tracker: The jobs of the run.
        store: For `look` and for records of jobs, on the script's ordinary connection.
        blocking: A connection for this thread alone; its time-out is longer than `LOOK_EVERY_S`.
        lease_s: The lease that workers of this run use, seconds.
        unreported: Writes the ends of jobs whose workers were lost.

    Example:
        follower = Follower(tracker, store, connector.blocking, 30.0, unreported)
        follower.start()
        tracker.wait(tracker.settled, lambda: None, 0.1)
        follower.stop()
    """

    def __init__(
        self, tracker: Tracker, store: Store, blocking: Client, lease_s: float, unreported: UnreportedEnds
    ) -> None:
        self._tracker, self._store, self._blocking, self._lease_s = tracker, store, blocking, lease_s
        self._jobs, self._events = JobReader(store.client, store.w), events.EventReader(blocking, store.w)
        self._unreported = unreported
        store.on_losses = lambda identities: unreported.add(self._jobs.read(identities))
        self._look_every_s = min(LOOK_EVERY_S, lease_s / 3)
        self._looked_at = 0.0
        self._read_at = float("-inf")
        self._connection_id = 0
        self._server_run = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="xpm-events", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following. A read that waits for the server is ended."""
        self._stopping.set()
        deadline = time.monotonic() + LOOK_EVERY_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            if not self._tracker.outage.reason:
                with contextlib.suppress(*OUTAGES):
                    self._store.client.client_unblock(self._connection_id)
            self._thread.join(timeout=0.01)  # it may have been about to read: then it has to be unblocked again

    def confirm(self) -> None:
        """Check that the directory of each done job says so, too, and write markers that no worker has written.

        If the server has lost its last second in a power cut, it may not know the end of such a job. Then the job is
        unsettled again.
        """
        if unmarked := markers.unmarked(self._tracker.snapshot().values()):
            try:
                self._reread(unmarked)
                markers.mark_all(self._store, unmarked)
            except OUTAGES as error:
                log.warning("%d jobs are done, but their directories do not say so yet: %s", len(unmarked), error)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        outage, backoff = self._tracker.outage, Backoff(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)
        while not self._stopping.is_set():
            try:
                records = self._read()
                outage.over()
                backoff.reset()
                self._write_lost(records)
                self._tracker.take(records)
            except OUTAGES as error:
                outage.failed(error)
                self._connection_id, self._read_at = 0, float("-inf")
                outage.mend()
                self._stopping.wait(backoff.next_s())
            except Exception as error:  # the thread's edge: wait() raises it
                log.debug("Following the events of the workspace failed", exc_info=True)
                self._tracker.fail(error)
                return

    def _read(self) -> list[events.Record]:
        """Wait for the next events; call `look` when it is time for that."""
        self._connection_id = self._connection_id or self._blocking.client_id()
        if time.monotonic() - self._read_at > DOUBT_S and self._is_astray():
            self._rebuild()
        block_s = self._look_every_s / 2 if self._tracker.script_is_idle.wait(SENDING_S) else 0.0
        records = self._events.after(self._tracker.cursor, block_s=block_s)
        if time.monotonic() - self._looked_at >= self._look_every_s:
            self._looked_at = time.monotonic()
            self._look(bool(records))
        self._read_at = time.monotonic()
        return records

    def _look(self, news: bool) -> None:
        """Have the server take up what is due; see whether it is still the same server, and one job as we know it."""
        look = self._store.look(self._lease_s)
        while look.more:
            look = self._store.look(self._lease_s)
        self._tracker.learn_served(look.queues)
        before, self._server_run = self._server_run, run_id(self._store.client)
        if before != self._server_run:
            self._check_all()
        elif not news:
            self._check_one()

    # -- doubts --------------------------------------------------------------------------------------------------------

    def _is_astray(self) -> bool:
        return self._events.astray(self._tracker.cursor)

    def _check_all(self) -> None:
        """The server was restarted, or another one answers: nobody knows what it has lost.

        The first look comes here, too: the server may have been restarted between the submissions and that look.
        """
        if self._is_astray():
            self._rebuild()
        else:
            self._compare(self._tracker.unsettled())

    def _check_one(self) -> None:
        """Compare one unsettled job with its record on the server."""
        if jobs := self._tracker.unsettled():
            self._compare([random.choice(jobs)])

    def _compare(self, jobs: Sequence[TrackedJob]) -> None:
        """See whether jobs stand on the server as their events have said. If one does not, read all unsettled ones.

        This shows that the server was wiped, or that this script fell behind the end of the stream, which is bounded.

        Raises:
            WipedError: The server does not know this run's jobs any more.
        """
        known = self._jobs.states([job.identity for job in jobs])
        if any(job.identity not in known or known[job.identity][0] is not job.state for job in jobs):
            self._reread(self._tracker.unsettled())

    def _rebuild(self) -> None:
        """Events after the cursor may be gone: read the records of all jobs, and go on from the last event.

        Raises:
            WipedError: As for `_compare`.
        """
        cursor = self._events.last()
        self._reread(self._tracker.snapshot().values())
        self._tracker.cursor = cursor

    def _reread(self, jobs: Iterable[TrackedJob]) -> None:
        """Read the records of jobs that the server has accepted."""
        seen = {job.identity: job.position for job in jobs if job.position > (0, 0)}
        placed = self._jobs.read_placed(seen)
        found = {known.identity: known for known, _ in placed}
        self._unreported.add(known for known in found.values() if known.state is State.FAILED)
        self._tracker.correct(seen, found, {known.identity: events.position(cursor) for known, cursor in placed})

    def _write_lost(self, records: Iterable[events.Record]) -> None:
        """Write the ends of jobs that failed because their workers were lost, if another process has ended them.

        The events may be read late: a job may run again meanwhile. So its record on the server counts.
        """
        lost = {each.job for each in records if each.event is Event.FAILED and each.data.get("reason") == Event.LOST}
        ours = lost & self._tracker.jobs.keys()
        self._unreported.add(self._jobs.read(ours))
