"""SIGTERM in the process of a job raises an exception in the main thread.

A library's bare `except`, a `__del__` or a callback from C may swallow the exception. Therefore it is raised again,
each second until the grace is over. It is not raised again while the job's code deals with it: the code handles it, or
has caught it by its name and goes on. Owns: when it is raised.
"""

from __future__ import annotations

import _thread
import math
import os
import signal
import sys
import threading
import time
from types import FrameType

from xpm_core.job.running import TaskCancelled
from xpm_worker.job.interruption import caught
from xpm_worker.job.interruption.loop_end import LoopEnd

AGAIN_S = 1.0
"""How long after the exception was raised it is raised again, seconds."""


class Interruption:
    """The handler of SIGTERM in the process of a job.

    The exception is raised while the job's own code runs. Before and after that, the handler only notes the signal. A
    process that the job forks gets the default handler.

    Args:
        grace_s: How long after SIGTERM the process is killed, seconds.

    Example:
        interruption = Interruption(20.0)
        signal.signal(signal.SIGTERM, interruption)
        interruption.allow()
        try:
            execute()
        finally:
            interruption.deny()
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._allowed = self._came = False
        self._until = self._again_at = 0.0
        """When the grace is over, and when the exception may be raised again, by the monotonic clock."""
        self._raised: list[TaskCancelled] = []
        """The exceptions that were raised. The list is emptied once the job's code has dealt with them."""
        self._loop = LoopEnd(lambda cls: self._fail(cls, time.monotonic()))
        self._masks = threading.local()
        os.register_at_fork(
            before=self._block_before_fork, after_in_parent=self._unblock, after_in_child=self._restore_default_in_child
        )

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note the signal, and raise the exception if this is allowed."""
        self._came = True
        if self._allowed:
            self._raise(frame)

    def allow(self) -> None:
        """Raise the exception from now on when the signal comes, and now if it has come already."""
        self._allowed = True
        if self._came:
            self._raise(None)

    def deny(self) -> None:
        """Raise no exception any more, because the job's own code has ended."""
        self._allowed = False
        self._raised.clear()

    def end(self) -> None:
        """End this process by the signal, as if it had no handler."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

    # -- forks: the signal is blocked until the new process has its default handler back -------------------------------

    def _block_before_fork(self) -> None:
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _unblock(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _restore_default_in_child(self) -> None:
        if self._is_in_place():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._unblock()

    def _is_in_place(self) -> bool:
        return signal.getsignal(signal.SIGTERM) is self

    # -- the exception ---------------------------------------------------------------------------------------------

    def _raise(self, frame: FrameType | None) -> None:
        """Raise the exception, unless it was raised before and the job's code deals with it.

        Args:
            frame: What the main thread executes.
        """
        now = time.monotonic()
        if not self._until:
            self._until = now + self._grace_s
            _thread.start_new_thread(self._watch, (threading.get_ident(),))
        elif now < self._again_at or caught.is_cancellation(sys.exc_info()[1]) or self._known(frame):
            return
        # The same signal may come twice: from the worker, and because the whole process group gets it.
        self._again_at = now + AGAIN_S / 2
        if not self._loop.cancel(frame):
            self._fail(TaskCancelled, now)

    def _fail(self, cls: type[TaskCancelled], now: float) -> None:
        if self._allowed:
            left_s = round(max(self._until - now, 0.0), 1)
            self._raised.append(cls(f"the job is to end within {left_s:g} s", left_s))
            raise self._raised[-1]

    def _known(self, frame: FrameType | None) -> list[TaskCancelled]:
        """The raised exceptions that were caught by code which knows what it caught."""
        return [each for each in self._raised if caught.is_known(each, frame)]

    def _watch(self, main: int) -> None:
        """In a thread of its own, send the signal again each second until the grace is over, if it is needed.

        Mostly it is not needed. A signal interrupts system calls, which not every library expects. So code that may be
        saving its results gets no further signal.
        """
        while time.monotonic() < self._until:
            time.sleep(AGAIN_S)
            if not self._allowed or not self._is_in_place():
                return
            if caught.is_cancellation(caught.handled_by(main)):
                continue
            known = self._known(sys._current_frames().get(main))
            if not all(map(caught.may_still_raise, known)):
                break
            if not known:
                signal.pthread_kill(main, signal.SIGTERM)
        self._again_at = math.inf
        self._raised.clear()  # the frames of these exceptions keep objects alive
