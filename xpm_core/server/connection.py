"""Connections to Redis: how long a client waits for the server, and how often it tries again.

Owns: time-outs and retries, and which errors mean that the server is away.
"""

from __future__ import annotations

import redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import MasterDownError, ReadOnlyError, TryAgainError
from redis.retry import Retry

from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.errors import RedisUrlError
from xpm_core.server import tls
from xpm_core.server.url import check_url, safe_url

LONGEST_BLOCK_S = 5.0
"""The longest time that a blocking command (BLPOP, XREAD) may ask the server to wait, in seconds."""

ServerError = redis.RedisError
"""Any error of a client: the server is away, does not serve at the moment, or refuses. So callers import no redis."""

OUTAGES: tuple[type[Exception], ...] = (
    redis.ConnectionError,
    redis.TimeoutError,
    ReadOnlyError,
    MasterDownError,
    TryAgainError,
)
"""Errors while a server is away, starts, or fails over. Then trying again helps, however long it takes."""

Client = redis.Redis
"""The client that `open` makes, for annotations outside of the rooms that speak Redis."""


def open(url: str, *, lease_s: float = DEFAULT_LEASE_S, blocking: bool = False) -> redis.Redis:
    """Make a client. It connects at its first command; replies are bytes.

    An ordinary client gives up on a silent server after a fifth of the lease, and tries once more. So it is done well
    before the lease ends. A client for blocking commands waits longer than any of them (`LONGEST_BLOCK_S`), and does
    not try again: the caller must notice that a wake-up was lost with the connection.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        lease_s: Length of the caller's leases, in seconds.
        blocking: Whether it is for BLPOP, XREAD and the like.

    Raises:
        RedisUrlError: The URL cannot be understood, or names a file for TLS that cannot be used.

    Example:
        >>> with open("redis://head:6379/0") as client:
        ...     client.ping()
        True
    """
    answer_s = lease_s / 5
    of_tcp = {} if url.startswith("unix:") else {"socket_keepalive": True}
    client = redis.Redis.from_url(
        check_url(url),
        protocol=2,
        socket_connect_timeout=answer_s,
        socket_timeout=LONGEST_BLOCK_S + answer_s if blocking else answer_s,
        retry=Retry(NoBackoff(), 0) if blocking else Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), 1),
        **of_tcp,
    )
    if url.startswith("rediss:") and (problem := tls.problem_of(client.connection_pool.connection_kwargs)):
        raise RedisUrlError(f"Redis URL {safe_url(url)!r}", problem, "Correct it in the URL.")
    return client
