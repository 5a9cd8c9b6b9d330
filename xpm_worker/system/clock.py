"""Time that goes on while the machine sleeps, and an alarm by it."""

from __future__ import annotations

import ctypes
import os
import time

from xpm_worker.system.kernel import LINUX, _libc

_TIMER_CLOEXEC, _TIMER_NONBLOCK, _TIMER_ABSOLUTE = 0o2000000, 0o4000, 1

_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_time() -> float:
    """Seconds since the machine started, those included that it slept."""
    return time.clock_gettime(_CLOCK)


class Alarm:
    """A moment of the boot clock at which a poll wakes, also when the machine slept meanwhile.

    Example:
        >>> alarm.set(boot_time() + 10)
        >>> poller.register(alarm.fileno(), select.POLLIN)
    """

    def __init__(self) -> None:
        self._fd = _libc.timerfd_create(_CLOCK, _TIMER_CLOEXEC | _TIMER_NONBLOCK) if LINUX else -1
        self._at: float | None = None

    def fileno(self) -> int:
        """A descriptor that can be read once the moment has come; -1 where there is no such thing."""
        return int(self._fd)

    def set(self, at: float | None) -> None:
        """Wake at that moment, or never."""
        if at == self._at:
            return
        self._at = at
        if self._fd >= 0:
            seconds, nanoseconds = divmod(max(int(at * 1e9), 1), 10**9) if at is not None else (0, 0)
            when = (ctypes.c_long * 4)(0, 0, seconds, nanoseconds)
            _libc.timerfd_settime(self._fd, _TIMER_ABSOLUTE, when, None)

    def wait_ms(self) -> int | None:
        """The longest that a poll may wait when there is no descriptor; else None."""
        if self._fd >= 0 or self._at is None:
            return None
        return min(max(int((self._at - boot_time()) * 1000), 0), 1000)

    def close(self) -> None:
        """Forget it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
