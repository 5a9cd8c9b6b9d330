"""SIGTERM in a job's process: an exception in its main thread. Imports nothing heavy: job processes use it.

Where it is raised, a library's bare `except`, a `__del__` or a callback from C may swallow it. So it is raised again,
each second until the grace is over, unless the job's code is dealing with it: it handles it, or it has caught it by its
name and went on. Owns: when it is raised.
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
from xpm_worker.job import caught
from xpm_worker.job.loop_end import LoopEnd

AGAIN_S = 1.0
"""How long after it was raised it is raised again."""


class Interruption:
    """The handler of SIGTERM in a job's process.

    The exception is raised while the job's own code runs; before and afterwards the signal is only noted. In a process
    that the job has forked, SIGTERM does what it does by default.

    Args:
        grace_s: How long after it the process is killed.

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
        """What was raised; empty again once the job's code has dealt with it."""
        self._loop = LoopEnd(lambda cls: self._fail(cls, time.monotonic()))
        self._masks = threading.local()
        os.register_at_fork(before=self._hold, after_in_parent=self._let_go, after_in_child=self._leave_alone)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal came."""
        self._came = True
        if self._allowed:
            self._raise(frame)

    def allow(self) -> None:
        """From now on the exception may be raised; at once if the signal has come already."""
        self._allowed = True
        if self._came:
            self._raise(None)

    def deny(self) -> None:
        """The job's own code is over: no exception any more."""
        self._allowed = False
        self._raised.clear()

    def end(self) -> None:
        """End this process by the signal, as it would have ended without a handler."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

    # -- forks: a signal that reaches the new process early waits until it has the default back -----------------------

    def _hold(self) -> None:
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _let_go(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _leave_alone(self) -> None:
        if self._is_in_place():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._let_go()

    def _is_in_place(self) -> bool:
        return signal.getsignal(signal.SIGTERM) is self

    # -- the exception ---------------------------------------------------------------------------------------------

    def _raise(self, frame: FrameType | None) -> None:
        """Raise it, unless it was and the job's code deals with it.

        Args:
            frame: What the main thread executes.
        """
        now = time.monotonic()
        if not self._until:
            self._until = now + self._grace_s
            _thread.start_new_thread(self._watch, (threading.get_ident(),))
        elif now < self._again_at or caught.is_cancellation(sys.exc_info()[1]) or self._known(frame):
            return
        self._again_at = now + AGAIN_S / 2  # the same signal may come twice: from the worker, and to the whole group
        if not self._loop.cancel(frame):
            self._fail(TaskCancelled, now)

    def _fail(self, cls: type[TaskCancelled], now: float) -> None:
        if self._allowed:
            left_s = round(max(self._until - now, 0.0), 1)
            self._raised.append(cls(f"the job is to end within {left_s:g} s", left_s))
            raise self._raised[-1]

    def _known(self, frame: FrameType | None) -> list[TaskCancelled]:
        """Those raised exceptions that somebody has caught who knows what they are."""
        return [each for each in self._raised if caught.is_known(each, frame)]

    def _watch(self, main: int) -> None:
        """In a thread: send the signal again, each second until the grace is over. Most often it is not needed.

        A signal breaks off calls of the system, which not every library takes well: it is spared whoever saves.
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
        self._raised.clear()  # and what lies in their frames
