"""Sending in batches, behind the script's back: at most 10 ms late, and at once when somebody waits or reads.

A script that goes on sends by itself, and takes the answer when it sends again: it makes the next items while the
server takes these, and no other thread asks for the interpreter. Once it pauses, the thread takes what is left.

Owns: the queue and its thread. What is sent, and what an answer means, is submitting.py's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")

LATE_S = 0.01
"""How long an item may wait for others."""
SOON_S = 0.005
"""How long after the last batch the next one goes out, if that was answered. The first after a pause does not wait."""
BATCH = 200
"""Items that are sent whatever they have to wait for: so that a fast loop does not run away from the server."""


class Answer(NamedTuple):
    """What is to come of items that were sent."""

    ready: Callable[[], bool]
    """Whether it is there."""

    take: Callable[[], None]
    """Waits for it, and does what is to be done with it."""


class Outbox(Generic[Item]):
    """Items on their way, in order.

    Args:
        send: Sends a list of items. What that raises, or taking the answer, is raised by the next call of `put`,
            `raise_failure` or `flush`.
        idle: Cleared while the script sends, and set when all was answered.

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
        """Send what is there, and wait until all was answered."""
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

    def _go_on(self, full: bool) -> None:
        """Take the answer to the last batch, and send the next one, unless that had to be waited for."""
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
            except KeyboardInterrupt:  # it may have been waiting for the server
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
            except Exception as error:  # the thread's edge: the next call raises it
                self._failure = error
