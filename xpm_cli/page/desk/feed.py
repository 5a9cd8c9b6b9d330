"""The stream of what changes: `GET /live`, server-sent events that a browser reads.

An event says which jobs have changed, their states, and how many jobs are in each state. Its id is that of the last
event of the workspace that it covers. A browser that comes back names this id, and misses nothing.

    id: 1700000000000-3
    event: jobs
    data: {"jobs": {"3f2a…": "done"}, "counts": {"done": 41, …}, "many": false}

`many` says that more jobs have changed than are named. A page then asks for all that it shows. The event `reload` says
the same of a browser that was away for too long to be told what it has missed. While the server does not answer,
`outage` says why; `trouble` says what else keeps the page from following the jobs.

Owns: what a slow browser gets. What has changed is gathered until the browser takes it, so that nothing piles up.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from xpm_core.errors import XpmError
from xpm_core.reading.events import EventReader, position
from xpm_core.states import State

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from xpm_cli.page.desk.desk import Batch, Desk

LEAST_S = 0.2
"""The time between two events of a stream, at least, seconds."""
HEARTBEAT_S = 15.0
"""A stream without events says after so many seconds that it lives. So either side notices that the other is gone."""
MOST_JOBS = 2_000
"""How many jobs an event names at most."""
MOST_READS = 20
"""A browser that comes back is told what it has missed if that takes so many reads of the server at most."""
RETRY_MS = 1_000
"""After how many milliseconds a browser tries again when its connection is lost."""

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
CURSOR = re.compile(r"\d{1,20}-\d{1,20}", re.ASCII)


class Feed:
    """All streams of the page.

    Args:
        desk: The desk.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._closed = False

    def routes(self) -> list[Route]:
        """The routes of the feed."""
        return [Route("/live", self.live, name="live")]

    async def live(self, request: Request) -> Response:
        """Answer with a stream that lasts until the browser goes or the page ends."""
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return StreamingResponse(self._events(after), media_type="text/event-stream", headers=HEADERS)

    async def _events(self, after: str) -> AsyncIterator[str]:
        stream = Stream(asyncio.get_running_loop(), self._desk)
        leave = self._enter(stream)
        try:
            yield f"retry: {RETRY_MS}\n\n"
            yield await run_in_threadpool(missed, self._desk, after)
            async for text in stream.texts():
                yield text
        finally:
            leave()

    def _enter(self, stream: Stream) -> Callable[[], None]:
        with self._lock:
            if self._closed:
                stream.close()
            self._streams.add(stream)
        unsubscribe = self._desk.subscribe(stream.hear)

        def leave() -> None:
            unsubscribe()
            with self._lock:
                self._streams.discard(stream)

        return leave

    def close(self) -> None:
        """End all streams, because the page ends. Any thread may call it."""
        with self._lock:
            self._closed = True
            for stream in self._streams:
                stream.close()


class AsOf:
    """The layer that notes how far the desk has read when a request begins; `request.state.cursor` has it.

    A page that was made meanwhile may show more. Its browser asks for what has changed since, and misses nothing.

    Args:
        app: What answers.
        desk: The desk.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note it, and hand on the request."""
        scope.setdefault("state", {})["cursor"] = self._desk.cursor
        await self._app(scope, receive, send)


class Stream:
    """What one browser has not been told yet: at most one event, into which all batches go.

    Args:
        loop: The loop in which the browser is answered.
        desk: The desk.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, desk: Desk) -> None:
        self._loop, self._desk, self._awake = loop, desk, asyncio.Event()
        self._lock = threading.Lock()
        self._jobs: dict[str, State | None] = {}
        self._many = self._ended = False
        self._last: Batch | None = None

    def hear(self, batch: Batch) -> None:
        """Take in a batch. The desk's thread calls it, and never waits here."""
        with self._lock:
            sleeps, self._last = self._last is None, batch
            self._jobs.update(batch.changed)
            self._many = self._many or batch.missed or len(self._jobs) > MOST_JOBS
            if self._many:
                self._jobs = {}
        if sleeps:
            self._wake()

    def close(self) -> None:
        """Let `texts` end."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._awake.set)

    async def texts(self) -> AsyncIterator[str]:
        """Yield events as a browser reads them, and heartbeats, until `close`."""
        while not self._ended:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._awake.wait(), HEARTBEAT_S)
            if self._ended:
                return
            self._awake.clear()
            yield self._take() or ": alive\n\n"
            await asyncio.sleep(LEAST_S)

    def _take(self) -> str:
        with self._lock:
            jobs, many, last = self._jobs, self._many, self._last
            self._jobs, self._many, self._last = {}, False, None
        if last is None:
            return ""
        return event(last.cursor, jobs, last.counts or None, many=many, said=said_by(self._desk))


def event(
    cursor: str,
    jobs: Mapping[str, State | None],
    counts: Mapping[State, int] | None = None,
    *,
    many: bool = False,
    said: Mapping[str, str] | None = None,
) -> str:
    """An event as a browser reads it.

    Args:
        cursor: Its id.
        jobs: The jobs that have changed, and their states; None for a state that is not known.
        counts: How many jobs are in each state; None if that was not asked.
        many: Whether more jobs have changed than are named.
        said: What keeps the page from following the jobs; see `said_by`.
    """
    return _event("jobs", cursor, {"jobs": jobs, "counts": counts, "many": many, **(said or {})})


def said_by(desk: Desk) -> dict[str, str]:
    """Why the server does not answer, as `outage`, or why files answer, as `away`; what else is wrong, as `trouble`."""
    found = {"outage": desk.outage, "away": str(desk.away or ""), "trouble": desk.trouble}
    return {name: text for name, text in found.items() if text}


def _reload(desk: Desk, cursor: str) -> str:
    return _event("reload", cursor, {"jobs": {}, "counts": None, "many": True, **said_by(desk)})


def _event(name: str, cursor: str, data: Mapping[str, Any]) -> str:
    return f"id: {cursor}\nevent: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def missed(desk: Desk, after: str) -> str:
    """The event that a browser gets first: what has changed since the last one that it has seen.

    The browser hears the batches that come meanwhile, too. So it may be told the same twice, and misses nothing.

    Args:
        desk: The desk.
        after: The id of the last event that the browser has seen; empty if it has seen none.
    """
    now = desk.cursor
    if not after or after == now:
        return event(now, {}, said=said_by(desk))
    if not CURSOR.fullmatch(after) or position(after) > position(now):
        return _reload(desk, now)
    try:
        with desk.reading() as view:
            found = _between(view.reader.events, after, now)
            many = found is not None and len(found) > MOST_JOBS
            rows = view.rows(found or ()) if not many else []
    except XpmError:  # the server is away; when it is back, the desk says that it may have missed something
        return _reload(desk, now)
    if found is None:
        return _reload(desk, now)
    gone = not many and len(rows) < len(found)  # a job was removed: no row says so
    return event(now, {row.identity: row.state for row in rows}, many=many or gone, said=said_by(desk))


def _between(reader: EventReader, after: str, last: str) -> dict[str, None] | None:
    """The jobs of the events after one and up to another; None if the workspace has too many, or not all any more.

    What comes after the last one is not told here, because the desk has not read it yet.
    """
    found: dict[str, None] = {}
    if reader.astray(after):
        return None
    for _ in range(MOST_READS):
        records = reader.after(after)
        for record in records:
            if position(record.cursor) > position(last):
                return found
            after = record.cursor
            if record.job:
                found[record.job] = None
        if not records or position(after) >= position(last) or len(found) > MOST_JOBS:
            return found
    return None
