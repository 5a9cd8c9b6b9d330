"""What a worker is told from outside, by signals and by RQ's commands, and how it hears of it.

Handlers of signals and RQ's other thread only note here what they want, and ring; the worker's own loop
looks when it is ready to. Only while it blocks in a wait for work is it interrupted.
"""

from __future__ import annotations

import contextlib
import select
import signal
from collections import deque
from collections.abc import Callable
from enum import IntEnum

from rq.exceptions import StopRequested

from xpm_worker.system.clock import boot_time
from xpm_worker.system.signals import SignalPipe


class Stop(IntEnum):
    """How a worker is to leave; each kind overrides those before it."""

    NONE = 0
    DRAIN = 1
    """Finish the job, then leave."""
    HAND_BACK = 2
    """Let the job end within the grace, or hand it back; then leave."""
    AT_ONCE = 3
    """Hand the job back at once."""


SIGNALS = {Stop.DRAIN: signal.SIGINT, Stop.HAND_BACK: signal.SIGTERM, Stop.AT_ONCE: signal.SIGQUIT}
"""How a worker is told. They differ, for of two equal signals that come at once, one is lost."""


ONE_S = 1.0
"""Equal signals closer together are one: the whole group had it, as from Slurm, and the daemon passed it on."""


def stricter(told: Stop, number: int) -> Stop:
    """What one more signal makes of what a worker was told before."""
    meant = next((stop for stop, known in SIGNALS.items() if known == number), Stop.HAND_BACK)
    return meant if meant > told else Stop.AT_ONCE


class Orders:
    """What one worker was told.

    Args:
        ends_at: When it is to hand back and leave, by the boot clock; None for never.
    """

    def __init__(self, ends_at: float | None = None) -> None:
        self.ends_at = ends_at
        self._told = Stop.NONE
        self._heard = 0, 0.0
        self.kill = False
        """Whether the job that runs is to be killed, as RQ's kill-horse asks."""
        self._stopped_jobs: deque[str] = deque(maxlen=100)
        self._bell = SignalPipe()
        self._blocked = False

    @property
    def stop(self) -> Stop:
        """How the worker is to leave: as it was told, or because its time is over."""
        over = self.ends_at is not None and boot_time() >= self.ends_at
        return max(self._told, Stop.HAND_BACK) if over else self._told

    def left_s(self) -> float | None:
        """How long the worker may still run jobs, seconds; None for ever."""
        return None if self.ends_at is None else max(self.ends_at - boot_time(), 0.0)

    def fileno(self) -> int:
        """Readable once something was ordered, for poll."""
        return self._bell.fileno()

    def hear(self) -> None:
        """Take the ringing as heard."""
        self._bell.read()

    def signal(self, number: int) -> None:
        """A signal came: SIGINT drains, SIGTERM hands back; a later one, and SIGQUIT, does it at once.

        Raises:
            StopRequested: The worker blocks in a wait for work.
        """
        now, (before, at) = boot_time(), self._heard
        self._heard = number, now
        if number != before or now - at > ONE_S:
            self._told = stricter(self._told, number)
        self._bell.ring()
        if self._blocked:
            self._blocked = False
            raise StopRequested

    def stop_job(self, rq_id: str) -> None:
        """Somebody wants a job stopped, which may be about to start here."""
        self._stopped_jobs.append(rq_id)
        self._bell.ring()

    def kill_job(self) -> None:
        """Somebody wants the job killed that runs now."""
        self.kill = True
        self._bell.ring()

    def wants_stopped(self, rq_id: str) -> bool:
        """Whether a job was to be stopped."""
        return rq_id in self._stopped_jobs

    def forget(self, rq_id: str) -> None:
        """A job has ended: what was ordered about it is done with."""
        self.kill = False
        with contextlib.suppress(ValueError):
            while True:
                self._stopped_jobs.remove(rq_id)

    def wait(self, seconds: float) -> None:
        """Wait for that long, or until something is ordered."""
        select.select([self], [], [], max(seconds, 0.0))
        self.hear()

    def unless_stopped(self, wait: Callable[[], object]) -> None:
        """Wait for work, by something that may be broken off at any point: an order to leave ends it."""
        with contextlib.suppress(StopRequested):
            self._blocked = True
            try:
                if self.stop is Stop.NONE:
                    wait()
            finally:
                self._blocked = False
