"""A worker's dealings with the store: claims, renewals and ends, each repeated until it is answered.

Owns: the ids that make a repeated call safe, the time until which a lease surely holds, and what a worker
does while Redis is away: it tries again, with back-off and jitter, for as long as that takes.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from xpm_core.backoff import Backoff
from xpm_core.labels import short
from xpm_core.reading.events import EventReader
from xpm_core.server.connection import ServerError
from xpm_core.server.faults import fault_of
from xpm_core.states import Event, State
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import Claim, ClaimCode, Finish, Lease, LoseCode, RefuseCode, RenewCode, WorkerId
from xpm_core.store.refusals import Refusal
from xpm_worker.slot.orders import Orders, Stop
from xpm_worker.system.clock import boot_time

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
LAST_TRIES = 3
"""How often a worker that was told to leave asks whether an unanswered claim brought a job."""


@dataclass
class Held:
    """A lease, and when it surely ends by this machine's clock: counted from when the call that gave it was sent."""

    lease: Lease
    asked: float
    left_s: float

    def until(self, lease_s: float) -> float:
        """When the job must be frozen: somewhat before the lease ends."""
        return self.asked + self.left_s - max(0.1, lease_s / 20)


class Claimer:
    """One worker's side of the store.

    Args:
        store: Over the connection for claims and renewals.
        waiting: Over the connection for blocking.
        worker: Who calls.
        orders: What the worker was told; an order to leave ends waits and stops claims.
        register: Makes the worker known, anew after a wipe or an outage.
    """

    def __init__(
        self, store: Store, waiting: Store, worker: WorkerId, orders: Orders, register: Callable[[], None]
    ) -> None:
        self.store = store
        self.worker = worker
        self._waiting = waiting
        self._orders = orders
        self._register = register
        self._execution = new_execution_id()
        self._next: Held | None = None
        self._away = False
        self._said = ""
        self._backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._suspended = False
        self._quiet_since: float | None = None
        self._open_at = boot_time()

    # -- claiming --------------------------------------------------------------------------------------------------

    def next(self, *, burst: bool, linger_s: float | None) -> Held | None:
        """The next job to run; waits for one.

        Args:
            burst: Do not wait.
            linger_s: Wait until for so long nothing of the workspace was ready, delayed or running; None for ever.

        Returns:
            None when the worker is to leave.
        """
        held, self._next = self._next, None
        while held is None:
            if self._orders.stop:
                return None
            answer = self._until_answered(
                "claim a job",
                lambda: self.store.claim(self.worker, self._execution, listen=not burst, left_s=self._orders.left_s()),
                lambda tries, _: self._orders.stop > Stop.NONE and tries > LAST_TRIES,
            )
            if answer is None:
                return None
            claim, asked = answer
            held = self._taken(claim, asked)
            if held is None and not claim.more:
                if burst or self._quiet(claim, linger_s):
                    return None
                self._wait(claim, linger_s)
        if self._orders.stop:
            self.release(held, started=False)
            return None
        return held

    def _taken(self, claim: Claim, asked: float) -> Held | None:
        """What a claim brought, and what it asks for."""
        if not claim.registered:
            self._register()
        if claim.code is ClaimCode.SUSPENDED and not self._suspended:
            log.info("%s: suspended, until `rq resume`", self.worker.name)
        self._suspended = claim.code is ClaimCode.SUSPENDED
        if claim.code in (ClaimCode.CLAIMED, ClaimCode.STALE):
            # An id that brought no job is kept: a claim that was repeated may still bring one.
            self._execution = new_execution_id()
        if claim.more:
            self._tell_dependents()
        return Held(claim.lease, asked, claim.lease.left_s) if claim.lease else None

    def _tell_dependents(self) -> None:
        try:
            while self.store.look(self.worker.lease_s).more:
                pass
        except ServerError as error:
            log.warning("%s: look: %s", self.worker.name, error)

    def _quiet(self, claim: Claim, linger_s: float | None) -> bool:
        """Whether nothing has been open in the workspace for so long."""
        now = boot_time()
        if linger_s is None or claim.open:
            self._quiet_since, self._open_at = None, now
            return False
        if self._quiet_since is None:
            self._quiet_since = max(now - self._silence(), self._open_at)
        return now - self._quiet_since >= linger_s

    def _silence(self) -> float:
        """How long nothing has happened to any job, which may have begun while this worker waited."""
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
            self._back_off("wait for work", error)

    # -- what is held ----------------------------------------------------------------------------------------------

    def renew(self, held: Held | None) -> RenewCode | None:
        """Say that the worker lives, and renew what it holds. Tries once.

        Returns:
            None when there was no answer.
        """
        asked = boot_time()
        try:
            code, registered, more = self.store.renew(self.worker, held.lease if held else None)
        except ServerError as error:
            self._unanswered("renew", error)
            return None
        self._answered()
        if held is not None and code in (RenewCode.RENEWED, RenewCode.CANCEL):
            held.asked, held.left_s = asked, self.worker.lease_s
        if not registered:
            self._register()
        if more:
            self._tell_dependents()
        return code

    def finish(
        self, held: Held, outcome: State, *, error: Mapping[str, Any] | None = None, adopted: str = ""
    ) -> Finish | None:
        """End what is held, and take the next job, unless the worker is to leave.

        That is tried for as long as it takes; by a worker that is to hand back what it holds, until the lease is over.

        Returns:
            None when it could not be told, or was refused for good.
        """

        def give_up(_: int, problem: Exception) -> bool:
            over = boot_time() >= held.asked + held.left_s
            stop = self._orders.stop
            return _refused(problem) or stop is Stop.AT_ONCE or (stop is Stop.HAND_BACK and over)

        wanted = "" if self._orders.stop else self._execution
        answer = self._until_answered(
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
                "%s: its end could not be told: it counts as lost once its lease is over", short(held.lease.identity)
            )
            return None
        reply, asked = answer
        if wanted:
            self._next = self._taken(reply.next, asked)
        elif reply.next.more:
            self._tell_dependents()
        return reply

    def release(self, held: Held, *, started: bool, least_s: int = 0) -> None:
        """Hand back what is held; it is ready again.

        Args:
            held: The lease.
            started: Whether it had started.
            least_s: How much time was not enough for it, seconds; 0 when that was not why.
        """
        self._until_answered(
            f"hand back {short(held.lease.identity)}",
            lambda: self.store.release(held.lease, started=started, least_s=least_s),
            lambda tries, problem: _refused(problem) or tries > LAST_TRIES,
        )

    def refuse(self, held: Held, refusal: Refusal, error: Mapping[str, Any]) -> bool:
        """Hand back what this worker cannot import; see `Store.refuse`.

        Returns:
            Whether the job has failed, because no living worker can.
        """
        answer = self._until_answered(
            f"refuse {short(held.lease.identity)}",
            lambda: self.store.refuse(self.worker, held.lease, refusal, error),
            lambda tries, problem: _refused(problem) or tries > LAST_TRIES,
        )
        (code, state), _ = answer or ((RefuseCode.UNKNOWN, ""), 0.0)
        return code is not RefuseCode.STALE and state == State.FAILED.value

    def lose(self, held: Held) -> bool:
        """Give up what is held, for its processes died with their starter: it is lost as if the worker had been.

        Returns:
            Whether the job has failed by that.
        """
        answer = self._until_answered(
            f"give up {short(held.lease.identity)}",
            lambda: self.store.lose(held.lease),
            lambda tries, problem: _refused(problem) or tries > LAST_TRIES,
        )
        (code, state), _ = answer or ((LoseCode.UNKNOWN, ""), 0.0)
        return code is not LoseCode.STALE and state == State.FAILED.value

    def tell(self, held: Held, event: Event, data: Mapping[str, Any]) -> bool:
        """Pass on what the job says while it runs. Tries once, and not at all while the server is away.

        Returns:
            Whether that is done with: told, or not to be told for good.
        """
        if self._away:
            return False
        try:
            self.store.tell(held.lease, event, data)
        except (TypeError, ValueError) as error:  # what JSON has no form for
            log.debug("%s: %s: %s", self.worker.name, event.value, error)
        except ServerError as error:
            log.debug("%s: %s: %s", self.worker.name, event.value, error)
            return _refused(error)
        return True

    def tell_all(self, held: Held, event: Event, words: list[dict[str, Any]]) -> None:
        """Pass on what the job has said, before its end is told: repeated until it is answered."""
        for word in words:
            self._until_answered(
                f"tell of {short(held.lease.identity)}",
                functools.partial(self.store.tell, held.lease, event, word),
                lambda tries, problem: _refused(problem) or (self._orders.stop > Stop.NONE and tries > LAST_TRIES),
            )

    def persist(self, what: str, call: Callable[[], object]) -> None:
        """Repeat a call of the worker's own until it is answered, or the worker is to leave."""
        self._until_answered(what, call, lambda tries, _: self._orders.stop > Stop.NONE and tries > LAST_TRIES)

    # -- an outage -------------------------------------------------------------------------------------------------

    def _until_answered(
        self, what: str, call: Callable[[], T], give_up: Callable[[int, Exception], bool]
    ) -> tuple[T, float] | None:
        """Repeat a call until it is answered. Returns the answer, and when the call was sent that brought it."""
        tries = 0
        while True:
            asked = boot_time()
            try:
                answer = call()
            except ServerError as error:
                tries += 1
                if give_up(tries, error):
                    log.error("%s: cannot %s: %s", self.worker.name, what, error)
                    return None
                self._back_off(what, error)
            else:
                self._answered()
                return answer, asked

    def _back_off(self, what: str, error: Exception) -> None:
        self._unanswered(what, error)
        self._orders.wait(self._backoff.next_s())

    def _unanswered(self, what: str, error: Exception) -> None:
        fault = fault_of(error, self.store.client)
        if not self._away or (fault.lasting and fault.problem != self._said):
            remedy = f". {fault.remedy}" if fault.lasting else ""
            log.warning("%s: cannot %s: %s; trying again%s", self.worker.name, what, fault.problem, remedy)
            self._said = fault.problem
        self._away = True

    def _answered(self) -> None:
        if self._away:
            log.info("%s: the server answers again", self.worker.name)
        self._away = False
        self._backoff.reset()


def _refused(error: Exception) -> bool:
    """Whether a script refused its arguments: trying again cannot help."""
    return str(error).startswith("XPMARG")
