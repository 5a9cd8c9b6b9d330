"""Where the last traceback of a log begins."""

from __future__ import annotations

from typing import BinaryIO

FAR = 1 << 28
"""How many bytes are looked at, from the end."""
_BLOCK = 1 << 20
_HEADS = (b"Traceback (most recent call last)", b"Fatal Python error: ")
"""How the tracebacks of Python begin; the second one is that of a process that died of a signal."""
_OVERLAP = max(map(len, _HEADS)) - 1


def last_traceback(file: BinaryIO, start: int, stop: int) -> int | None:
    """Return where the last traceback begins, bytes: its text, not its line. None without one in the last `FAR` bytes.

    Args:
        file: The log.
        start: Where to stop looking.
        stop: Where to begin: it is read backwards from here.
    """
    low, at, rest = max(start, stop - FAR), stop, b""
    while at > low:
        begin = max(at - _BLOCK, low)
        file.seek(begin)
        data = file.read(at - begin) + rest
        found = max(map(data.rfind, _HEADS))
        if found >= 0:
            return begin + found
        at, rest = begin, data[:_OVERLAP]
    return None
