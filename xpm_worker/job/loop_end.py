"""How an asyncio loop in a job's main thread is ended: its main task is cancelled.

An exception that is raised in a loop ends whichever task runs just then, which nobody may wait for. Owns: which task is
the main one, and that code around the loop meets TaskCancelled though the task ends by asyncio's own exception. Imports
nothing heavy: job processes use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from xpm_core.job.running import TaskCancelled

_RUNNERS = {("asyncio.base_events", "run_until_complete"): "future", ("asyncio.runners", "run"): "task"}
"""Functions that wait for a loop's main task, by module and name, each with the local name that it gives the task."""


class OutOfLoop(TaskCancelled, SystemExit):
    """Raised in a callback of a loop, which lets nothing out but SystemExit and KeyboardInterrupt."""


OutOfLoop.__name__ = OutOfLoop.__qualname__ = TaskCancelled.__name__


class LoopEnd:
    """Cancels the main task of a loop.

    Args:
        fail: Raises an exception of a class, once the main task has ended by being cancelled.
    """

    def __init__(self, fail: Callable[[type[TaskCancelled]], None]) -> None:
        self._fail = fail
        self._cancelled: Any = None
        """The main task that was cancelled."""
        self._has_heard = False
        """Whether the loop has come round since then, so that the task was told."""

    def cancel(self, frame: FrameType | None) -> bool:
        """Cancel the main task of the loop that runs in this thread, if one does.

        Args:
            frame: What the thread executes now.

        Returns:
            Whether that ends the loop. Else an exception has to: there is no loop, its main task itself runs just now,
            or what runs keeps the loop from coming round.
        """
        asyncio: Any = sys.modules.get("asyncio")
        loop = asyncio and asyncio._get_running_loop()
        main = loop and _main_task(frame)
        if main is None or main.done():
            return False
        if self._cancelled is main:
            return self._has_heard
        if asyncio.current_task() is main:
            return False
        self._cancelled, self._has_heard = main, False
        main.add_done_callback(self._ended)
        main.cancel()
        loop.call_soon_threadsafe(self._hear)
        return True

    def _hear(self) -> None:
        self._has_heard = True

    def _ended(self, main: Any) -> None:
        if main.cancelled():
            self._fail(OutOfLoop)


def _main_task(frame: FrameType | None) -> Any:
    """The task, or future, that a loop on the stack runs for; None where it cannot be found, as for other loops."""
    while frame is not None:
        name = _RUNNERS.get((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
        found = frame.f_locals.get(name) if name is not None else None
        if hasattr(found, "add_done_callback"):
            return found
        frame = frame.f_back
    return None
