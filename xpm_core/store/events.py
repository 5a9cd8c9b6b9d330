"""The stream of a workspace: what happened, in order, at least once.

Owns: reading it. Events are written by the scripts, in the same step as the transition that they tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from xpm_core.states import Event
from xpm_core.store import keys, reading
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

    `cursor` is its id in the stream; ask for what comes after it. `at_s` is the server's time, epoch seconds.
    `data` holds what else belongs to it: attempt, root, error, due, reason, said.
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
        """What a job said: of PROGRESS, `fraction` and `desc`; of OUTPUT, what it registered."""
        return map_of(self.data.get("data", ""))

    @property
    def error(self) -> dict[str, Any]:
        """What went wrong: type, message, file, line, function. Empty when nothing did."""
        found: dict[str, Any] = shown(map_of(self.data.get("error", "")))
        return found


def read(client: Redis, workspace_id: str, cursor: str, *, block_s: float = 0.0) -> list[Record]:
    """Return the events after a cursor, at most `BATCH`, oldest first.

    Args:
        client: A connection; for blocking, one whose time-out is longer than `block_s`.
        workspace_id: Whose events.
        cursor: Id of the last event seen; "0-0" for the first that is kept.
        block_s: How long to wait for one when there is none; 0 does not wait.
    """
    block_ms = round(block_s * 1000) or None
    reply: Any = client.xread({keys.events(workspace_id): cursor}, count=BATCH, block=block_ms)
    return list(_records(reply))


def astray(client: Redis, workspace_id: str, cursor: str) -> bool:
    """Whether reading on from a cursor may miss events: then the state is to be read from the jobs themselves.

    The stream is bounded (`lua/include/events.lua`): events after the cursor may have been dropped. Or the server has
    lost its last second with the power: then the stream ends before the cursor, and new events may come before it if
    the server's clock goes back. Ask at the start and after an outage; nobody else goes astray.
    """
    try:
        info: Any = client.xinfo_stream(keys.events(workspace_id))
    except ResponseError:  # no such key: nothing has happened yet, or all of it was lost
        return position(cursor) > (0, 0)
    if position(info["last-generated-id"].decode()) < position(cursor):
        return True
    dropped = int(info["entries-added"]) > int(info["length"])
    first = info["first-entry"]
    return dropped and (first is None or position(first[0].decode()) > position(cursor))


def last(client: Redis, workspace_id: str) -> str:
    """The id of the last event so far."""
    found: Any = client.xrevrange(keys.events(workspace_id), count=1)
    return str(found[0][0].decode()) if found else "0-0"


def silence(client: Redis, workspace_id: str) -> float:
    """How long nothing has surely been told of any job, seconds: since then, none has changed its state.

    Comings and goings of workers do not count. Endless when nothing has happened yet.
    """
    entries: Any = client.xrevrange(keys.events(workspace_id), count=LATEST)
    if not entries:
        return float("inf")
    latest = next((cursor for cursor, fields in entries if b"job" in fields), entries[-1][0])
    return max(reading.server_time(client) - position(latest.decode())[0] / 1000, 0.0)  # its clock may have gone back


def position(cursor: str) -> tuple[int, int]:
    """The place of an event in its stream, comparable: "1700000000000-3" -> (1700000000000, 3)."""
    ms, _, n = cursor.partition("-")
    return int(ms or 0), int(n or 0)


def _records(reply: Any) -> Iterator[Record]:
    streams = reply.items() if isinstance(reply, dict) else reply or []
    for _, entries in streams:
        for cursor, fields in _flatten(entries):
            data = {text_of(name): text_of(value) for name, value in fields.items()}
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


def _flatten(entries: Any) -> Any:
    # redis-py nests one level deeper under RESP3
    return entries[0] if entries and isinstance(entries[0], list) else entries
