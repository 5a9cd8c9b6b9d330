"""The events of a workspace, as a script iterates over them: `for event in xp.events()`.

Owns: that none is missed, whatever the server or the script does meanwhile. After an outage it goes on where it was;
where the stream is cut, the jobs of the run are told as they stand.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from xpm_core.server import connection
from xpm_core.server.connection import OUTAGES
from xpm_core.states import Event, State
from xpm_core.store import events, reading

if TYPE_CHECKING:
    from xpm_core.server.connection import Client

BLOCK_S = 1.0
"""How long one read waits for something new: so soon an end is noticed."""
DOUBT_S = 10.0
"""Who has not read for so long may be behind the stream's bound."""
LONGEST_PAUSE_S = 5.0

_EVENT_OF = {state: Event.STARTED if state is State.RUNNING else Event(state.value) for state in State}


class Events:
    """The events of a workspace since a run began. Each iteration begins anew.

    Args:
        url: Of the server.
        workspace_id: Whose events.
        cursor: The last one before the run began.
        jobs: Identities of the run's jobs, for where the stream is cut.
        over: Whether nothing more is to come.

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

    def __iter__(self) -> Iterator[events.Record]:
        """Wait for them, one after the other."""
        reader = self._reader()
        try:
            while (records := reader.next()) is not None:
                yield from records
        finally:
            reader.close()

    async def __aiter__(self) -> AsyncIterator[events.Record]:
        """The same in an event loop, which is not kept waiting."""
        reader = self._reader()
        try:
            while (records := await asyncio.to_thread(reader.next)) is not None:
                for record in records:
                    yield record
        finally:
            reader.close()

    def _reader(self) -> Reader:
        return Reader(connection.open(self._url, blocking=True), self._w, self._cursor, self._jobs, self._over)


class Reader:
    """Reads on from a place in the stream. The arguments are those of `Events`, with a connection of its own."""

    def __init__(
        self,
        client: Client,
        workspace_id: str,
        cursor: str,
        jobs: Callable[[], Collection[str]],
        over: Callable[[], bool],
    ) -> None:
        self._client, self._w, self._cursor = client, workspace_id, cursor
        self._jobs, self._over = jobs, over
        self._read_at: float | None = None
        self._pause_s = 0.1

    def next(self) -> list[events.Record] | None:
        """The next ones; waits for them.

        Returns:
            None when nothing more is to come.
        """
        while True:
            over = self._over()  # before the read: whatever was told until then is read
            try:
                records = self._rebuilt() or events.read(
                    self._client, self._w, self._cursor, block_s=0.0 if over else BLOCK_S
                )
            except OUTAGES:
                self._read_at = None
                if over:
                    return None
                time.sleep(self._pause_s * random.uniform(0.5, 1.0))
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
                continue
            self._read_at, self._pause_s = time.monotonic(), 0.1
            if records:
                self._cursor = records[-1].cursor
                return records
            if over:
                return None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _rebuilt(self) -> list[events.Record]:
        """The run's jobs as they stand, if events may have been dropped that were not read."""
        if self._read_at is not None and time.monotonic() - self._read_at < DOUBT_S:
            return []
        if not events.astray(self._client, self._w, self._cursor):
            return []
        self._cursor = events.last(self._client, self._w)
        known = reading.jobs(self._client, self._w, self._jobs())
        return [_as_it_stands(job, self._cursor) for job in known]


def _as_it_stands(job: reading.Job, cursor: str) -> events.Record:
    """The event that would tell the state of a job; `data` says that it is `rebuilt`."""
    data: dict[str, Any] = {"rebuilt": "1", "root": job.root, "reason": job.reason}
    if job.error and job.state in (State.FAILED, State.DELAYED):
        data["error"] = json.dumps(job.error)
    at_s = max(job.submitted_s, job.started_s, job.ended_s)
    words = {name: value for name, value in data.items() if value}
    return events.Record(cursor, _EVENT_OF[job.state], at_s, job.identity, job.task, job.execution, job.worker, words)
