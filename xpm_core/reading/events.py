"""The stream of a workspace: what happened, in order, at least once.

Owns: reading it. A Lua script writes each event in the same step as the transition that the event reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from xpm_core.reading.server import server_time
from xpm_core.states import Event
from xpm_core.store import keys
from xpm_core.store.replies import map_of, shown, text_of

if TYPE_CHECKING:
    from redis import Redis

BATCH = 1000
"""Events read in one round trip."""
LATEST = 100
"""Events among which the last one of a job is looked for."""


@dataclass(frozen=True)
class Record:
    """One event.

    Attributes:
        cursor: Its id in the stream. The events after it are read from there.
        event: What happened.
        at_s: When, epoch seconds by the server's clock.
        job: The identity of the job; empty if it is an event of a worker or a queue.
        task: The job's task.
        execution: The job's execution.
        worker: The worker.
        data: The other fields of the event, such as attempt, root, error, due, reason, said, order, by, queue, why.
    """

    cursor: str
    event: Event
    at_s: float
    job: str
    task: str
    execution: str
    worker: str
    data: dict[str, str]

    @property
    def said(self) -> dict[str, Any]:
        """The message of a job: with PROGRESS `fraction` and `desc`, with OUTPUT the output."""
        return map_of(self.data.get("data", ""))

    @property
    def error(self) -> dict[str, Any]:
        """The error: type, message, file, line, function. Empty without one."""
        found: dict[str, Any] = shown(map_of(self.data.get("error", "")))
        return found


class EventReader:
    """Reads the events of one workspace.

    Args:
        client: A connection that returns bytes. To wait for events, its time-out has to be longer than the wait.
        workspace_id: From `Workspace.id`.
    """

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._stream = client, keys.events(workspace_id)

    def after(self, cursor: str, *, block_s: float = 0.0) -> list[Record]:
        """Return the events after a cursor, at most `BATCH`, oldest first.

        Events of a later xpm, which this one does not know, are passed over.

        Args:
            cursor: Id of the last event seen; "0-0" for the first that is kept.
            block_s: How long to wait if there is none, seconds; 0 does not wait.
        """
        block_ms = round(block_s * 1000) or None
        while True:
            entries = list(_entries(self._client.xread({self._stream: cursor}, count=BATCH, block=block_ms)))
            records = list(_records(entries))
            if records or not entries:
                return records
            cursor = entries[-1][0].decode()

    def astray(self, cursor: str) -> bool:
        """Whether reading on from a cursor may miss events. The state then has to be read from the jobs themselves.

        There are three causes. The stream is bounded (`lua/include/events.lua`), so events after the cursor may have
        been dropped. Or the server lost its last second in a power cut: the stream then ends before the cursor, and new
        events may come before it if the server's clock goes back. Or the server was emptied, and a new stream has
        begun. Ask at the start and after an outage; at other times only a server that is emptied leads a reader astray
        that keeps up.

        Args:
            cursor: The id of an event that was in the stream; "0-0" for its beginning.
        """
        try:
            info: Any = self._client.xinfo_stream(self._stream)
        except ResponseError:  # no such key: nothing has happened yet, or all of it was lost
            return position(cursor) > (0, 0)
        if position(info["last-generated-id"].decode()) < position(cursor):
            return True
        first, begins = info["first-entry"], position(cursor) == (0, 0)
        lost = not begins or int(info["entries-added"]) > int(info["length"])
        return lost and (first is None or position(first[0].decode()) > position(cursor))

    def last(self) -> str:
        """Return the id of the last event so far."""
        found: Any = self._client.xrevrange(self._stream, count=1)
        return str(found[0][0].decode()) if found else "0-0"

    def latest(self, count: int) -> list[Record]:
        """Return the last events, the newest first.

        Args:
            count: How many, at most.
        """
        entries: Any = self._client.xrevrange(self._stream, count=count)
        return list(_records(entries))

    def backwards(self, last: str = "+") -> Iterator[Record]:
        """Return the events that are kept, the newest first. `BATCH` are read in one round trip.

        Args:
            last: Id of the event to begin with; "+" for the newest one.
        """
        while entries := self._before(last):
            yield from _records(entries)
            last = f"({entries[-1][0].decode()}"

    def _before(self, last: str) -> Any:
        return self._client.xrevrange(self._stream, max=last, count=BATCH)

    def last_job(self) -> str:
        """Return the identity of the job that something happened to last; empty if that is unknown."""
        entries: Any = self._client.xrevrange(self._stream, count=LATEST)
        return next((text_of(fields[b"job"]) for _, fields in entries if b"job" in fields), "")

    def silence(self) -> float:
        """Return the seconds since the last event of any job in the workspace; no job has changed its state since.

        Workers that come and go do not count. Infinite if nothing has happened yet.
        """
        entries: Any = self._client.xrevrange(self._stream, count=LATEST)
        if not entries:
            return float("inf")
        latest = next((cursor for cursor, fields in entries if b"job" in fields), entries[-1][0])
        # The server's clock may have gone back.
        return max(server_time(self._client) - position(latest.decode())[0] / 1000, 0.0)


def position(cursor: str) -> tuple[int, int]:
    """The place of an event in its stream, comparable: "1700000000000-3" -> (1700000000000, 3)."""
    ms, _, n = cursor.partition("-")
    return int(ms or 0), int(n or 0)


_KNOWN = frozenset(event.value for event in Event)


def _records(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> Iterator[Record]:
    for cursor, fields in entries:
        data = {text_of(name): text_of(value) for name, value in fields.items()}
        if data.get("event") not in _KNOWN:
            continue
        yield Record(
            cursor=cursor.decode(),
            event=Event(data.pop("event")),
            at_s=int(data.pop("at")) / 1000,
            job=data.pop("job", ""),
            task=data.pop("task", ""),
            execution=data.pop("execution", ""),
            worker=data.pop("worker", ""),
            data=data,
        )


def _entries(reply: Any) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of one stream in the reply to XREAD. redis-py nests one level deeper under RESP3."""
    streams = reply.items() if isinstance(reply, dict) else reply or []
    for _, entries in streams:
        yield from entries[0] if entries and isinstance(entries[0], list) else entries
