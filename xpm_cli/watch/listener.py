"""Waits for events of the workspace, and says which jobs they are about.

Owns: the place in the stream of events, also after an outage.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from xpm_core.reading.look import View
from xpm_core.server.connection import OUTAGES

BLOCK_S = 2.0
"""How long one read waits for events, seconds."""
PAUSE_S = 0.5
"""How long to wait before trying again, while the server is away, seconds."""


class Listener(threading.Thread):
    """Reads events until it is closed. Its thread ends with the process.

    Args:
        view: The workspace.
        changed: Called with the jobs of events that have happened, maybe with none.
        missed: Called when events may have been missed.
        failed: Called with an error that is no outage.
    """

    def __init__(
        self,
        view: View,
        changed: Callable[[Iterable[str]], None],
        missed: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        super().__init__(name="xpm-watch-events", daemon=True)
        self._reader = view.blocking_reader.events
        self._cursor = view.reader.events.last()
        self._changed, self._missed, self._failed = changed, missed, failed
        self._closed = threading.Event()

    def run(self) -> None:
        """Read until `close`."""
        try:
            self._listen()
        except Exception as error:  # the main thread raises it; but if it was closed, its connection is closed, too
            if not self._closed.is_set():
                self._failed(error)

    def _listen(self) -> None:
        away = False
        while not self._closed.is_set():
            try:
                if away:
                    self._come_back()
                    away = False
                self._read()
            except OUTAGES:
                away = True
                self._closed.wait(PAUSE_S)

    def _read(self) -> None:
        if records := self._reader.after(self._cursor, block_s=BLOCK_S):
            self._cursor = records[-1].cursor
            self._changed({record.job for record in records if record.job})
        elif self._reader.astray(self._cursor):
            self._come_back()

    def _come_back(self) -> None:
        """Go on after an outage: what has happened meanwhile is read from the jobs themselves."""
        self._cursor = self._reader.last()
        self._missed()

    def close(self) -> None:
        """Report nothing any more."""
        self._closed.set()
