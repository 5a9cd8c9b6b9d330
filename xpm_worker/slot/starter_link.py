"""A slot's way to its starter: asks the fork server for a starter, sends it jobs, and notices when it dies."""

from __future__ import annotations

import logging
import select
import socket

from xpm_core.backoff import Backoff
from xpm_core.errors import ProtocolError
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import Hello, Message, StopJob
from xpm_worker.slot.orders import Orders
from xpm_worker.system import marks

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 5.0
"""Pauses before another starter is asked for, seconds."""


def ask(control: socket.socket) -> socket.socket:
    """Ask the fork server for a starter.

    Args:
        control: The way to the fork server.

    Returns:
        The way to the starter, over which `Hello` comes first.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(control, [b"+"], [theirs.fileno()])
    return ours


class StarterLink:
    """The way to the starter of one slot. When the starter has died, another one is asked for.

    Args:
        control: The way to the fork server.
        orders: The slot's orders. A new order ends every wait.

    Example:
        >>> if link.ensure():
        ...     link.send(RunJob(...))
        ...     messages = link.receive(10.0)
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
        """Ask for a starter if there is none, and wait until it runs.

        Returns:
            Whether there is one. False if the slot must leave before.
        """
        self.receive(0.0)
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while not self.alive:
            if self._orders.shutdown:
                return False
            self.sweep()
            self._channel = Channel(ask(self._control))
            hello = self._hello(self._channel)
            if hello is not None:
                self.mark, self.pid = hello.mark, hello.pid
            elif not self._orders.shutdown:
                log.warning("the starter did not come up; asking for another")
                self._orders.wait(backoff.next_s())
        return True

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            ProtocolError: The message is too large.
        """
        if self._channel is not None:
            self._channel.send(message)

    def receive(self, seconds: float) -> list[Message]:
        """Wait for messages, and return them.

        Args:
            seconds: How long to wait. A message, or a new order, ends the wait.
        """
        channel = self._channel
        if channel is None or channel.closed:
            return []
        awaited: list[Channel | Orders] = [channel, self._orders]
        readable, _, _ = select.select(awaited, [channel] if channel.pending else [], [], max(seconds, 0.0))
        if self._orders in readable:
            self._orders.clear()
        channel.flush()
        if channel not in readable:
            return []
        try:
            return channel.receive()
        except ProtocolError:
            log.exception("a message of the starter cannot be understood")
            channel.close()
            return []

    def sweep(self) -> int:
        """Kill the processes that a starter left behind when it died. Returns how many were killed."""
        if self._channel is not None:
            self._channel.close()
        self._channel = None
        return marks.sweep(self.mark)

    def close(self) -> None:
        """Close the way to the starter, which then kills what it runs and ends."""
        if self._channel is not None:
            self._channel.close()

    def _hello(self, channel: Channel) -> Hello | None:
        while not channel.closed and not self._orders.shutdown:
            for message in self.receive(60.0):
                if isinstance(message, Hello):
                    return message
        return None


class StopsSent:
    """Sends a starter each order to stop a job only once.

    Args:
        starter: The way to the starter.
        execution: The execution to stop.
    """

    def __init__(self, starter: StarterLink, execution: str) -> None:
        self._starter = starter
        self._execution = execution
        self._sent: set[tuple[str, float]] = set()

    def send(self, reason: str, grace_s: float = 0.0) -> None:
        """Send an order to end the job, unless the same order was sent before. See `StopJob`."""
        if (reason, grace_s) not in self._sent:
            self._sent.add((reason, grace_s))
            self._starter.send(StopJob(self._execution, reason, grace_s))
