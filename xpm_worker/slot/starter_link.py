"""A worker's side of its starter: asks the mother for one, hands it jobs, and notices when it dies."""

from __future__ import annotations

import logging
import select
import socket

from xpm_core.backoff import Backoff
from xpm_core.errors import ProtocolError
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import Hello, Message
from xpm_worker.slot.orders import Orders
from xpm_worker.starter.fork_server import ask
from xpm_worker.system import marks

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 5.0
"""Pauses before another starter is asked for."""


class Starter:
    """The starter of one worker; another is asked for when it has died.

    Args:
        control: The way to the mother.
        orders: What the worker is told; waiting ends when something is ordered.
    """

    def __init__(self, control: socket.socket, orders: Orders) -> None:
        self._control = control
        self._orders = orders
        self._channel: Channel | None = None
        self.mark = ""
        self.pid = 0

    @property
    def alive(self) -> bool:
        """Whether there is a starter, as far as is known."""
        return self._channel is not None and not self._channel.closed

    def ensure(self) -> bool:
        """Make sure that there is a starter; wait until one is there.

        Returns:
            Whether there is one: false when the worker is to leave first.
        """
        self.hear(0.0)
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while not self.alive:
            if self._orders.stop:
                return False
            self.sweep()
            self._channel = Channel(ask(self._control))
            hello = self._hello(self._channel)
            if hello is not None:
                self.mark, self.pid = hello.mark, hello.pid
            elif not self._orders.stop:
                log.warning("the starter did not come up; asking for another")
                self._orders.wait(backoff.next_s())
        return True

    def send(self, message: Message) -> None:
        """Tell it something.

        Raises:
            ProtocolError: The message is too large.
        """
        if self._channel is not None:
            self._channel.send(message)

    def hear(self, seconds: float) -> list[Message]:
        """Wait for so long, or until it says something or the worker is told something. Returns what it says."""
        channel = self._channel
        if channel is None or channel.closed:
            return []
        heeded: list[Channel | Orders] = [channel, self._orders]
        told, _, _ = select.select(heeded, [channel] if channel.pending else [], [], max(seconds, 0.0))
        if self._orders in told:
            self._orders.hear()
        channel.flush()
        if channel not in told:
            return []
        try:
            return channel.receive()
        except ProtocolError:
            log.exception("what the starter says cannot be understood")
            channel.close()
            return []

    def sweep(self) -> int:
        """Kill what a starter that died left behind. Returns how many processes that were."""
        if self._channel is not None:
            self._channel.close()
        self._channel = None
        return marks.sweep(self.mark)

    def close(self) -> None:
        """Let it go; it kills what it runs."""
        if self._channel is not None:
            self._channel.close()

    def _hello(self, channel: Channel) -> Hello | None:
        while not channel.closed and not self._orders.stop:
            for message in self.hear(60.0):
                if isinstance(message, Hello):
                    return message
        return None
