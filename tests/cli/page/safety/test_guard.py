"""The layers stand in one order, and let a stream through as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from xpm_cli.page.safety.guard import Guard


def test_a_stream_is_sent_piece_by_piece_and_ends_when_the_browser_leaves() -> None:
    guard = Guard()

    async def pieces() -> AsyncIterator[str]:
        number = 0
        while True:
            number += 1
            yield f"data: {number}\n\n"
            await asyncio.sleep(0)

    def view(request: Request) -> Response:
        return StreamingResponse(pieces(), media_type="text/event-stream")

    application = Starlette(routes=[Route("/live", view)], middleware=guard.middleware())
    sent: list[Message] = []

    async def run() -> None:
        left = asyncio.Event()

        async def receive() -> Message:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if len(sent) > 5:
                left.set()

        cookie = f"{guard.cookie}={guard._session}".encode()
        scope = {
            "type": "http", "http_version": "1.1", "asgi": {"version": "3.0", "spec_version": "2.3"}, "method": "GET",
            "scheme": "http", "path": "/live", "raw_path": b"/live", "query_string": b"", "root_path": "",
            "headers": [(b"host", b"localhost:8080"), (b"cookie", cookie)],
        }  # fmt: skip
        await asyncio.wait_for(application(scope, receive, send), 30)

    asyncio.run(run())
    assert [message["body"] for message in sent[1:4]] == [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]
    assert (b"cache-control", b"no-store") in sent[0]["headers"]


def test_a_page_that_serves_no_request_yet_can_be_started() -> None:
    """The messages of the application's life pass all layers."""
    application = Starlette(middleware=Guard().middleware())
    sent: list[str] = []

    async def run() -> None:
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Message:
            return {"type": next(messages)}

        async def send(message: Message) -> None:
            sent.append(message["type"])

        await application({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)

    asyncio.run(run())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
