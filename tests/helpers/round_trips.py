"""How often a client of Redis speaks to its server. `from helpers.round_trips import counted`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from redis.connection import AbstractConnection


class Spoken:
    """What was counted.

    Attributes:
        trips: How often something was sent. A pipeline is sent at once. What making a connection takes does not count.
    """

    def __init__(self) -> None:
        self.trips = 0
        self.connecting = 0


@contextmanager
def counted() -> Iterator[Spoken]:
    """Count what all clients of this process send."""
    spoken = Spoken()
    send, connect = AbstractConnection.send_packed_command, AbstractConnection.connect

    def sent(self: Any, *args: Any, **more: Any) -> Any:
        spoken.trips += not spoken.connecting
        return send(self, *args, **more)

    def connected(self: Any, *args: Any, **more: Any) -> Any:
        spoken.connecting += 1
        try:
            return connect(self, *args, **more)
        finally:
            spoken.connecting -= 1

    with patch.multiple(AbstractConnection, send_packed_command=sent, connect=connected):
        yield spoken
