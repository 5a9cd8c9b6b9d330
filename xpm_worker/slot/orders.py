"""The orders that a slot gets from outside: by signals, by RQ's commands, and from afar by replies of Redis.

Signal handlers and RQ's other thread only note the order and wake the slot. The slot's own loop reads the orders when
it is ready. A handler interrupts the slot only while it waits for work.
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


class Shutdown(IntEnum):
    """How a slot must leave. Each value overrides those before it."""

    NONE = 0
    DRAIN = 1
    """Finish the job, then leave."""
    HAND_BACK = 2
    """Let the job end within the grace, or hand it back; then leave."""
    AT_ONCE = 3
    """Hand the job back at once, and leave."""


SIGNALS = {Shutdown.DRAIN: signal.SIGINT, Shutdown.HAND_BACK: signal.SIGTERM, Shutdown.AT_ONCE: signal.SIGQUIT}
"""The signals by which the daemon orders each. They differ, because of two equal signals at once, one gets lost."""

FROM_AFAR = {"": Shutdown.NONE, "drain": Shutdown.DRAIN, "stop": Shutdown.HAND_BACK, "stop_now": Shutdown.AT_ONCE}
"""What the orders mean that replies have (`store/lua/order.lua`)."""

ONE_S = 1.0
"""Equal signals closer together than this are one, seconds. Slurm signals the whole process group, slots included, and
the daemon passes its own signal on to them."""


def stricter(current: Shutdown, number: int) -> Shutdown:
    """Return how to leave after one more signal.

    Args:
        current: The order until now.
        number: The signal that came.

    Returns:
        What the signal means, if this is stricter than the order until now; else AT_ONCE.

    Example:
        >>> stricter(Shutdown.NONE, signal.SIGINT), stricter(Shutdown.DRAIN, signal.SIGINT)
        (<Shutdown.DRAIN: 1>, <Shutdown.AT_ONCE: 3>)
    """
    meant = next((shutdown for shutdown, known in SIGNALS.items() if known == number), Shutdown.HAND_BACK)
    return meant if meant > current else Shutdown.AT_ONCE


class Orders:
    """The orders that one slot has got.

    Args:
        ends_at: When it must hand its job back and leave, by the boot clock; None for never.

    Example:
        >>> orders.signal(signal.SIGTERM)
        >>> orders.shutdown
        <Shutdown.HAND_BACK: 2>
    """

    def __init__(self, ends_at: float | None = None) -> None:
        self.ends_at = ends_at
        self._ordered = Shutdown.NONE
        self._from_afar = Shutdown.NONE
        self._is_hinted = False
        self._last_signal = 0, 0.0
        """The last signal, and when it came."""
        self.kill = False
        """Whether the running job must be killed, as RQ's kill-horse asks."""
        self._stopped_jobs: deque[str] = deque(maxlen=100)
        self._pipe = SignalPipe()
        self._is_waiting = False

    @property
    def shutdown(self) -> Shutdown:
        """How the slot must leave, as it was ordered, or because its time is over."""
        return max(self.signalled, self._from_afar)

    @property
    def signalled(self) -> Shutdown:
        """The same without orders from afar: what cannot be taken back."""
        over = self.ends_at is not None and boot_time() >= self.ends_at
        return max(self._ordered, Shutdown.HAND_BACK) if over else self._ordered

    @property
    def ordered(self) -> bool:
        """Whether the slot leaves because of an order from afar, and of nothing else."""
        return self._from_afar > self.signalled

    def steer(self, order: str) -> bool:
        """Note which order from afar stands now. A drain can be taken back; once the slot stops, it leaves.

        Args:
            order: As the reply has it; empty for none.

        Returns:
            Whether it is news.
        """
        before, means = self._from_afar, FROM_AFAR.get(order, Shutdown.NONE)
        if before <= Shutdown.DRAIN or means > before:
            self._from_afar = means
        return self._from_afar is not before

    def hint(self) -> None:
        """Note that Redis may have an order for the slot: the next reply will say it, so it is best asked for now."""
        self._is_hinted = True
        self._pipe.wake()

    def take_hint(self) -> bool:
        """Return whether there was such a hint since the last call."""
        found, self._is_hinted = self._is_hinted, False
        return found

    def left_s(self) -> float | None:
        """How long the slot may still run jobs, seconds; None for no limit."""
        return None if self.ends_at is None else max(self.ends_at - boot_time(), 0.0)

    def fileno(self) -> int:
        """A descriptor for poll, which can be read once there is a new order."""
        return self._pipe.fileno()

    def clear(self) -> None:
        """Make the descriptor unreadable until the next order."""
        self._pipe.read()

    def signal(self, number: int) -> None:
        """Note a signal. SIGINT drains, SIGTERM hands back, SIGQUIT leaves at once, and so does a second signal.

        Args:
            number: The signal.

        Raises:
            StopRequested: The slot waits for work; this ends the wait.
        """
        now, (before, at) = boot_time(), self._last_signal
        self._last_signal = number, now
        if number != before or now - at > ONE_S:
            self._ordered = stricter(self._ordered, number)
        self._pipe.wake()
        if self._is_waiting:
            self._is_waiting = False
            raise StopRequested

    def stop_job(self, rq_id: str) -> None:
        """Note that a job must be stopped. The job may be about to start here.

        Args:
            rq_id: The id under which RQ's tools see the job.
        """
        self._stopped_jobs.append(rq_id)
        self._pipe.wake()

    def kill_job(self) -> None:
        """Note that the running job must be killed."""
        self.kill = True
        self._pipe.wake()

    def wants_stopped(self, rq_id: str) -> bool:
        """Return whether a job must be stopped."""
        return rq_id in self._stopped_jobs

    def forget(self, rq_id: str) -> None:
        """Forget the orders about a job, because it has ended."""
        self.kill = False
        with contextlib.suppress(ValueError):
            while True:
                self._stopped_jobs.remove(rq_id)

    def wait(self, seconds: float) -> None:
        """Wait for that long, or until there is a new order."""
        select.select([self], [], [], max(seconds, 0.0))
        self.clear()

    def unless_stopped(self, wait: Callable[[], object]) -> None:
        """Wait for work, unless the slot must leave. An order to leave ends the wait.

        Args:
            wait: Waits for work. An exception may end it at any point.
        """
        with contextlib.suppress(StopRequested):
            self._is_waiting = True
            try:
                if self.shutdown is Shutdown.NONE:
                    wait()
            finally:
                self._is_waiting = False
