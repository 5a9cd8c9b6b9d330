"""Orders to workers from afar: to finish the job and leave, to leave now, or to stay after all.

An order stands in the worker's hash until the worker has left. Each reply to a call of the worker has it.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from xpm_core.store import keys, scripts
from xpm_core.store.replies import text_of

if TYPE_CHECKING:
    from redis import Redis


class Order(str, Enum):
    """What a worker can be ordered to do."""

    DRAIN = "drain"
    """Finish its job, and leave."""
    STOP = "stop"
    """Let its job end within the grace, or hand it back; and leave."""
    STOP_NOW = "stop_now"
    """Hand its job back at once, and leave."""
    RESUME = "resume"
    """Stay: this takes a DRAIN back."""


class OrderCode(IntEnum):
    """What became of an order."""

    ORDERED = 1
    ALREADY = 2
    DEAF = -1
    SIGNALLED = -2
    UNKNOWN = -3
    STOPPING = -4


def order_worker(client: Redis, w: str, worker: str, order: Order, by: str) -> tuple[OrderCode, str]:
    """Order a worker to leave, or to stay.

    Args:
        client: A connection to the server.
        w: The workspace's id.
        worker: The name of the worker, which is one slot of a daemon.
        order: What it is to do.
        by: Who orders it.

    Returns:
        The code, and the order that stands now; empty for none.
    """
    code, stands = scripts.run(client, "order", [keys.workers(w)], [w, worker, order.value, by])
    return OrderCode(code), text_of(stands)
