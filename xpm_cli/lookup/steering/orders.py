"""Order workers to leave or to stay, and say what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.user import user_at_host
from xpm_core.reading.workers import WorkerState
from xpm_core.store.steering.orders import Order, OrderCode, order_worker
from xpm_core.words.text import span


class Ordered(NamedTuple):
    """What became of an order.

    Attributes:
        done: Whether it is so, or will be so.
        line: A line about it, which begins with the worker.
    """

    done: bool
    line: str


def ordered(
    opened: OpenWorkspace, found: Iterable[WorkerState], order: Order, runs: Callable[[WorkerState], str]
) -> list[Ordered]:
    """Order workers to do something. What went wrong comes first in the list that is returned.

    Args:
        opened: The workspace.
        found: The workers.
        order: What they are to do.
        runs: Returns the job that a worker runs, as people know it; empty without one.
    """
    client, by, results = opened.view.connector.client, user_at_host(), []
    for worker in found:
        code, stands = order_worker(client, opened.workspace.id, worker.name, order, by)
        good = code in (OrderCode.ORDERED, OrderCode.ALREADY) or (
            code is OrderCode.UNKNOWN and order is not Order.RESUME
        )
        results.append(Ordered(good, f"{worker.name}: {_result(code, stands, order, worker, runs(worker))}"))
    return sorted(results, key=lambda each: each.done)


def _result(code: OrderCode, stands: str, order: Order, worker: WorkerState, runs: str) -> str:
    late = f" It is silent for {span(worker.silent_s)}, and hears of it once it is back." if worker.silent else ""
    if code is OrderCode.ORDERED:
        return _ordered(order, runs) + late
    if code is OrderCode.ALREADY and order is Order.RESUME:
        return "it was not ordered to leave."
    number = "INT" if order is Order.DRAIN else "TERM"
    instead = "" if order is Order.RESUME else f" Type on {worker.host}: kill -{number} {worker.pid}"
    return {
        OrderCode.ALREADY: f"it was ordered to {stands.replace('stop_now', 'stop')} already.{late}",
        OrderCode.DEAF: f"it runs xpm {worker.version}, which takes no orders from afar.{instead}",
        OrderCode.SIGNALLED: "it leaves because of a signal, or because its time is over. That stays so.",
        OrderCode.STOPPING: "it was ordered to stop. That cannot be taken back.",
        OrderCode.UNKNOWN: "it has left.",
    }[code]


def _ordered(order: Order, runs: str) -> str:
    if order is Order.RESUME:
        return "it stays."
    if not runs:
        return "it leaves."
    return f"it finishes {runs}, and leaves." if order is Order.DRAIN else f"it hands {runs} back, and leaves."
