"""Connections on which no request comes are closed; those that are answered, or follow a stream, are not."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from xpm_cli.page.serving import connections
from xpm_cli.page.serving.listening import on_port
from xpm_cli.page.serving.server import PageServer

PATIENCE_S = 60.0


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Where a page listens that waits for half a second."""
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    go = threading.Event()

    def slow(request: Request) -> Response:
        go.wait(1.5)
        return PlainTextResponse("late")

    async def events() -> AsyncIterator[str]:
        import asyncio

        for number in range(4):
            yield f"{number}\n"
            await asyncio.sleep(0.4)

    routes = [Route("/slow", slow), Route("/live", lambda request: StreamingResponse(events()))]
    listening = on_port(0)
    server = PageServer(Starlette(routes=routes), listening)
    thread = threading.Thread(target=server.serve_until_ended)
    thread.start()
    yield "127.0.0.1", listening.port
    go.set()
    server.stop()
    thread.join(PATIENCE_S)
    server._over.cancel()


def all_of(address: tuple[str, int], *sent: bytes) -> bytes:
    """What comes on a connection until it is closed from the other side."""
    with socket.create_connection(address, PATIENCE_S) as connection:
        for each in sent:
            connection.sendall(each)
        found = b""
        while data := connection.recv(1 << 16):
            found += data
        return found


@pytest.mark.parametrize("sent", [[], [b"GET /slow HTTP/1.1\r\n"], [b"GET /slow HTTP/1.1\r\nHost: localhost\r\n"]])
def test_a_connection_without_a_request_is_closed(address: tuple[str, int], sent: list[bytes]) -> None:
    assert all_of(address, *sent) == b""


def test_a_second_request_that_does_not_come_is_not_waited_for_either(address: tuple[str, int]) -> None:
    with socket.create_connection(address, PATIENCE_S) as connection:
        connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while not answer.endswith(b"Not Found"):
            data = connection.recv(1 << 16)
            assert data, "it was closed before it had answered"
            answer += data
        connection.sendall(b"GET /")
        assert connection.recv(1 << 16) == b""


@pytest.mark.parametrize(("path", "end"), [("slow", b"late"), ("live", b"3\n\r\n0\r\n\r\n")])
def test_an_answer_may_take_its_time(address: tuple[str, int], path: str, end: bytes) -> None:
    request = f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert all_of(address, request.encode()).endswith(end)
