"""Whether a server answers, and is fit: no job can get lost in it, and it has room for the clients.

Owns: how long we wait for a server at the start, and what a server must be.
"""

from __future__ import annotations

import logging
import random
import re
import time
from typing import Any

import redis
from redis.exceptions import NoPermissionError

from xpm_core.errors import RedisUnavailableError, RedisUnfitError
from xpm_core.server import probe
from xpm_core.server.binary import OLDEST_VERSION
from xpm_core.server.url import safe_url

LOADING_S = 600.0
"""How long to wait for a server that is reading its data, in seconds."""

REPORT_EVERY_S = 2.0
"""How often to log that we wait, in seconds."""

CLIENTS_A_SLOT = 3
"""Connections of one slot: one for claims and renewals, one for blocking, one for the commands of RQ's tools."""

log = logging.getLogger(__name__)


def check(client: redis.Redis, url: str, *, tries: int = 3, pause_s: float = 1.0, slots: int = 0) -> None:
    """Make sure that the server answers, and that no job can get lost in it.

    Args:
        client: A client of the server.
        url: Its address, for messages; passwords are hidden.
        tries: How often to ask.
        pause_s: How long to wait between two tries, in seconds, give or take half of it.
        slots: How many slots of workers are about to connect.

    Raises:
        RedisUnavailableError: The server does not answer.
        RedisUnfitError: It is too old, may evict keys, is a replica or part of a cluster, or has no room for the
            slots.
    """
    try:
        problem = _unfitness(_info_of_loaded(client, url, tries, pause_s), slots)
    except NoPermissionError:  # store.rights says what the user may not do
        return
    if problem is not None:
        raise RedisUnfitError(f"Redis at {safe_url(url)}", *problem)


def _info_of_loaded(client: redis.Redis, url: str, tries: int, pause_s: float) -> dict[str, Any]:
    """Ask for INFO until the server has read its data; log now and then how far it is."""
    where = f"Redis at {safe_url(url)}"
    started = reported = time.monotonic()
    wait_s = 0.01
    while (info := _info(client, url, tries, pause_s)).get("loading"):
        share = f"{float(info.get('loading_loaded_perc', 0)):.0f} %"
        now = time.monotonic()
        if now - started > LOADING_S:
            problem = f"it is still reading its data ({share} after {LOADING_S:.0f} s)"
            raise RedisUnavailableError(where, problem, "Wait until it is done, then try again.")
        if now - reported > REPORT_EVERY_S:
            log.warning("%s is reading its data: %s", where, share)
            reported = now
        time.sleep(wait_s)
        wait_s = min(2 * wait_s, 1.0)
    return info


def _info(client: redis.Redis, url: str, tries: int, pause_s: float) -> dict[str, Any]:
    """Ask for INFO; try again where that may help."""
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
    """Why a server is not fit, by its INFO, and what to do; None if it is."""
    version = str(info.get("redis_version", "unknown"))
    if not _new_enough(version):
        oldest = ".".join(map(str, OLDEST_VERSION))
        return f"its version is {version}, {oldest} or later is needed", "Upgrade it, or use Valkey."
    if info.get("cluster_enabled"):
        return "it is a Redis Cluster, where a script reaches only a part of the keys", "Use a standalone server."
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
