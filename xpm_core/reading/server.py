"""The server itself: its clock, and which process answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis


def server_time(client: Redis) -> float:
    """Return the server's clock, epoch seconds."""
    seconds, micros = client.time()
    return float(seconds) + float(micros) / 1e6


def run_id(client: Redis) -> str:
    """Return the name of the server's process. After a restart or a failover it is another one."""
    return str(client.info("server")["run_id"])
