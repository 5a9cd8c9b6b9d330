"""A clock that counts while the machine sleeps, and an alarm by this clock."""

from __future__ import annotations

import ctypes
import os
import time

from xpm_worker.system.kernel import LINUX, libc

_TIMER_CLOEXEC, _TIMER_NONBLOCK, _TIMER_ABSOLUTE = 0o2000000, 0o4000, 1

_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_time() -> float:
    """Return the seconds since the machine started, including the time that it slept."""
    return time.clock_gettime(_CLOCK)


class Alarm:
    """Wakes a poll at a moment of the boot clock, even if the machine slept in between (timerfd_create(2)).

    Example:
        >>> alarm.set(boot_time() + 10)
        >>> poller.register(alarm.fileno(), select.POLLIN)
    """

    def __init__(self) -> None:
        self._fd = libc.timerfd_create(_CLOCK, _TIMER_CLOEXEC | _TIMER_NONBLOCK) if LINUX else -1
        self._at: float | None = None

    def fileno(self) -> int:
        """The descriptor, which becomes readable at the moment; -1 where the system has no such timers."""
        return int(self._fd)

    def set(self, at: float | None) -> None:
        """Set the moment, by the boot clock; None for never."""
        if at == self._at:
            return
        self._at = at
        if self._fd >= 0:
            seconds, nanoseconds = divmod(max(int(at * 1e9), 1), 10**9) if at is not None else (0, 0)
            when = (ctypes.c_long * 4)(0, 0, seconds, nanoseconds)
            libc.timerfd_settime(self._fd, _TIMER_ABSOLUTE, when, None)

    def wait_ms(self) -> int | None:
        """How long a poll may wait where there is no descriptor, milliseconds; None where there is one."""
        if self._fd >= 0 or self._at is None:
            return None
        return min(max(int((self._at - boot_time()) * 1000), 0), 1000)

    def close(self) -> None:
        """Close the descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
