"""Ports of this machine for servers that a test starts, when the port has to be known before.

`from helpers.ports import free_port`.
"""

from __future__ import annotations

import contextlib
import random
import socket

NOT_HANDED_OUT = range(20_000, 32_000)
"""Ports that Linux and macOS give to nobody who did not ask for that very port."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port where nobody listens. No other program gets it by chance before the test uses it."""
    while True:
        port = random.SystemRandom().choice(NOT_HANDED_OUT)  # tests of other processes choose, too
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port
