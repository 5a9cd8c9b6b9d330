"""Let a worker leave after its job, take that back, pause a queue, and resume it. The commands say the same.

Owns: the fields of these forms: `worker`; `queue` and `why`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from starlette.routing import Route

from xpm_cli.lookup.steering.orders import ordered
from xpm_cli.lookup.steering.pauses import check_queues, pause_lines, resume_line
from xpm_cli.output.documents.live_lists import worker_table
from xpm_cli.output.tables.worker_table import in_order
from xpm_cli.page.rendering import page
from xpm_core.reading.steering.named_workers import named
from xpm_core.store.steering.orders import Order

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.lookup.open_workspace import OpenWorkspace
    from xpm_cli.page.desk.desk import Desk

LONGEST_WHY = 500
"""Characters of the reason for a pause."""


def routes() -> list[Route]:
    """The URLs of these forms."""
    handlers = {"drain": drain, "stay": stay, "pause": pause, "resume": resume}
    return [Route(f"/acting/{verb}", handler, methods=["POST"]) for verb, handler in handlers.items()]


def drain(request: Request) -> Response:
    """Let a worker finish its job, and leave."""
    return _order(request, Order.DRAIN)


def stay(request: Request) -> Response:
    """Take that back."""
    return _order(request, Order.RESUME)


def pause(request: Request) -> Response:
    """Let nothing be claimed from a queue."""
    name, why = _field(request, "queue"), _field(request, "why")[:LONGEST_WHY]
    return _said(request, lambda opened: pause_lines(opened, name, why))


def resume(request: Request) -> Response:
    """Let jobs of a queue be claimed again."""
    name = _field(request, "queue")

    def lines(opened: OpenWorkspace) -> Iterator[str]:
        check_queues(opened, name)
        yield resume_line(opened, name)

    return _said(request, lines)


def _order(request: Request, order: Order) -> Response:
    name = _field(request, "worker")

    def lines(opened: OpenWorkspace) -> Iterator[str]:
        found = named(in_order(opened.view.workers()), name)
        runs = worker_table(opened, found).runs
        for each in ordered(opened, found, order, runs):
            yield each.line
        if order is Order.DRAIN and any(worker.job for worker in found):
            yield f"Take it back: {opened.commands.resume_workers(name)}"

    return _said(request, lines)


def _said(request: Request, lines: Callable[[OpenWorkspace], Iterator[str]]) -> Response:
    """Act, and show what came of it."""
    desk: Desk = request.app.state.desk
    with desk.reading():  # workers and queues are read to act on them
        desk.opened.check()
        said = list(lines(desk.opened))
    return page(request, "acting_said.jinja", lines=said)


def _field(request: Request, name: str) -> str:
    return "".join(request.app.state.guard.posted(request).get(name, [])[:1]).strip()
