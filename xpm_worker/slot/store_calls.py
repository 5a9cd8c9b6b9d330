"""Calls of the store, repeated until Redis answers.

Owns: what a slot does while Redis is away. It tries again, with a growing and random pause, for as long as the outage
takes, and logs when the outage begins and ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from xpm_core.backoff import Backoff
from xpm_core.server.connection import ServerError
from xpm_core.server.faults import fault_of
from xpm_core.store.jobs import Store
from xpm_worker.slot.orders import Orders
from xpm_worker.system.clock import boot_time

log = logging.getLogger(__name__)

T = TypeVar("T")

GiveUp = Callable[[int, Exception], bool]
"""Gets the number of failed tries and the last error, and says whether to give up."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
LAST_TRIES = 3
"""How many times a slot that must leave repeats an unanswered call, because its request may have arrived."""


class StoreCalls:
    """Repeats the calls of one slot until Redis answers.

    Args:
        name: The slot's name, for the log.
        store: The store, over the connection that the calls use.
        orders: The slot's orders. A new order ends a pause.

    Example:
        >>> calls.repeat("claim a job", lambda: store.claim(worker, execution), calls.leaving)
    """

    def __init__(self, name: str, store: Store, orders: Orders) -> None:
        self._name = name
        self._store = store
        self._orders = orders
        self.away = False
        """Whether Redis did not answer the last call."""
        self._logged = ""
        self._backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)

    def repeat(self, what: str, call: Callable[[], T], give_up: GiveUp) -> tuple[T, float] | None:
        """Repeat a call until Redis answers.

        Args:
            what: What the call does, for the log: "register".
            call: The call.
            give_up: Whether to give up, after a failed try.

        Returns:
            The answer, and when the call that brought it was sent, by the boot clock; None if it was given up.
        """
        tries = 0
        while True:
            asked = boot_time()
            try:
                answer = call()
            except ServerError as error:
                tries += 1
                if give_up(tries, error):
                    log.error("%s: cannot %s: %s", self._name, what, error)
                    return None
                self.back_off(what, error)
            else:
                self.answered()
                return answer, asked

    def leaving(self, tries: int, _: Exception) -> bool:
        """Give up after some tries, if the slot must leave."""
        return bool(self._orders.shutdown) and tries > LAST_TRIES

    def refused_or_tried(self, tries: int, error: Exception) -> bool:
        """Give up after some tries, or if trying again cannot help."""
        return is_refusal(error) or tries > LAST_TRIES

    def back_off(self, what: str, error: Exception) -> None:
        """Note that a call was not answered, and pause."""
        self.unanswered(what, error)
        self._orders.wait(self._backoff.next_s())

    def unanswered(self, what: str, error: Exception) -> None:
        """Note that a call was not answered. The first one is logged, and each problem that does not end by itself."""
        fault = fault_of(error, self._store.client)
        if not self.away or (fault.lasting and fault.problem != self._logged):
            remedy = f". {fault.remedy}" if fault.lasting else ""
            log.warning("%s: cannot %s: %s; trying again%s", self._name, what, fault.problem, remedy)
            self._logged = fault.problem
        self.away = True

    def answered(self) -> None:
        """Note that a call was answered."""
        if self.away:
            log.info("%s: the server answers again", self._name)
        self.away = False
        self._backoff.reset()


def is_refusal(error: Exception) -> bool:
    """Return whether a script refused its arguments. It would refuse them again."""
    return str(error).startswith("XPMARG")
