"""Calling the script's functions when tasks complete: one thread, in the order of the events.

Owns: the thread and its queue. Knows nothing of jobs.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from xpm_core.language.parameters.calls import UNRUN
from xpm_core.tracebacks.edges import cut

log = logging.getLogger("xpm")


class Callbacks:
    """A queue of calls, and the one thread that makes them. An error of a call is logged, and stops nothing.

    Example:
        calls = Callbacks()
        calls.put("Train/3f2a91c", print, task)
        calls.drain()
        calls.close()
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[tuple[str, Callable[..., object], Any] | threading.Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = self._dropping = False

    def put(self, label: str, function: Callable[..., object], task: Any) -> None:
        """Have the thread call a function with a task. After `close`, the function is called at once, in this thread.

        Args:
            label: The task's label, for the log.
            function: Called with the task, or without argument if it takes none.
            task: The task.
        """
        if self._closed:
            call(label, function, lambda: task)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="xpm-callbacks", daemon=True)
            self._thread.start()
        self._queue.put((label, function, task))

    def drain(self) -> None:
        """Wait until all calls that were put so far are over. Within such a call, it returns at once."""
        if self._thread is None or threading.current_thread() is self._thread:
            return
        reached = threading.Event()
        self._queue.put(reached)
        reached.wait()

    def close(self, *, make_all: bool = True) -> None:
        """End the thread.

        Args:
            make_all: Whether to make all calls that were put, and wait for them. If not, calls that have not begun are
                dropped, and a call that has begun may go on.
        """
        self._dropping = not make_all
        if self._thread is not None:
            self._queue.put(None)
            if make_all and threading.current_thread() is not self._thread:
                self._thread.join()
            self._thread = None
        self._closed = True

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
            elif not self._dropping:
                self._make(*item)

    def _make(self, label: str, function: Callable[..., object], task: Any) -> None:
        call(label, function, lambda: task)


def call(label: str, function: Callable[..., object], make: Callable[[], Any]) -> None:
    """Call a function with what `make` returns, or without argument if it takes none. Errors are logged.

    Args:
        label: The task's label, for the log.
        function: The function.
        make: Makes the argument. It is called first, and its errors are logged, too.
    """
    try:
        made = make()
        found = function(made) if _takes_one(function) else function()
        if (what := UNRUN.get(type(found))) is not None:
            log.error("%s: its callback %s: it returned a %s, so nothing of it ran", label, _name(function), what)
    except BaseException as error:  # user code, at the edge of its thread, which sys.exit() must not end
        cut(error)
        log.exception("%s: its callback %s raised", label, _name(function))


def _name(function: Callable[..., object]) -> object:
    return getattr(function, "__qualname__", function)


def _takes_one(function: Callable[..., object]) -> bool:
    """Whether a function can be called with one argument. If its signature is not known, we suppose so."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True
