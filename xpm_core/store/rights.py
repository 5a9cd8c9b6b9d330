"""The rights that xpm needs on the server: commands, keys and channels.

Owns: the list, and finding out which of these rights a user lacks. docs/howto/redis.md shows the list as one command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import NoPermissionError, RedisError

from xpm_core.errors import RedisUnavailableError, RedisUnfitError
from xpm_core.server import probe
from xpm_core.server.url import safe_url
from xpm_core.store import keys, scripts

if TYPE_CHECKING:
    from redis import Redis

# fmt: off
COMMANDS = (
    "blpop", "client|id", "client|info", "client|setname", "client|unblock", "del", "eval", "evalsha", "exec",
    "exists", "expire", "get", "hdel", "hexists", "hget", "hgetall", "hincrby", "hkeys", "hmget", "hset", "hsetnx",
    "hvals", "incr", "info", "lindex", "llen", "lpop", "lpos", "lrange", "lrem", "lset", "multi", "persist",
    "pexpire", "ping", "publish", "rpush", "sadd", "scard", "select", "set", "sismember", "smembers", "spop", "srem",
    "sscan", "subscribe", "time", "type", "unsubscribe", "xadd", "xinfo|stream", "xread", "xrevrange", "zadd",
    "zcard", "zcount", "zrange", "zrangebyscore", "zrem", "zremrangebyscore", "zrevrange", "zrevrangebyscore", "zscan",
    "zscore",
)
# fmt: on
"""The commands of our scripts, of the client, and of RQ's worker."""

PREFIXES = ("xpm:", "rq:")
"""The beginnings of all keys."""

CHANNELS = keys.rq_pubsub("")
"""The beginning of all channels: RQ's tools send commands to workers there."""

RULES = (*(f"~{prefix}*" for prefix in PREFIXES), f"&{CHANNELS}*", *(f"+{command}" for command in COMMANDS))
"""The rules that `ACL SETUSER` takes."""

_SAMPLES = {
    "eval": "eval x 1 {key}",
    "evalsha": "evalsha x 1 {key}",
    "xread": "xread streams {key} 0",
    "publish": f"publish {CHANNELS}sample x",
    "subscribe": f"subscribe {CHANNELS}sample",
}
"""Calls of commands that also take arguments other than keys."""

_KEYLESS = {"info", "multi", "exec", "ping", "publish", "select", "subscribe", "time", "unsubscribe"}

NAMED = 3
"""How many commands a message names."""


def missing(client: Redis) -> list[str]:
    """Return the rules that a user lacks, as `ACL SETUSER` takes them; empty if no right is missing."""
    samples = [(command, prefix) for prefix in PREFIXES for command in COMMANDS]
    try:
        places = scripts.run(client, "rights", [], [_sample(*each) for each in samples])
    except NoPermissionError:  # the user may not even run the script that finds this out
        return list(RULES)
    refused = {samples[place - 1] for place in places}
    keyed = [command for command in COMMANDS if command not in _KEYLESS and not command.startswith("client|")]
    keys = [f"~{prefix}*" for prefix in PREFIXES if all((command, prefix) in refused for command in keyed)]
    commands = [f"+{command}" for command in COMMANDS if all((command, prefix) in refused for prefix in PREFIXES)]
    return [*keys, *([f"&{CHANNELS}*"] if {"+publish", "+subscribe"} <= set(commands) else []), *commands]


def check(client: Redis, url: str) -> None:
    """Make sure that the user of a client has all rights that xpm needs.

    Raises:
        RedisUnavailableError: The server does not answer any more.
        RedisUnfitError: The user lacks rights. The error says which ones to allow.
    """
    try:
        lacking = missing(client)
    except RedisError as error:  # it answered a moment ago
        fault = probe.cause_of(error, client)
        raise RedisUnavailableError(f"Redis at {safe_url(url)}", fault.problem, fault.remedy) from None
    if lacking:
        raise RedisUnfitError(f"Redis at {safe_url(url)}", *problem_of(lacking, client))


def problem_of(rules: list[str], client: Redis) -> tuple[str, str]:
    """Return the problem of a user without these rules, and its remedy."""
    user = client.connection_pool.connection_kwargs.get("username") or "default"
    commands = [rule[1:].upper().replace("|", " ") for rule in rules if rule.startswith("+")]
    more = f" and {len(commands) - NAMED} more" if len(commands) > NAMED else ""
    lacks = f"call {', '.join(commands[:NAMED])}{more}" if commands else f"use {', '.join(rule[1:] for rule in rules)}"
    return f"the user {user} may not {lacks}", f"Allow it: ACL SETUSER {user} {' '.join(rules)}."


def _sample(command: str, prefix: str) -> str:
    key = f"{prefix}sample"
    return _SAMPLES.get(command, command.replace("|", " ") + 3 * " {key}").format(key=key)
