"""When the jobs of a run may have ended, while its script waits.

Owns: when that is computed, and when the server and the index are asked for what it rests on. The script never waits
for their answers: a thread of its own fetches them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from xpm_core.forecast.durations import Durations
from xpm_core.forecast.forecast import forecast
from xpm_core.forecast.records import Capacity, Forecast, Work
from xpm_core.reading.server import server_time
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.states import State

if TYPE_CHECKING:
    from xpm_core.server.connection import Client
    from xpm_core.workspace.workspace import Workspace

log = logging.getLogger("xpm")

EVERY_S = 5.0
"""How often workers and tokens are read, in seconds."""
AGAIN_S = 1.0
"""How often it is computed anew, in seconds."""
SHARE = 20
"""If that takes long, it is done less often: it gets one part in so many of the time."""
LEAVE_S = 0.2
"""How long a script that leaves waits for an answer that is on its way, in seconds."""


class Foreseer:
    """Foresees when the jobs of a run have ended. Jobs of other runs are not counted.

    Args:
        past: Returns how long earlier jobs took, by class. It is called once, in another thread.
        capacity: Returns the workers and tokens. It is called in another thread.
        clock: Returns the server's time, epoch seconds. It is called in another thread. Jobs start by this time, and
            the clock of this machine may differ.
    """

    def __init__(
        self,
        past: Callable[[], Mapping[str, Sequence[float]]],
        capacity: Callable[[], Capacity],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._read_past, self._read_capacity, self._clock = past, capacity, clock
        self._ahead_s = 0.0
        self._past: Mapping[str, Sequence[float]] | None = None
        self._capacity: Capacity | None = None
        self._forecast: Forecast | None = None
        self._thread: threading.Thread | None = None
        self._due_s = self._compute_at = 0.0

    def look(self, jobs: Collection[TrackedJob]) -> Forecast | None:
        """Return when the jobs may have ended; None if nothing is known of it yet. It returns at once."""
        now = time.monotonic()
        if now >= self._due_s and (self._thread is None or not self._thread.is_alive()):
            self._due_s = now + EVERY_S
            self._thread = threading.Thread(target=self._fetch, name="xpm-forecast", daemon=True)
            self._thread.start()
        if self._capacity is not None and now >= self._compute_at:
            self._forecast = foresee(jobs, self._capacity, self._past or {}, time.time() + self._ahead_s)
            self._compute_at = now + max(AGAIN_S, SHARE * (time.monotonic() - now))
        return self._forecast

    def leave(self) -> None:
        """The script leaves, and closes the connection soon."""
        if self._thread is not None:
            self._thread.join(LEAVE_S)

    def _fetch(self) -> None:
        try:
            if self._past is None:
                self._past = self._read_past()
            self._ahead_s = self._clock() - time.time()
            self._capacity = self._read_capacity()
        except Exception:  # the thread's edge: a display without a time is better than a script that fails
            self._capacity = self._forecast = None
            log.debug("When the jobs may have ended could not be foreseen", exc_info=True)


def foreseer_of(client: Client, workspace: Workspace) -> Foreseer:
    """A foreseer of the runs of a workspace.

    Args:
        client: A connection to its server, which other threads use, too.
        workspace: The workspace.
    """

    def past() -> Mapping[str, Sequence[float]]:
        from xpm_core.forecast.durations import past_durations  # late, because scripts that show nothing need neither
        from xpm_core.index.merged import MergedIndex

        return past_durations(MergedIndex(workspace.path).read().values())

    def capacity() -> Capacity:
        from xpm_core.reading.survey.capacity import read_capacity

        return read_capacity(client, workspace.id)

    return Foreseer(past, capacity, lambda: server_time(client))


def foresee(
    jobs: Collection[TrackedJob], capacity: Capacity, past: Mapping[str, Sequence[float]], now_s: float
) -> Forecast | None:
    """Foresee when the jobs of a run have ended; None if all have. `now_s` is the server's time, epoch seconds."""
    durations, work = Durations(past), []
    for job in jobs:
        if job.took_s:
            durations.add(job.directory.task, job.took_s)
        if not job.state.settled:
            for_s = max(now_s - job.since_s, 0.0) if job.state is State.RUNNING else None
            needs = job.needs if for_s is None else ()
            work.append(Work(job.directory.task, job.name, job.queue, job.demand, job.identity, needs, for_s))
    return forecast(work, capacity, durations) if work else None
