"""Load the Lua scripts and run them by their digest.

Owns: resolving `-- include:` lines, EVALSHA and its fallback. What a script does stands in its own header
(`lua/*.lua`); what its reply means to Python, in `jobs.py` and `tokens.py`.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from xpm_core.errors import RedisFullError

if TYPE_CHECKING:
    from redis import Redis

_INCLUDE = re.compile(r"^-- include: *(.+)$", re.MULTILINE)


@cache
def source(name: str) -> str:
    """Return the whole text of a script: its flags, each included piece once, then the script itself.

    Args:
        name: The file's name under `lua/`, without `.lua`.
    """
    text = _read(f"{name}.lua")
    shebang, body = text.split("\n", 1)
    pieces: dict[str, str] = {}
    _collect(body, pieces)
    return "\n".join([shebang, *pieces.values(), body])


@cache
def digest(name: str) -> str:
    """Return the SHA-1 by which the server knows a script."""
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()


def run(client: Redis, name: str, keys: list[str], args: list[Any]) -> Any:
    """Run a script in one round trip (two when the server does not know it yet).

    Args:
        client: A connection that returns bytes.
        name: The script.
        keys: What its header calls KEYS.
        args: What its header calls ARGV.

    Raises:
        RedisFullError: The server's memory is full; nothing was written.
        redis.ResponseError: The script refused its arguments ("XPMARG ..."); nothing was written.
    """
    from redis.exceptions import NoScriptError, OutOfMemoryError

    try:
        try:
            return client.evalsha(digest(name), len(keys), *keys, *args)
        except NoScriptError:
            return client.eval(source(name), len(keys), *keys, *args)
    except OutOfMemoryError:
        raise RedisFullError(
            f"Redis, {name}",
            "its memory is full (maxmemory), nothing was written",
            "Raise maxmemory (CONFIG SET maxmemory), or remove old jobs; running jobs go on and can end.",
        ) from None


def _read(path: str) -> str:
    return (files(__package__) / "lua" / path).read_text("utf-8")


def _collect(text: str, pieces: dict[str, str]) -> None:
    for line in _INCLUDE.findall(text):
        for name in line.split():
            if name not in pieces:
                piece = _read(f"include/{name}.lua")
                _collect(piece, pieces)
                pieces[name] = piece
