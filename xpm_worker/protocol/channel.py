"""A socket between two processes of a worker. It carries whole messages and never blocks."""

from __future__ import annotations

import socket

from xpm_core.errors import ProtocolError
from xpm_worker.protocol.codec import LARGEST_MESSAGE, LENGTH, decode, encode
from xpm_worker.protocol.messages import Message

_CHUNK = 64 * 1024
_CHUNKS = 64


class Channel:
    """One end of a stream socket, for sending and receiving messages without blocking.

    Args:
        sock: The socket.
        receives: Bytes that a received message may have.
        sends: Bytes that a sent message may have.

    Example:
        >>> channel.send(Hello("", os.getpid()))
        >>> for message in channel.receive(): ...
        >>> if channel.closed: ...
    """

    def __init__(self, sock: socket.socket, *, receives: int = LARGEST_MESSAGE, sends: int = LARGEST_MESSAGE) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._receives, self._sends = receives, sends
        self._in = bytearray()
        self._out = bytearray()
        self.closed = False
        """Whether the other end is gone. All that it sent before was received."""

    def fileno(self) -> int:
        """The socket's descriptor, for poll."""
        return self._sock.fileno()

    @property
    def pending(self) -> bool:
        """Whether bytes wait to be sent. If so, poll for POLLOUT and then call `flush`."""
        return bool(self._out)

    def send(self, message: Message) -> None:
        """Send a message, or the part of it that the socket takes now; `flush` sends the rest.

        Raises:
            ProtocolError: See `encode`.
        """
        self.put(message)
        self.flush()

    def put(self, message: Message) -> None:
        """Keep a message until the next `send` or `flush`, which sends it.

        Raises:
            ProtocolError: See `encode`.
        """
        self._out += encode(message, self._sends)

    def flush(self) -> None:
        """Send the bytes that wait, as many as the socket takes now."""
        while self._out and not self.closed:
            try:
                sent = self._sock.send(memoryview(self._out)[:_CHUNK])
            except BlockingIOError:
                return
            except OSError:
                self.closed = True
                return
            del self._out[:sent]

    def receive(self) -> list[Message]:
        """Return the messages that have arrived. If very many bytes have arrived, this returns a part of them.

        Raises:
            ProtocolError: The bytes are no message. Nothing more can be read from this channel.
        """
        try:
            for _ in range(_CHUNKS):
                data = self._sock.recv(_CHUNK)
                if not data:
                    self.closed = True
                    break
                self._in += data
        except BlockingIOError:
            pass
        except ConnectionError:
            self.closed = True
        return self._messages()

    def _messages(self) -> list[Message]:
        messages: list[Message] = []
        start = 0
        while len(self._in) - start >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._in, start)
            if length > self._receives:
                raise ProtocolError(f"a message of {length} bytes, {self._receives} are allowed")
            end = start + LENGTH.size + length
            if len(self._in) < end:
                break
            messages.append(decode(bytes(memoryview(self._in)[start + LENGTH.size : end])))
            start = end
        del self._in[:start]
        return messages

    def close(self) -> None:
        """Close this end."""
        self.closed = True
        self._sock.close()
