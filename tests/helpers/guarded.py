"""A small application behind a guard: `from helpers.guarded import guarded`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from xpm_cli.page.safety.guard import Guard

HERE = "http://localhost:8080"


def guarded(guard: Guard, base: str = HERE) -> TestClient:
    """Asks an application whose views say what they were sent. It follows no redirect."""

    def view(request: Request) -> Response:
        return PlainTextResponse(f"{request.url.path} {guard.posted(request)}", headers={"Cache-Control": "public"})

    async def echo(request: Request) -> Response:
        return PlainTextResponse(await request.body())

    methods = ["GET", "POST", "PUT", "DELETE"]
    routes = [Route("/echo", echo, methods=methods), Route("/{path:path}", view, methods=methods)]
    return TestClient(Starlette(routes=routes, middleware=guard.middleware()), base, follow_redirects=False)


def entered(guard: Guard, base: str = HERE) -> TestClient:
    """The same, with a session."""
    client = guarded(guard, base)
    assert client.get(f"/?token={guard.token}").status_code == 303
    return client
