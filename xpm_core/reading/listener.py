"""Waits for events of the workspace, and hands them on. The screen and the page follow the jobs by it.

Owns: the place in the stream of events, also after an outage.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from xpm_core.reading.events import Record
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
        heard: Called with events that have happened, in order, at least one.
        missed: Called when events may have been missed, with the cursor after which they are heard again.
        failed: Called with an error that is no outage.
        lost: Called with the error of an outage, at each try to end it; None to say nothing.
    """

    def __init__(
        self,
        view: View,
        heard: Callable[[list[Record]], None],
        missed: Callable[[str], None],
        failed: Callable[[Exception], None],
        lost: Callable[[Exception], None] | None = None,
    ) -> None:
        super().__init__(name="xpm-events", daemon=True)
        self._reader = view.blocking_reader.events
        self._cursor = view.reader.events.last()
        self._heard, self._missed, self._failed, self._lost = heard, missed, failed, lost
        self._closed = threading.Event()

    @property
    def cursor(self) -> str:
        """The cursor of the last event that was heard, or before which nothing is heard."""
        return self._cursor

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
            except OUTAGES as error:
                away = True
                if self._lost is not None and not self._closed.is_set():
                    self._lost(error)
                self._closed.wait(PAUSE_S)

    def _read(self) -> None:
        if records := self._reader.after(self._cursor, block_s=BLOCK_S):
            self._cursor = records[-1].cursor
            self._heard(records)
        elif self._reader.astray(self._cursor):
            self._come_back()

    def _come_back(self) -> None:
        """Go on after an outage: what has happened meanwhile is read from the jobs themselves."""
        self._cursor = self._reader.last()
        self._missed(self._cursor)

    def close(self) -> None:
        """Report nothing any more."""
        self._closed.set()
