"""What the process of a job sends to its starter."""

from __future__ import annotations

import os
import threading
from typing import Any

from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import Message, OutputRegistered, StatusUpdate


class Reports:
    """Sends the messages of a job to its starter, without blocking the job's code.

    A message that the socket does not take at once is sent later, or dropped. The job's code may close the socket's
    descriptor, and a file of the job may get the same number. So before each message this class checks whether the
    descriptor still is the socket.

    Args:
        channel: The way to the starter.

    Example:
        >>> reports = Reports(channel)
        >>> reports.update("progress", {"done": 3, "of": 10})
        True
        >>> reports.send(TaskFinished(True, None))
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._fd = channel.fileno()
        self._inode, self._pid = os.fstat(self._fd).st_ino, os.getpid()

    def send(self, message: Message) -> None:
        """Send a message that must arrive. This waits until the socket takes it."""
        with self._lock:
            self._send(message)
            self._flush_blocking()

    def update(self, kind: str, data: dict[str, Any]) -> bool:
        """Send a status update while the job runs.

        Args:
            kind: The kind of update. The starter may drop an update when a later one of its kind follows.
            data: What JSON can express.

        Returns:
            Whether it was sent. It is not sent while an earlier message waits.
        """
        with self._lock:
            if self._channel.pending:
                self._flush()
            return not self._channel.pending and self._send(StatusUpdate(kind, data))

    def output(self, data: dict[str, Any]) -> None:
        """Send an output that the job registered. What the socket does not take now goes with the next message."""
        with self._lock:
            self._send(OutputRegistered(data))

    def _flush_blocking(self) -> None:
        while self._channel.pending and self._is_intact():
            os.set_blocking(self._fd, True)
            self._channel.flush()

    def _send(self, message: Message) -> bool:
        if not self._is_intact():
            return False
        self._channel.send(message)
        return not self._channel.closed

    def _flush(self) -> None:
        if self._is_intact():
            self._channel.flush()

    def _is_intact(self) -> bool:
        """Whether this is the job's process, not one that it forked, and the descriptor still is the socket."""
        try:
            return not self._channel.closed and os.getpid() == self._pid and os.fstat(self._fd).st_ino == self._inode
        except OSError:
            return False
