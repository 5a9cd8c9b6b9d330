"""How large and how deep data from outside may be, and a guard against data that announce more than they contain."""

from __future__ import annotations

import msgpack

LARGEST_PAYLOAD = 32 * 1024 * 1024
"""Bytes that a payload may have. Larger data belong in a file."""

DEEPEST_VALUE = 32
"""How deep tuples, sets, enums and objects may be nested in a value. Each level takes 35 kB of the reader's stack."""

SMALL_DATA = 4096
"""Bytes of data that are not guarded, because so few cannot announce enough to fill the memory."""


def refuse_incomplete(data: bytes | memoryview) -> None:
    """Refuse MessagePack data that announce more items than they contain.

    A reader would reserve memory for all announced items before it misses them.

    Raises:
        ValueError: The data are incomplete.
    """
    if len(data) <= SMALL_DATA:
        return
    unpacker = msgpack.Unpacker(max_buffer_size=len(data))
    unpacker.feed(data)
    try:
        unpacker.skip()
    except msgpack.OutOfData:
        raise ValueError("incomplete") from None
