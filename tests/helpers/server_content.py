"""All that a server holds, to compare it before and after.

`from helpers.server_content import everything`.
"""

from __future__ import annotations

from typing import Any

import redis


def everything(client: redis.Redis) -> dict[bytes, Any]:
    """All keys with their values: in the server's own form, unless that has an order of its own, which may change."""
    names = list(client.scan_iter(count=1000))
    with client.pipeline(transaction=False) as asked:
        for name in names:
            asked.type(name)
        types = asked.execute()
        readers = {b"hash": asked.hgetall, b"set": asked.smembers}
        for name, kind in zip(names, types, strict=True):
            readers.get(kind, asked.dump)(name)
        return dict(zip(names, asked.execute(), strict=True))
