"""The events of a workspace, as a script iterates over them: `for event in xp.events()`.

Owns: the promise that no event is missed, whatever happens to the server or the script meanwhile. After an outage, it
goes on where it was. If the stream was cut, it returns an event for each job of the run, which says how the job stands.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from xpm_core.backoff import Backoff
from xpm_core.reading.events import Record
from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.server import connection
from xpm_core.server.connection import OUTAGES
from xpm_core.states import Event, State

if TYPE_CHECKING:
    from xpm_core.server.connection import Client

BLOCK_S = 1.0
"""How long one read waits for a new event, in seconds. The end of the events is noticed as late as that."""
DOUBT_S = 10.0
"""After so many seconds without a read, it asks whether events were dropped meanwhile."""
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
"""Between two tries while the server is away, in seconds."""

_EVENT_OF = {state: Event.STARTED if state is State.RUNNING else Event(state.value) for state in State}


class Events:
    """The events of a workspace since a run began. Each iteration starts again from there.

    Args:
        url: The server's address.
        workspace_id: The workspace.
        cursor: The last event before the run began.
        jobs: Returns the identities of the run's jobs; used where the stream was cut.
        over: Returns whether nothing more is to come.

    Example:
        for event in xp.events():
            print(event.event.value, event.task, event.said)
        async for event in xp.events():
            ...
    """

    def __init__(
        self,
        url: str,
        workspace_id: str,
        cursor: str,
        jobs: Callable[[], Collection[str]],
        over: Callable[[], bool],
    ) -> None:
        self._url, self._w, self._cursor = url, workspace_id, cursor
        self._jobs, self._over = jobs, over

    def __iter__(self) -> Iterator[Record]:
        """Return them one after the other, and wait for each."""
        iterator = self._iterator()
        try:
            while (records := iterator.next()) is not None:
                yield from records
        finally:
            iterator.close()

    async def __aiter__(self) -> AsyncIterator[Record]:
        """The same for `async for`: other code of the event loop runs meanwhile."""
        iterator = self._iterator()
        try:
            while (records := await asyncio.to_thread(iterator.next)) is not None:
                for record in records:
                    yield record
        finally:
            iterator.close()

    def _iterator(self) -> EventIterator:
        client = connection.open(self._url, blocking=True)
        return EventIterator(client, self._w, self._cursor, self._jobs, self._over)


class EventIterator:
    """Reads the stream from a cursor on. It owns its connection; the other arguments are those of `Events`."""

    def __init__(
        self,
        client: Client,
        workspace_id: str,
        cursor: str,
        jobs: Callable[[], Collection[str]],
        over: Callable[[], bool],
    ) -> None:
        self._client, self._reader, self._cursor = client, Reader(client, workspace_id), cursor
        self._jobs, self._over = jobs, over
        self._read_at: float | None = None
        self._backoff = Backoff(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)

    def next(self) -> list[Record] | None:
        """Wait for the next events.

        Returns:
            The events, in order; None when nothing more is to come.
        """
        while True:
            over = self._over()  # asked before the read, so that all events until then are read
            try:
                block_s = 0.0 if over else BLOCK_S
                records = self._rebuilt() or self._reader.events.after(self._cursor, block_s=block_s)
            except OUTAGES:
                self._read_at = None
                if over:
                    return None
                time.sleep(self._backoff.next_s())
                continue
            self._read_at = time.monotonic()
            self._backoff.reset()
            if records:
                self._cursor = records[-1].cursor
                return records
            if over:
                return None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _rebuilt(self) -> list[Record]:
        """If unread events may have been dropped: an event for each job of the run, which says how it stands."""
        if self._read_at is not None and time.monotonic() - self._read_at < DOUBT_S:
            return []
        if not self._reader.events.astray(self._cursor):
            return []
        self._cursor = self._reader.events.last()
        return [_event_of(job, self._cursor) for job in self._reader.jobs.read(self._jobs())]


def _event_of(job: Job, cursor: str) -> Record:
    """The event that would bring a job into its state; its `data` says that it is `rebuilt`."""
    data: dict[str, Any] = {"rebuilt": "1", "root": job.root, "reason": job.reason}
    if job.error and job.state in (State.FAILED, State.DELAYED):
        data["error"] = json.dumps(job.error)
    at_s = max(job.submitted_s, job.started_s, job.ended_s)
    words = {name: value for name, value in data.items() if value}
    return Record(cursor, _EVENT_OF[job.state], at_s, job.identity, job.task, job.execution, job.worker, words)
