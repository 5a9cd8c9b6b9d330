"""Which reasons hold for a job that has not started, in their order, from the facts alone.

Owns: the conditions. To add a reason, add its condition at its place; a test compares the order with that of the codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xpm_core.reading.why.facts import Prospects, Wanted, Worker
from xpm_core.reading.why.known import paused
from xpm_core.store.records import Pause
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_in_line import (
    AboutToStart,
    Busy,
    Holder,
    InLine,
    Place,
    Shortage,
    TokenHeld,
    TokenKept,
)
from xpm_core.words.reasons_of_workers import (
    Draining,
    Refused,
    ShortLived,
    Silent,
    Suspended,
    TooLarge,
    Unserved,
)

HOLDERS = 10
"""How many of the jobs that hold a token a reason has."""

Likely = Callable[[str, float], "float | None"]
"""In how many seconds a job is likely to end, by its task and its start (epoch seconds)."""


class Ordered:
    """The reasons of one job, or of one line.

    Args:
        facts: What keeps it from running.
        workspace: The workspace's id.
        queue: Its queue.
        now_s: The server's time, epoch seconds.
        likely: When jobs are likely to end.
    """

    def __init__(self, facts: Prospects, workspace: str, queue: str, now_s: float, likely: Likely) -> None:
        self._facts, self._w, self._queue, self._now_s, self._likely = facts, workspace, queue, now_s, likely
        self._total = sum(facts.standing.values())
        self._able = facts.standing.get("able", 0)

    def lasting(self, suspended: bool, pause: Pause | None) -> Iterator[Reason]:
        """Reasons that hold whether the job stands in line or not: too few units, and workers that may not take it.

        Args:
            suspended: Whether all workers are suspended.
            pause: The pause of its queue; None without one.
        """
        facts = self._facts
        yield from self._too_large()
        if pause is not None:
            yield paused(self._queue, pause, self._now_s)
        if not self._total:
            yield Unserved(self._queue, facts.ready)
        if not self._able:
            yield from self._refused()
            yield from self._silent()
        if suspended:
            yield Suspended()
        if not self._able:
            if count := facts.standing.get("leaving", 0):
                yield Draining(self._queue, count, self._total, self._names("leaving"))
            yield from self._short_lived()

    def passing(self) -> Iterator[Reason]:
        """Reasons of a job in line that pass when other jobs end: tokens, and workers that are busy."""
        facts = self._facts
        if lack := [each for each in facts.tokens if each.name in facts.lack and each.wants <= each.capacity]:
            place = Place(facts.place, facts.of, facts.before) if facts.place else None
            yield TokenHeld(tuple(each.name for each in lack), tuple(map(self._shortage, lack)), place)
        if facts.keeper:
            workspace, _, job = facts.keeper.partition(":")
            yield TokenKept(job, self._other(workspace))
        if self._able and not facts.idle:
            ends = [self._likely(each.task, each.started_s) for each in self._of("able") if each.started_s]
            yield Busy(self._able, min((end for end in ends if end is not None), default=None), facts.ahead)

    def next(self) -> Reason | None:
        """The reason of a job in line if nothing else keeps it from running; None if no worker could take it."""
        if self._facts.next:
            return AboutToStart(self._facts.next)
        return InLine(self._facts.ahead) if self._facts.idle else None

    def _too_large(self) -> Iterator[Reason]:
        found = [TooLarge(each.name, each.wants, each.capacity) for each in self._facts.tokens if _exceeds(each)]
        if not found and self._total and self._facts.standing.get("small") == self._total:
            small = (each for each in self._facts.tokens if each.wants > each.most)
            found = [TooLarge(each.name, each.wants, each.most, machine=True) for each in small]
        yield from found

    def _refused(self) -> Iterator[Reason]:
        if count := self._facts.standing.get("refused", 0):
            problems = tuple(dict.fromkeys(f"worker {each.worker} {each.problem}" for each in self._facts.refusals))
            remedies = tuple(dict.fromkeys(each.remedy for each in self._facts.refusals))
            yield Refused(self._queue, count, self._total, self._names("refused"), problems, remedies)

    def _silent(self) -> Iterator[Reason]:
        if count := self._facts.standing.get("silent", 0):
            silent = self._of("silent")
            age_s = min((each.age_s for each in silent if each.age_s is not None), default=None)
            left_s = max((each.lease_left_s for each in silent), default=None)
            yield Silent(self._queue, count, self._total, self._names("silent"), age_s, left_s)

    def _short_lived(self) -> Iterator[Reason]:
        if count := self._facts.standing.get("short", 0):
            longest_s = max((each.left_s for each in self._of("short") if each.left_s is not None), default=None)
            names = self._names("short")
            yield ShortLived(self._queue, count, self._total, names, self._facts.least_s, longest_s)

    def _shortage(self, token: Wanted) -> Shortage:
        held = sorted(token.holders, key=lambda each: each.started_s)
        holders = (
            Holder(
                each.job, each.units, max(self._now_s - each.started_s, 0.0) if each.started_s else None,
                self._other(each.workspace),
            )
            for each in held[:HOLDERS]
        )  # fmt: skip
        ends = [self._likely(each.task, each.started_s) for each in held if each.started_s]
        first_s = min((end for end in ends if end is not None), default=None)
        free = max(token.capacity - token.used, 0)
        return Shortage(token.name, token.wants, free, token.capacity, token.host, tuple(holders), first_s)

    def _other(self, workspace: str) -> str:
        return "" if workspace == self._w else workspace

    def _of(self, stands: str) -> list[Worker]:
        return [each for each in self._facts.workers if each.stands == stands]

    def _names(self, stands: str) -> tuple[str, ...]:
        return tuple(sorted(each.name for each in self._of(stands)))


def _exceeds(token: Wanted) -> bool:
    return token.wants > token.capacity
