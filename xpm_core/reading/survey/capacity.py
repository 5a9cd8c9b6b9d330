"""Who may do work now, and how many units of tokens there are: what forecasts ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from xpm_core.forecast.records import Capacity
from xpm_core.reading.server import server_time
from xpm_core.reading.tokens import TokenReader, TokenState
from xpm_core.reading.workers import WorkerReader, WorkerState
from xpm_core.store import keys
from xpm_core.store.replies import text_of

if TYPE_CHECKING:
    from redis import Redis


def capacity_of(
    workers: Sequence[WorkerState],
    tokens: Iterable[TokenState],
    paused: Collection[str] = (),
    *,
    suspended: bool = False,
) -> Capacity:
    """The capacity of a workspace.

    Args:
        workers: Its workers. Those count that live and take further jobs.
        tokens: The tokens of its server. If each machine has its own units, those of all machines with workers add up.
        paused: The queues that are paused: nobody serves them.
        suspended: Whether all workers of the server are suspended.
    """
    able = [] if suspended else [worker for worker in workers if worker.alive and not worker.leaving_s]
    slots = tuple(frozenset(worker.queues) - set(paused) for worker in able)
    hosts = len({worker.host for worker in able}) or 1
    return Capacity(slots, {each.name: each.capacity * (hosts if each.scope == "host" else 1) for each in tokens})


def read_capacity(client: Redis, workspace_id: str) -> Capacity:
    """Read the capacity of a workspace, for somebody who asks for nothing else."""
    paused = {text_of(queue) for queue in client.hkeys(keys.paused(workspace_id))}
    workers = WorkerReader(client, workspace_id).read(server_time(client))
    suspended = bool(client.exists(keys.suspended))
    return capacity_of(workers, TokenReader(client, workspace_id).read(), paused, suspended=suspended)
