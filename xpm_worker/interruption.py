"""SIGTERM in a job's process: an exception in its main thread, once. Imports nothing heavy: job processes use it."""

from __future__ import annotations

import os
import signal
import threading

from xpm_core.job import TaskCancelled


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
        self._allowed = self._came = self._raised = False
        self._masks = threading.local()
        os.register_at_fork(before=self._hold, after_in_parent=self._let_go, after_in_child=self._leave_alone)

    def __call__(self, number: int, frame: object) -> None:
        """The signal came."""
        self._came = True
        if self._allowed:
            self._raise()

    def allow(self) -> None:
        """From now on the exception may be raised; at once if the signal has come already."""
        self._allowed = True
        if self._came:
            self._raise()

    def deny(self) -> None:
        """The job's own code is over: no exception any more."""
        self._allowed = False

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
        if signal.getsignal(signal.SIGTERM) is self:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._let_go()

    def _raise(self) -> None:
        if not self._raised:
            self._raised = True
            raise TaskCancelled(f"the job is to end within {self._grace_s:g} s", self._grace_s)
