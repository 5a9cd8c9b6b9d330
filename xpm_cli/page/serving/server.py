"""uvicorn, from an open socket to its end.

Owns: that the page ends within a second although browsers hold streams open, and that a signal ends it as well as
Ctrl-C does, so that what it has made is removed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from xpm_cli.page.serving.connections import Connection
from xpm_cli.page.serving.listening import Listening
from xpm_cli.page.serving.tls import Tls

if TYPE_CHECKING:
    from starlette.types import ASGIApp

END_S = 0.9
"""How long the page may take to end, in seconds. Threads that wait for a server or a disk are then left."""
MOST_HEAD = 256 * 1024
"""How long the address and the headers of a request may be, bytes: an address may name some thousand jobs."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PageServer(uvicorn.Server):
    """Serves an application at an open socket.

    Args:
        app: The application.
        listening: The socket. It is closed at the end, also if the end takes too long.
        tls: The files of TLS; None for plain HTTP.
        at_end: Called before a process that hangs is ended. Another thread may be doing the same.

    Attributes:
        signal: The signal that has ended it; 0 if none has.
    """

    def __init__(
        self, app: ASGIApp, listening: Listening, tls: Tls | None = None, at_end: Callable[[], None] = lambda: None
    ) -> None:
        self.signal, self._listening, self._at_end = 0, listening, at_end
        self._over = threading.Timer(END_S, self._end_at_once)
        self._over.daemon = True
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                h11_max_incomplete_event_size=MOST_HEAD,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=0,
                timeout_keep_alive=30,
                ssl_certfile=str(tls.cert) if tls else None,
                ssl_keyfile=str(tls.key) if tls else None,
            )
        )

    def serve_until_ended(self) -> int:
        """Serve until a signal comes, or `stop` is called. Returns the signal's number, or 0."""
        log = logging.getLogger("uvicorn.error")
        log.addFilter(self._is_fault)
        try:
            self.run([self._listening.socket])
        finally:
            self._listening.close()
            log.removeFilter(self._is_fault)
        return self.signal

    def stop(self) -> None:
        """End the server, from any thread."""
        if not self.should_exit:
            self.should_exit = True
            self._over.start()

    def _end_at_once(self) -> None:
        """End the process: something hangs. A process that has ended by itself never gets here."""
        try:
            self._listening.close()
            self._at_end()
        finally:
            os._exit(128 + self.signal if self.signal else 0)

    def _is_fault(self, record: logging.LogRecord) -> bool:
        """Whether something that uvicorn logs is a fault. Streams that are cut off at the end are none.

        Its warnings are about requests that are none, which any user of the machine can send: a log is not to grow by
        those.
        """
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno < logging.ERROR:
            return False
        return not isinstance(error, asyncio.CancelledError) and not record.getMessage().startswith("Cancel ")

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self.signal = self.signal or number
        self.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let signals end the server. uvicorn's own way kills the process by the same signal afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in _ENDING}
        taken = [number for number in _ENDING if before[number] is not signal.SIG_IGN or number is signal.SIGTERM]
        for number in taken:
            signal.signal(number, self._heard)
        try:
            yield
        finally:
            for number in taken:
                with suppress(TypeError):  # a handler that was not set by Python
                    signal.signal(number, before[number])
