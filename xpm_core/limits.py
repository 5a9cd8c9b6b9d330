"""How large and how deep data from outside may be, and a guard against data that promise more than they hold."""

from __future__ import annotations

import msgpack

LARGEST_PAYLOAD = 32 * 1024 * 1024
"""Bytes that a payload may have. What is larger belongs in a file."""

DEEPEST = 32
"""How deep tuples, sets, enums and objects may be nested in a value: reading each takes a good part of the stack."""

SMALL = 4096


def refuse_incomplete(data: bytes | memoryview) -> None:
    """Refuse data that announce more items than they have: the memory for them would be taken before they are missed.

    Raises:
        ValueError: They do. Of small data nothing much can come.
    """
    if len(data) <= SMALL:
        return
    unpacker = msgpack.Unpacker(max_buffer_size=len(data))
    unpacker.feed(data)
    try:
        unpacker.skip()
    except msgpack.OutOfData:
        raise ValueError("incomplete") from None
