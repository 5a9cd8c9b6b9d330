"""How an asyncio loop in the main thread of a job is ended: its main task is cancelled.

An exception that a signal handler raises inside a loop ends the task that runs just then. Perhaps nothing waits for
this task. Therefore the main task is cancelled instead. Owns: which task is the main one, and that the code around the
loop gets TaskCancelled although the task ends by asyncio's own exception.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from xpm_core.job.running import TaskCancelled

_RUNNERS = {("asyncio.base_events", "run_until_complete"): "future", ("asyncio.runners", "run"): "task"}
"""Functions that wait for the main task of a loop, by module and name, and the local variable that holds the task."""


class OutOfLoop(TaskCancelled, SystemExit):
    """Raised in a callback of a loop. A loop catches all exceptions but SystemExit and KeyboardInterrupt."""


OutOfLoop.__name__ = OutOfLoop.__qualname__ = TaskCancelled.__name__


class LoopEnd:
    """Cancels the main task of a loop.

    Args:
        fail: Raises an exception of the given class. It is called when the main task has ended because it was
            cancelled.
    """

    def __init__(self, fail: Callable[[type[TaskCancelled]], None]) -> None:
        self._fail = fail
        self._cancelled: Any = None
        """The main task that was cancelled."""
        self._has_turned = False
        """Whether the loop has made a turn since then, so that the task got the cancellation."""

    def cancel(self, frame: FrameType | None) -> bool:
        """Cancel the main task of the loop that runs in this thread, if one does.

        Args:
            frame: What the thread executes now.

        Returns:
            Whether this ends the loop. If not, the caller has to raise an exception: there is no loop, or the main task
            itself runs just now, or the running code does not return to the loop.
        """
        asyncio: Any = sys.modules.get("asyncio")
        loop = asyncio and asyncio._get_running_loop()
        main = loop and _main_task(frame)
        if main is None or main.done():
            return False
        if self._cancelled is main:
            return self._has_turned
        if asyncio.current_task() is main:
            return False
        self._cancelled, self._has_turned = main, False
        main.add_done_callback(self._ended)
        main.cancel()
        loop.call_soon_threadsafe(self._turn)
        return True

    def _turn(self) -> None:
        self._has_turned = True

    def _ended(self, main: Any) -> None:
        if main.cancelled():
            self._fail(OutOfLoop)


def _main_task(frame: FrameType | None) -> Any:
    """The task or future that a loop on the stack runs until it is done; None if none is found, as for other loops."""
    while frame is not None:
        name = _RUNNERS.get((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
        found = frame.f_locals.get(name) if name is not None else None
        if hasattr(found, "add_done_callback"):
            return found
        frame = frame.f_back
    return None
