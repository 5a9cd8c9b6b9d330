"""A connection to the page, which is closed if no request comes.

Any user of a machine reaches a port of it. Without this, somebody who opens connections and sends nothing would take
all that the page may have open, and nobody would get in any more.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0
"""How long the address and the headers of a request may take to come, seconds. After an answer, uvicorn has its own."""


class Connection(H11Protocol):
    """A connection of uvicorn that waits only so long for a request."""

    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is open: the first request has to come."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Something came: a request as a whole, or a part of its head."""
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._stop()
        super().connection_lost(exc)

    @property
    def _waits(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _look(self) -> None:
        if not self._waits:
            self._stop()
        elif self._clock is None:
            self._clock = self.loop.call_later(HEAD_S, self._give_up)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        self._clock = None
        if self._waits:
            self.transport.close()
