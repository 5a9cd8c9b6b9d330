"""Connections to Redis: where the server is, how long to wait for it, and whether it is fit.

Owns: the order in which a server is looked for, time-outs and retries, and what is said when a server
does not answer or may lose jobs. An embedded server's life is in embedded.py.
"""

from __future__ import annotations

import logging
import os
import random
import re
import shlex
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import MasterDownError, NoPermissionError, ReadOnlyError, TryAgainError
from redis.retry import Retry

from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.errors import RedisUnavailableError, RedisUnfitError, RedisUrlError
from xpm_core.server import probe, tls
from xpm_core.server.binary import OLDEST_VERSION
from xpm_core.server.url import URL_VARIABLE, check_url, has_password, safe_url
from xpm_core.workspace.settings import look_up, open_to, settings_files

LONGEST_BLOCK_S = 5.0
"""The longest that a blocking command (BLPOP, XREAD) may ask the server to wait."""

LOADING_S = 600.0
"""How long to wait for a server that is reading its data."""

SPEAK_S = 2.0
"""How often to say that one waits."""

CLIENTS_A_SLOT = 3
"""Connections of one slot: one for claims and renewals, one for blocking, one for the commands of RQ's tools."""

ServerError = redis.RedisError
"""Whatever a client raises: the server is away, does not serve for the moment, or refuses. Callers import no redis."""

OUTAGES: tuple[type[Exception], ...] = (
    redis.ConnectionError,
    redis.TimeoutError,
    ReadOnlyError,
    MasterDownError,
    TryAgainError,
)
"""What is raised while a server is away, starts, or fails over: worth trying again, for as long as it takes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerAddress:
    """Where the server of a workspace is."""

    url: str | None = field(repr=False)
    """Its address, which may hold a password; None for an embedded server, which is to be attached to."""

    source: str
    """What said so: `redis=`, `XPM_REDIS_URL`, a settings file's path, or `embedded`."""

    def __str__(self) -> str:
        return f"{safe_url(self.url)} (from {self.source})" if self.url else "embedded server"


def locate(workspace: Path, redis: str | None = None) -> ServerAddress:
    """Find out which server a workspace uses; nothing is connected to, and none is started.

    Args:
        workspace: The workspace's directory.
        redis: An address given by the user. Else XPM_REDIS_URL counts, else a settings file, else a server is embedded.

    Raises:
        RedisUrlError: The address cannot be understood.
        SettingsError: A settings file cannot be.
    """
    if redis is not None:
        return ServerAddress(check_url(redis), "redis=")
    from_environment = os.environ.get(URL_VARIABLE)
    if from_environment:
        return ServerAddress(check_url(from_environment), URL_VARIABLE)
    found = look_up("redis", workspace)
    if found is None:
        return ServerAddress(None, "embedded")
    url, file = found
    if has_password(check_url(url)) and (readers := open_to(file, workspace)):
        _warn_once(f"{file}: holds a password, and {readers} can read it. Close it: chmod 600 {shlex.quote(str(file))}")
    return ServerAddress(url, str(file))


def warn_of_argument(url: str | None, workspace: Path) -> None:
    """Say that a password given by `--redis` can be read by others; `url` is what was given."""
    if url is not None and has_password(check_url(url)):
        remedy = f"Set {URL_VARIABLE} instead, or put it into {settings_files(workspace)[1]}, of mode 600"
        _warn_once(f"--redis: everybody on this machine can read its password (ps). {remedy}.")


@cache
def _warn_once(text: str) -> None:
    log.warning("%s", text)


Client = redis.Redis
"""The client that `open` makes, for annotations outside of the rooms that speak Redis."""


def open(url: str, *, lease_s: float = DEFAULT_LEASE_S, blocking: bool = False) -> redis.Redis:
    """Make a client; it connects at its first command. Replies are bytes.

    A client for claims, renewals and everything else gives up on a silent server after a fifth of the
    lease, and tries once more: well before the lease ends. One for blocking waits longer than any
    blocking command (`LONGEST_BLOCK_S`), and does not try again: a wake-up lost with the connection must be noticed.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        lease_s: Length of the caller's leases, in seconds.
        blocking: Whether it is for BLPOP, XREAD and the like.

    Raises:
        RedisUrlError: The address cannot be understood, or names a file for TLS that cannot be used.
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


def check(client: redis.Redis, url: str, *, tries: int = 3, pause_s: float = 1.0, slots: int = 0) -> None:
    """Make sure that the server answers, and that no job can get lost in it.

    Args:
        client: A client of it.
        url: Its address, for messages; passwords are hidden.
        tries: How often to ask.
        pause_s: How long to wait between two tries, give or take half of it.
        slots: How many slots of workers are about to connect.

    Raises:
        RedisUnavailableError: It does not answer.
        RedisUnfitError: It is too old, may evict keys, is a replica or part of a cluster, or has no room for the
            slots.
    """
    try:
        problem = _unfitness(_ask_until_loaded(client, url, tries, pause_s), slots)
    except NoPermissionError:  # store.rights says what the user may not do
        return
    if problem is not None:
        raise RedisUnfitError(f"Redis at {safe_url(url)}", *problem)


def _ask_until_loaded(client: redis.Redis, url: str, tries: int, pause_s: float) -> dict[str, Any]:
    """Ask for INFO until the server has read its data, and say now and then how far it is."""
    where = f"Redis at {safe_url(url)}"
    started = spoke = time.monotonic()
    wait_s = 0.01
    while (info := _ask(client, url, tries, pause_s)).get("loading"):
        share = f"{float(info.get('loading_loaded_perc', 0)):.0f} %"
        now = time.monotonic()
        if now - started > LOADING_S:
            problem = f"it is still reading its data ({share} after {LOADING_S:.0f} s)"
            raise RedisUnavailableError(where, problem, "Wait until it is done, then try again.")
        if now - spoke > SPEAK_S:
            log.warning("%s is reading its data: %s", where, share)
            spoke = now
        time.sleep(wait_s)
        wait_s = min(2 * wait_s, 1.0)
    return info


def _ask(client: redis.Redis, url: str, tries: int, pause_s: float) -> dict[str, Any]:
    """Ask for INFO, a few times if that may help."""
    where = f"Redis at {safe_url(url)}"
    started = time.monotonic()
    fault = probe.plain_port(client) if url.startswith("rediss:") else None
    for attempt in range(tries):
        if fault is not None and fault.lasting:
            raise RedisUnavailableError(where, fault.problem, fault.remedy)
        if attempt:
            time.sleep(pause_s * random.uniform(0.5, 1.5))
        try:
            return dict(client.info())
        except NoPermissionError:
            raise
        except redis.RedisError as error:
            fault = probe.cause_of(error, client)
    assert fault is not None
    tried = "" if fault.lasting else f", {tries} tries in {time.monotonic() - started:.0f} s"
    raise RedisUnavailableError(where, f"{fault.problem}{tried}", fault.remedy)


def _unfitness(info: dict[str, Any], slots: int) -> tuple[str, str] | None:
    """Why a server does not serve, by its INFO, and what to do: jobs could get lost in it, or slots find no room."""
    version = str(info.get("redis_version", "unknown"))
    if not _new_enough(version):
        oldest = ".".join(map(str, OLDEST_VERSION))
        return f"its version is {version}, {oldest} is the oldest that serves", "Upgrade it, or use Valkey."
    if info.get("cluster_enabled"):
        return "it is a Redis Cluster, where scripts reach a part of the keys only", "Use a server that stands alone."
    if info.get("role", "master") != "master":
        return "it is a replica, which takes no writes", f"Name the primary: {_primary(info)}."
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        return f"maxmemory-policy {policy!r} may delete jobs", "Set it to 'noeviction'."
    most, needed = int(info.get("maxclients", 0)), slots * CLIENTS_A_SLOT + 1
    if slots and 0 < most < needed:
        these = "this slot needs" if slots == 1 else f"these {slots} slots need"
        problem = f"it takes {most} clients (maxclients {most}); {these} about {needed}"
        return problem, "Raise maxclients there, or start fewer slots."
    return None


def _new_enough(version: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= OLDEST_VERSION


def _primary(info: dict[str, Any]) -> str:
    return f"{info.get('master_host', 'unknown')}:{info.get('master_port', 'unknown')}"
