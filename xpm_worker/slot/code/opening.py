"""Open the tree of a job's snapshot. To build it can take longer than a lease.

Owns: what may happen to the job meanwhile, and how long a slot rests whose machine cannot hold the code of jobs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from xpm_core.backoff import Backoff
from xpm_core.project.moved_code import UNMOVED, MovedCode
from xpm_core.snapshot.trees.trees import Trees
from xpm_core.store.records import RenewCode
from xpm_worker.slot.claimer import Claimer, HeldLease
from xpm_worker.slot.orders import Orders, Shutdown
from xpm_worker.system import clock

FIRST_REST_S, LONGEST_REST_S = 1.0, 60.0
"""How long a slot rests after its machine could not hold the code of a job, seconds. It grows while that goes on."""


class NotOpened(BaseException):
    """The job must not start any more. This is no error, and nobody on its way may take it for one.

    Attributes:
        reason: Why: cancelled, lost or released, as the end of an attempt says it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CodeOpener:
    """Opens the trees of the jobs of one slot.

    Args:
        claimer: The worker's side of the store.
        orders: The slot's orders.
        trees: The trees of this machine.

    Example:
        >>> with opener.opened(held, rq_id) as code:
        ...     run(job, code)
    """

    def __init__(self, claimer: Claimer, orders: Orders, trees: Trees) -> None:
        self._claimer, self._orders, self._trees = claimer, orders, trees
        self._backoff = Backoff(FIRST_REST_S, LONGEST_REST_S)
        self._renew_at = 0.0

    @contextlib.contextmanager
    def opened(self, held: HeldLease, rq_id: str) -> Iterator[MovedCode]:
        """Hold the code of a job inside the `with` block.

        Args:
            held: The job.
            rq_id: The id under which orders name it.

        Returns:
            Where its roots are; `UNMOVED` for a job that uses the files as they are.

        Raises:
            NotOpened: The job was cancelled or taken away meanwhile, or the slot must leave.
            SnapshotError: The code cannot be had on any machine.
            SnapshotFolderError: This machine cannot hold it.
        """
        options = held.lease.spec.options
        if not options.snapshot:
            yield UNMOVED
            return
        self._renew_at = held.asked + self._claimer.worker.lease_s / 3
        tree = self._trees.open(options.snapshot, options.provenance, lambda: self._tick(held, rq_id))
        self._backoff.reset()
        with tree:
            yield tree.code

    def _tick(self, held: HeldLease, rq_id: str) -> None:
        """Renew the lease if it is time, and stop if the job must not start."""
        if self._orders.shutdown >= Shutdown.HAND_BACK:
            raise NotOpened("released")
        if self._orders.wants_stopped(rq_id):
            raise NotOpened("cancelled")
        if clock.boot_time() < self._renew_at and not self._orders.take_hint():
            return
        code = self._claimer.renew(held)
        self._renew_at = clock.boot_time() + self._claimer.worker.lease_s / 3
        if code in (RenewCode.STALE, RenewCode.UNKNOWN):
            raise NotOpened("lost")
        if code is RenewCode.CANCEL:
            raise NotOpened("cancelled")

    def rest(self) -> None:
        """Leave jobs to other workers for a while, and then try again. An order to leave ends the rest."""
        until = clock.boot_time() + self._backoff.next_s()
        while not self._orders.shutdown and (left_s := until - clock.boot_time()) > 0:
            self._orders.wait(min(left_s, self._claimer.worker.lease_s / 3))
            self._claimer.renew(None)
        if not self._orders.shutdown:
            self._claimer.register_anew()  # the server then forgets what this machine could not hold
