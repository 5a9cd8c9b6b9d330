"""Signals as bytes in a pipe, and signal handlers as a fresh process has them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from typing import Any

from xpm_worker.system.kernel import LINUX, libc

AS_SIGTERM = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP)
"""Signals that the daemon treats like SIGTERM: Slurm sends one before a time limit, a closed terminal sends SIGHUP."""


class SignalPipe:
    """Writes a byte into a pipe for each signal, so that one poll waits for signals and for everything else.

    Args:
        signals: The signals to wait for.

    Example:
        >>> signals = SignalPipe(signal.SIGCHLD, signal.SIGTERM)
        >>> poller.register(signals, select.POLLIN)
        >>> signals.read()
        [<Signals.SIGCHLD: 17>]
    """

    def __init__(self, *signals: signal.Signals) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if LINUX else _plain_pipe()
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for each in signals:
            signal.signal(each, lambda *_: None)

    def fileno(self) -> int:
        """The descriptor, for poll."""
        return self._read

    def read(self) -> list[signal.Signals]:
        """Return the signals that came since the last call, in order."""
        with contextlib.suppress(BlockingIOError):
            return [signal.Signals(number) for number in os.read(self._read, 4096) if number]
        return []

    def wake(self) -> None:
        """Wake the poll without a signal. Any thread and any signal handler may call this."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b"\0")

    def close(self) -> None:
        """Close the pipe in a process that was forked from the one that made it. Signal handlers stay."""
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)


def _plain_pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def reset_signals(*ignored: signal.Signals) -> None:
    """Set the signal handlers that a fresh interpreter has, except for `AS_SIGTERM`, and unblock all signals.

    Args:
        ignored: Signals to ignore.
    """
    signal.set_wakeup_fd(-1)
    defaults: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGPIPE: signal.SIG_IGN}
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD, signal.SIGPIPE, *AS_SIGTERM):
        signal.signal(each, signal.SIG_IGN if each in ignored else defaults.get(each, signal.SIG_DFL))
    for each in AS_SIGTERM:
        _leave_to_daemon(each)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _leave_to_daemon(number: signal.Signals) -> None:
    """Let this process survive a signal of `AS_SIGTERM`.

    Such a signal often goes to the whole process group, and the daemon then lets each job end in time. The handler is a
    C function that does nothing. It is not SIG_IGN, because programs that a job starts would inherit that. It is not a
    Python function, because code that asks Python for the handler must find the default.
    """
    libc.signal(int(number), ctypes.cast(libc.getppid, ctypes.c_void_p))
