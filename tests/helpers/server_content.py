"""All that a server holds, to compare it before and after.

`from helpers.server_content import everything`.
"""

from __future__ import annotations

from typing import Any

import redis


def everything(client: redis.Redis) -> dict[bytes, Any]:
    """All keys with their values: in the server's own form, unless that has an order of its own, which may change."""
    readers = {b"hash": client.hgetall, b"set": client.smembers}
    return {key: readers.get(client.type(key), client.dump)(key) for key in client.scan_iter(count=1000)}
