"""Send items in batches: at most 10 ms late, and at once when somebody waits or reads.

As long as the script adds items, its own thread sends a batch, and takes the answer when it sends the next one. So the
script makes items while the server works, and no other thread needs the interpreter. When the script pauses, a thread
of the outbox sends the rest.

Owns: the queue and its thread. `submitter.py` decides what is sent, and what an answer means.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")

LATE_S = 0.01
"""How long an item may wait for others, seconds."""
SOON_S = 0.005
"""The least time between two batches, seconds, if the first was answered. After a pause, a batch does not wait."""
BATCH = 200
"""So many items are sent even if the script must wait for the server, so that a fast loop does not outrun it."""


class Answer(NamedTuple):
    """The answer to items that were sent."""

    ready: Callable[[], bool]
    """Whether it has come."""

    take: Callable[[], None]
    """Waits for it, and does what it asks for."""


class Outbox(Generic[Item]):
    """Items that wait to be sent, or to be answered, in order.

    Args:
        send: Sends a list of items. If it or taking its answer raises an error, the next call of `put`,
            `raise_failure` or `flush` raises it.
        idle: Cleared while the script sends, set when all items are answered.

    Example:
        outbox = Outbox(lambda items: Answer(lambda: True, lambda: print(items)), threading.Event())
        outbox.put(1)
        outbox.close()
    """

    def __init__(self, send: Callable[[list[Item]], Answer], idle: threading.Event) -> None:
        self._send, self._idle = send, idle
        self._items: list[Item] = []
        self._sent: list[Item] = []
        self._answer: Answer | None = None
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
            full = len(self._items) >= BATCH
        try:
            if full or time.monotonic() - self._sent_s >= SOON_S:
                self._go_on(full)
        finally:
            if not self._wanted.is_set():
                self._wake()

    def flush(self) -> None:
        """Send all items, and wait until all are answered."""
        with self._sending:
            try:
                self._take()
            except Exception as error:
                self._failure = self._failure or error
            try:
                self._post()
                self._take()
            finally:
                self._idle.set()
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise, once, an error that sending has raised in the meantime. Call it before you make an item."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def close(self) -> None:
        """Send all items, and end the thread."""
        try:
            self.flush()
        finally:
            self._closed = True
            self._wanted.set()
            if self._thread is not None:
                self._thread.join()

    def _go_on(self, full: bool) -> None:
        """Take the answer to the last batch, and send the next one, unless the script would have to wait."""
        if not self._sending.acquire(blocking=full):
            return
        try:
            if full or self._answer is None or self._answer.ready():
                self._take()
                self._idle.clear()
                self._post()
        finally:
            self._sending.release()

    def _post(self) -> None:
        with self._lock:
            self._sent, self._items = self._items, []
        if self._sent:
            self._sent_s = time.monotonic()
            try:
                self._answer = self._send(self._sent)
            except KeyboardInterrupt:
                self._put_back()
                raise

    def _take(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            try:
                answer.take()
            except KeyboardInterrupt:  # the server may not have answered
                self._put_back()
                raise
            self._sent = []

    def _put_back(self) -> None:
        with self._lock:
            self._items[:0] = self._sent

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
            while (early_s := self._sent_s + LATE_S - time.monotonic()) > 0:
                pause.wait(early_s)
            try:
                self.flush()
            except Exception as error:  # the edge of the thread: the next call of the script raises it
                self._failure = error
