"""A slot's calls of the store: claims, renewals and ends of jobs, each repeated until Redis answers.

Owns: the ids that make a repeated call safe, and the time until which a lease surely holds.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xpm_core.index.entries import End, code_facts
from xpm_core.index.writers import EndWriter
from xpm_core.labels import short
from xpm_core.reading.events import EventReader
from xpm_core.server.connection import ServerError
from xpm_core.states import ENDS, Event, State
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import (
    Claim,
    ClaimCode,
    Finish,
    FinishCode,
    Lease,
    LoseCode,
    RefuseCode,
    ReleaseCode,
    RenewCode,
    WorkerId,
)
from xpm_core.store.refusals import Refusal
from xpm_core.workspace.reported.results_file import results_in
from xpm_worker.slot.orders import FROM_AFAR, Orders, Shutdown
from xpm_worker.slot.store_calls import StoreCalls, is_refusal
from xpm_worker.system.clock import boot_time

log = logging.getLogger(__name__)

STEERED = {
    Shutdown.NONE: "to stay",
    Shutdown.DRAIN: "to finish its job and leave",
    Shutdown.HAND_BACK: "to hand its job back and leave",
    Shutdown.AT_ONCE: "to hand its job back at once and leave",
}
"""What the log says of orders from afar."""


@dataclass
class HeldLease:
    """A lease, and how long it surely holds by this machine's clock.

    Attributes:
        lease: The lease.
        asked: When the call was sent that gave or renewed the lease, by the boot clock. The lease began later.
        left_s: How long the lease holds after that, seconds.
        number: The number of the attempt in the job's directory; 0 before its process has started.
        began_s: When the job's process started, epoch seconds; 0 before that.
        about: What the record says of the job's code, of the worker and of its machine; empty if it has no record.
        reported: What the job has reported for tables, as its record says it.
    """

    lease: Lease
    asked: float
    left_s: float
    number: int = 0
    began_s: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)
    reported: dict[str, Any] = field(default_factory=dict)

    def until(self, lease_s: float) -> float:
        """When the job must be frozen, by the boot clock: somewhat before the lease ends.

        Args:
            lease_s: The length of a lease, seconds.
        """
        return self.asked + self.left_s - max(0.1, lease_s / 20)


class Claimer:
    """Calls the store for one slot.

    Args:
        store: The store, over the connection for claims and renewals.
        waiting: The store, over the connection for calls that block.
        worker: The slot, as the store knows it.
        orders: The slot's orders. An order to leave ends waits and claims.
        register: Registers the slot again, after Redis was wiped or was away for long.
        ends: Gets each end that counts.

    Example:
        >>> held = claimer.next(burst=False, linger_s=None)
        >>> claimer.renew(held)
        >>> claimer.finish(held, State.DONE)
    """

    def __init__(
        self,
        store: Store,
        waiting: Store,
        worker: WorkerId,
        orders: Orders,
        register: Callable[[], None],
        ends: EndWriter,
    ) -> None:
        self.store = store
        self._ends = ends
        self.worker = worker
        self._waiting = waiting
        self._orders = orders
        self._register = register
        self._calls = StoreCalls(worker.name, store, orders)
        self.on_end: Callable[[Lease, End], None] = lambda lease, end: None
        """Called with each end of an execution that counts, once the server has accepted it."""
        self._execution = new_execution_id()
        self._next: HeldLease | None = None
        self._suspended = False
        self._quiet_since: float | None = None
        self._open_at = boot_time()

    # -- claiming --------------------------------------------------------------------------------------------------

    def next(self, *, burst: bool, linger_s: float | None) -> HeldLease | None:
        """Claim the next job, and wait for it if there is none.

        Args:
            burst: Whether to return None instead of waiting.
            linger_s: Return None when no job of the workspace was ready, delayed or running for so many seconds. Ready
                jobs in queues that no worker serves do not count. None to wait for ever.

        Returns:
            The job; None if the slot must leave.
        """
        held, self._next = self._next, None
        while held is None:
            if self._orders.shutdown:
                return None
            answer = self._calls.repeat(
                "claim a job",
                lambda: self.store.claim(self.worker, self._execution, listen=not burst, left_s=self._orders.left_s()),
                self._calls.leaving,
            )
            if answer is None:
                return None
            claim, asked = answer
            held = self._taken(claim, asked)
            if held is None and not claim.more:
                if burst or self._quiet(claim, linger_s):
                    return None
                self._wait(claim, linger_s)
        if self._orders.shutdown:
            self.release(held, started=False)
            return None
        return held

    def _taken(self, claim: Claim, asked: float) -> HeldLease | None:
        """Return the lease that a claim brought, and do what the reply asks for."""
        if not claim.registered:
            self._register()
        self._steer(claim.order)
        if claim.code is ClaimCode.SUSPENDED and not self._suspended:
            log.info("%s: suspended, until `rq resume`", self.worker.name)
        self._suspended = claim.code is ClaimCode.SUSPENDED
        if claim.code in (ClaimCode.CLAIMED, ClaimCode.STALE):
            # Otherwise the id is kept, because an earlier try of the same claim may still bring a job.
            self._execution = new_execution_id()
        if claim.more:
            self._update_dependents()
        return HeldLease(claim.lease, asked, claim.lease.left_s) if claim.lease else None

    def _steer(self, order: str) -> None:
        """Note what the worker is ordered to do from afar, as a reply says."""
        if self._orders.steer(order):
            log.info("%s: ordered from afar %s", self.worker.name, STEERED[FROM_AFAR.get(order, Shutdown.NONE)])

    def _update_dependents(self) -> None:
        try:
            while self.store.look(self.worker.lease_s).more:
                pass
        except ServerError as error:
            log.warning("%s: look: %s", self.worker.name, error)

    def _quiet(self, claim: Claim, linger_s: float | None) -> bool:
        """Whether no job that a worker can take has been open in the workspace for `linger_s` seconds."""
        now = boot_time()
        if linger_s is None or self._is_busy(claim):
            self._quiet_since, self._open_at = None, now
            return False
        if self._quiet_since is None:
            self._quiet_since = max(now - self._silence(), self._open_at)
        return now - self._quiet_since >= linger_s

    def _is_busy(self, claim: Claim) -> bool:
        """Whether a job of the workspace runs or will. Ready jobs in queues that no worker serves may wait for ever."""
        if claim.open != claim.ready or not claim.ready:
            return claim.open > 0
        try:
            return any(queue.ready and queue.workers for queue in self.store.look(self.worker.lease_s).queues)
        except ServerError as error:
            log.warning("%s: look: %s", self.worker.name, error)
            return True

    def _silence(self) -> float:
        """How long no job has changed its state, seconds. A job may have run elsewhere while this slot waited."""
        try:
            return EventReader(self.store.client, self.store.w).silence()
        except ServerError as error:
            log.warning("%s: events: %s", self.worker.name, error)
            return 0.0

    def _wait(self, claim: Claim, linger_s: float | None) -> None:
        seconds = claim.wait_s
        if self._quiet_since is not None and linger_s is not None:
            seconds = min(seconds, max(self._quiet_since + linger_s - boot_time(), 0.01))
        if (left_s := self._orders.left_s()) is not None:
            seconds = min(seconds, left_s + 0.01)
        if claim.code is ClaimCode.SUSPENDED:
            self._orders.wait(seconds)
            return
        try:
            self._orders.unless_stopped(lambda: self._waiting.wait_for_wake(self.worker, seconds))
        except ServerError as error:
            self._calls.back_off("wait for work", error)

    def register_anew(self) -> None:
        """Register the slot again: its machine may have room for code again."""
        self._register()

    # -- what is held ----------------------------------------------------------------------------------------------

    def renew(self, held: HeldLease | None) -> RenewCode | None:
        """Send the slot's heartbeat, and renew the lease that it holds. This is tried once.

        Args:
            held: The lease; None if the slot holds none.

        Returns:
            What became of the lease; None if Redis did not answer.
        """
        asked = boot_time()
        try:
            leaving = self._orders.signalled is not Shutdown.NONE
            reply = self.store.renew(self.worker, held.lease if held else None, leaving=leaving)
        except ServerError as error:
            self._calls.unanswered("renew", error)
            return None
        self._calls.answered()
        if held is not None and reply.code in (RenewCode.RENEWED, RenewCode.CANCEL):
            held.asked, held.left_s = asked, self.worker.lease_s
        if not reply.registered:
            self._register()
        self._steer(reply.order)
        if reply.more:
            self._update_dependents()
        return reply.code

    def finish(
        self,
        held: HeldLease,
        outcome: State,
        *,
        error: Mapping[str, Any] | None = None,
        adopted: str = "",
        forged: bool = False,
    ) -> Finish | None:
        """End a job, and claim the next one in the same call, unless the slot must leave.

        This is repeated until Redis answers. A slot that must hand its job back repeats it until the lease is over.

        Args:
            held: The job.
            outcome: The state that it ends in.
            error: What went wrong (job/failure.py), if it failed.
            adopted: The execution that was found done in the job's directory, if this one did not run.
            forged: Whether the job is none that xpm has written. Then nothing of it enters the workspace.

        Returns:
            The reply; None if Redis did not answer, or refused the call.
        """

        def give_up(_: int, problem: Exception) -> bool:
            over = boot_time() >= held.asked + held.left_s
            stop = self._orders.shutdown
            return is_refusal(problem) or stop is Shutdown.AT_ONCE or (stop is Shutdown.HAND_BACK and over)

        wanted = "" if self._orders.shutdown else self._execution
        answer = self._calls.repeat(
            f"finish {short(held.lease.identity)}",
            lambda: self.store.finish(
                self.worker,
                held.lease,
                outcome,
                error=error,
                adopted=adopted,
                next_execution=wanted,
                left_s=self._orders.left_s(),
            ),
            give_up,
        )
        if answer is None:
            log.error(
                "%s: its end could not be reported: it counts as lost once its lease is over",
                short(held.lease.identity),
            )
            return None
        reply, asked = answer
        wiped = reply.code is FinishCode.UNKNOWN and outcome is State.DONE
        if not forged and (wiped or (reply.accepted and reply.state in ENDS)):
            self._note_end(held, outcome if wiped else State(reply.state), error, asked, adopted=adopted)
        if wanted:
            self._next = self._taken(reply.next, asked)
        else:
            self._steer(reply.next.order)
            if reply.next.more:
                self._update_dependents()
        return reply

    def release(self, held: HeldLease, *, started: bool, least_s: int = 0) -> None:
        """Hand a job back, so that it is ready again.

        Args:
            held: The job.
            started: Whether it had started.
            least_s: How much time was not enough for it, seconds; 0 if time was not the reason.
        """
        answer = self._calls.repeat(
            f"hand back {short(held.lease.identity)}",
            lambda: self.store.release(held.lease, started=started, least_s=least_s),
            self._calls.refused_or_tried,
        )
        (code, state), asked = answer or ((ReleaseCode.UNKNOWN, ""), 0.0)
        if code is not ReleaseCode.STALE and state == State.CANCELLED.value:
            self._note_end(held, State.CANCELLED, None, asked)

    def refuse(self, held: HeldLease, refusal: Refusal, error: Mapping[str, Any]) -> bool:
        """Hand back a job that this worker cannot import, see `Store.refuse`.

        Args:
            held: The job.
            refusal: What this worker lacks.
            error: What the job fails of, if no living worker can import it.

        Returns:
            Whether the job has failed, because no living worker can import it.
        """
        answer = self._calls.repeat(
            f"refuse {short(held.lease.identity)}",
            lambda: self.store.refuse(self.worker, held.lease, refusal, error),
            self._calls.refused_or_tried,
        )
        (code, state), asked = answer or ((RefuseCode.UNKNOWN, ""), 0.0)
        return code is not RefuseCode.STALE and self._has_failed(held, state, error, asked)

    def lose(self, held: HeldLease) -> bool:
        """Give up a job whose processes died with their starter. It counts as lost, as if the worker had died.

        Returns:
            Whether the job has failed because of this.
        """
        answer = self._calls.repeat(
            f"give up {short(held.lease.identity)}",
            lambda: self.store.lose(held.lease),
            self._calls.refused_or_tried,
        )
        (code, state), asked = answer or ((LoseCode.UNKNOWN, ""), 0.0)
        error = {"type": "Lost", "message": "the process that started it was killed"}
        return code is not LoseCode.STALE and self._has_failed(held, state, error, asked)

    def _has_failed(self, held: HeldLease, state: str, error: Mapping[str, Any], asked: float) -> bool:
        """Whether a job that this slot has given back has failed. If it has ended so, that is written."""
        if state in (State.FAILED.value, State.CANCELLED.value):
            self._note_end(held, State(state), error, asked)
        return state == State.FAILED.value

    def _note_end(
        self, held: HeldLease, state: State, error: Mapping[str, Any] | None, asked: float, *, adopted: str = ""
    ) -> None:
        """Write into the workspace's index how a job has ended. If it has run, also pass that on.

        The end has the time when the server was asked, not that of the line. This process may sleep in between, and
        meanwhile the job may run again and end.
        """
        lease = held.lease
        end = End(
            state=state,
            ended_s=time.time() - (boot_time() - asked),
            started_s=held.began_s,
            host=self.worker.host,
            worker=self.worker.name,
            execution=adopted or lease.execution,
            attempt=held.number or lease.attempt,
            error=dict(error or {}) if state is State.FAILED else {},
            **(code_facts(held.about) if held.about else {}),
            results=results_in(held.reported),
        )
        self._ends.add(lease.identity, end)
        if not adopted:
            self.on_end(lease, end)

    def publish(self, held: HeldLease, event: Event, data: Mapping[str, Any]) -> bool:
        """Publish an event of a running job. This is tried once, and not at all while Redis is away.

        Args:
            held: The job.
            event: PROGRESS or OUTPUT.
            data: What the job said.

        Returns:
            False if it must be tried again later. True if it was published, or never can be.
        """
        if self._calls.away:
            return False
        try:
            self.store.tell(held.lease, event, data)
        except (TypeError, ValueError) as error:  # what JSON has no form for
            log.debug("%s: %s: %s", self.worker.name, event.value, error)
        except ServerError as error:
            log.debug("%s: %s: %s", self.worker.name, event.value, error)
            return is_refusal(error)
        return True

    def publish_all(self, held: HeldLease, event: Event, reports: list[dict[str, Any]]) -> None:
        """Publish events of a job before its end is reported. Each is repeated until Redis answers."""
        for data in reports:
            self._calls.repeat(
                f"publish events of {short(held.lease.identity)}",
                functools.partial(self.store.tell, held.lease, event, data),
                lambda tries, problem: is_refusal(problem) or self._calls.leaving(tries, problem),
            )

    def repeat(self, what: str, call: Callable[[], object]) -> None:
        """Repeat a call until Redis answers, or the slot must leave.

        Args:
            what: What the call does, for the log: "register".
            call: The call.
        """
        self._calls.repeat(what, call, self._calls.leaving)
