"""Sending in batches, behind the script's back: at most 10 ms late, and at once when somebody waits or reads.

Owns: the queue and its thread. What is sent, and what an answer means, is submitting.py's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

LATE_S = 0.01
"""How long an item may wait for others. The first after a pause does not."""
BATCH = 200
"""Items that are sent at once, in the caller's own time: so that a fast loop does not run away from the server."""


class Outbox(Generic[Item]):
    """Items on their way, in order.

    Args:
        send: Sends a list of items; what it raises is raised by the next call of `raise_failure` or `flush`.

    Example:
        outbox = Outbox(print)
        outbox.put(1)
        outbox.close()
    """

    def __init__(self, send: Callable[[list[Item]], None]) -> None:
        self._send = send
        self._items: list[Item] = []
        self._lock = threading.Lock()
        self._sending = threading.RLock()
        self._wanted = threading.Event()
        self._closed = False
        self._sent_s = 0.0
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def put(self, item: Item) -> None:
        """Add an item."""
        with self._lock:
            self._items.append(item)
            count = len(self._items)
        if count >= BATCH:
            self.flush()
        elif count == 1:
            self._wake()

    def flush(self) -> None:
        """Send what is there, and wait until it was sent."""
        with self._sending:
            with self._lock:
                items, self._items = self._items, []
            if items:
                self._sent_s = time.monotonic()
                try:
                    self._send(items)
                except KeyboardInterrupt:  # it may have been waiting for the server
                    with self._lock:
                        self._items[:0] = items
                    raise
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise what sending has raised behind the script's back, once; call it before an item is made."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def close(self) -> None:
        """Send what is there, and end the thread."""
        try:
            self.flush()
        finally:
            self._closed = True
            self._wanted.set()
            if self._thread is not None:
                self._thread.join()

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="xpm-outbox", daemon=True)
            self._thread.start()
        self._wanted.set()

    def _work(self) -> None:
        pause = threading.Event()
        while True:
            self._wanted.wait()
            if self._closed:
                return
            self._wanted.clear()
            if (early_s := self._sent_s + LATE_S - time.monotonic()) > 0:
                pause.wait(early_s)
            try:
                self.flush()
            except Exception as error:  # the thread's edge: the next call raises it
                self._failure = error
