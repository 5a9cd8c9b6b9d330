"""The forecast: the jobs that are left are run in thought, each as long as jobs of its class took.

Owns: which jobs count, and the two ways to the number. Up to `MOST` jobs are run one by one, with what they need. Of
more jobs, the order makes no difference that could be seen: the fullest queue or token decides.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence

from xpm_core.forecast.durations import Durations
from xpm_core.forecast.records import Capacity, Forecast, Work

MOST = 2000
"""Up to so many jobs are run in thought one by one."""

_Line = tuple[str, tuple[tuple[str, int], ...]]


def forecast(work: Sequence[Work], capacity: Capacity, durations: Durations) -> Forecast:
    """Foresee when some jobs have ended, if nothing else takes the workers and no job fails.

    Args:
        work: The jobs that have not ended, in the order of their submission.
        capacity: Workers and tokens.
        durations: How long jobs of their classes took.

    Example:
        >>> work = [Work("sweep.train", "Train", "default")] * 4
        >>> forecast(work, Capacity((frozenset({"default"}),) * 2), Durations({"sweep.train": [60.0]})).left_s
        120.0
    """
    can = _possible(work, capacity)
    stuck = sum(each.count for each, possible in zip(work, can, strict=True) if each.asked and not possible)
    served = [each for each, possible in zip(work, can, strict=True) if possible]
    took = list(_took(served, durations))
    unknown = Counter[str]()
    for each, seconds in zip(served, took, strict=True):
        if seconds is None:
            unknown[each.name] += each.count
    known = [each for each, seconds in zip(served, took, strict=True) if each.asked and seconds is not None]
    samples = {each.name: len(durations.samples(each.task)) for each in known}
    if not samples:
        return Forecast(None, unknown, stuck)
    lengths = [each or 0.0 for each in took]
    count = sum(each.count for each in served)
    way = _run if count == len(served) <= MOST else _fullest
    return Forecast(way(served, lengths, capacity), unknown, stuck, samples)


def _took(work: Sequence[Work], durations: Durations) -> Iterator[float | None]:
    """How long each job is likely to take from now on; None for a job of whose class nothing is known."""
    running: dict[str, list[float]] = {}
    for each in work:
        if each.for_s is not None:
            running.setdefault(each.task, []).append(each.for_s)
    typical = {task: durations.typical(task, running.get(task, ())) for task in {each.task for each in work}}
    for each in work:
        yield typical[each.task] if each.for_s is None else durations.left(each.task, each.for_s)


def _possible(work: Sequence[Work], capacity: Capacity) -> list[bool]:
    """Whether each job runs, or can run: somebody serves it, and each job that it needs. Needed jobs stand before."""
    kinds: dict[_Line, bool] = {}
    stuck: set[str] = set()
    found = []
    for each in work:
        line = _line(each)
        if line not in kinds:
            kinds[line] = capacity.serves(each)
        possible = each.for_s is not None or (kinds[line] and stuck.isdisjoint(each.needs))
        if not possible and each.identity:
            stuck.add(each.identity)
        found.append(possible)
    return found


def _line(work: Work) -> _Line:
    return work.queue, tuple(sorted(work.demand.items()))


def _fullest(work: Sequence[Work], took: Sequence[float], capacity: Capacity) -> float:
    """The longest of: what each queue's workers have to do, what each token allows, and the longest job."""
    queues, tokens, longest = dict[str, float](), dict[str, float](), 0.0
    for each, seconds in zip(work, took, strict=True):
        queues[each.queue] = queues.get(each.queue, 0.0) + seconds * each.count
        for token, units in each.demand.items():
            tokens[token] = tokens.get(token, 0.0) + seconds * units * each.count
        longest = max(longest, seconds)
    by_queue = (total / max(capacity.serving(queue), 1) for queue, total in queues.items())
    by_token = (total / max(capacity.tokens.get(token, 1), 1) for token, total in tokens.items())
    in_all = sum(queues.values()) / max(len(capacity.slots), 1)
    return max(longest, in_all, *by_queue, *by_token)


def _run(work: Sequence[Work], took: Sequence[float], capacity: Capacity) -> float:
    """When the last of some jobs ends that are run in thought."""
    return _Desk(work, took, capacity).run()


class _Desk:
    """Workers that take jobs, in thought: each free one takes the first job that it may have, as a real one does."""

    def __init__(self, work: Sequence[Work], took: Sequence[float], capacity: Capacity) -> None:
        self._work, self._took = work, took
        self._free, self._units = list(capacity.slots), dict(capacity.tokens)
        self._lines: dict[_Line, deque[int]] = {}
        self._ends: list[tuple[float, int, frozenset[str]]] = []
        self._now_s = self._last_s = 0.0
        known = {each.identity: number for number, each in enumerate(work) if each.identity}
        self._lacks = [0] * len(work)
        self._dependents: dict[int, list[int]] = {}
        for number, each in enumerate(work):
            if each.for_s is not None:
                self._start(number, self._slot(each.queue))
                continue
            needed = {known[identity] for identity in each.needs if identity in known} - {number}
            self._lacks[number] = len(needed)
            for other in needed:
                self._dependents.setdefault(other, []).append(number)
            if not needed:
                self._queue(number)

    def run(self) -> float:
        """Run all; returns when the last one ends that is asked about."""
        self._fill()
        while self._ends:
            self._now_s, number, slot = heapq.heappop(self._ends)
            self._end(number, slot)
            self._fill()
        return self._last_s

    def _queue(self, number: int) -> None:
        self._lines.setdefault(_line(self._work[number]), deque()).append(number)

    def _slot(self, queue: str) -> frozenset[str]:
        """Take a worker of a queue; an empty one if there is none, as for a job whose worker is about to leave."""
        slot = next((each for each in self._free if queue in each), frozenset[str]())
        if slot:
            self._free.remove(slot)
        return slot

    def _start(self, number: int, slot: frozenset[str]) -> None:
        for token, units in self._work[number].demand.items():
            self._units[token] = self._units.get(token, 0) - units
        heapq.heappush(self._ends, (self._now_s + self._took[number], number, slot))

    def _end(self, number: int, slot: frozenset[str]) -> None:
        for token, units in self._work[number].demand.items():
            self._units[token] += units
        if slot:
            self._free.append(slot)
        if self._work[number].asked:
            self._last_s = self._now_s
        for other in self._dependents.get(number, ()):
            self._lacks[other] -= 1
            if not self._lacks[other]:
                self._queue(other)

    def _fill(self) -> None:
        """Let each free worker take the first job that it may have."""
        for slot in tuple(self._free):
            line = self._first(slot)
            if line is not None:
                self._free.remove(slot)
                self._start(self._lines[line].popleft(), slot)
                if not self._lines[line]:
                    del self._lines[line]

    def _first(self, slot: frozenset[str]) -> _Line | None:
        """The line with the first job that a worker of these queues may have."""
        heads = (
            (jobs[0], line) for line, jobs in self._lines.items() if line[0] in slot and _fits(self._units, line[1])
        )
        return min(heads, default=(0, None))[1]


def _fits(units: Mapping[str, int], demand: Sequence[tuple[str, int]]) -> bool:
    return all(units.get(token, 0) >= wanted for token, wanted in demand)
