"""Jobs that match a filter, in an order, and the columns in which they differ; remembered for the next request.

Owns: what is forgotten, and when. A filter that nobody has asked for lately is forgotten.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xpm_cli.page.desk.differing import Differing
from xpm_core.filters import Filter, parse
from xpm_core.reading.listing.ranking import Key, Ranking
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.look import View

KEPT = 16
"""How many filters are remembered, the latest ones."""
TIMES = frozenset({"since", "submitted", "started", "ended"})
"""The fields whose comparisons count from now, so that a filter on them has to be asked anew."""
REBIND_S = 10.0
"""How often that is done, seconds."""
NEAR = 2000
"""How far from its place a job is looked for behind which a list goes on."""
MARK = re.compile(r"(\d)_(-?\d{1,20}\.\d{1,20})_([0-9a-f]{64})", re.ASCII)
"""The mark of a job: where it stood in the list, as `Ranking` has it."""
SHARE = 20
"""What took long is done less often: it gets one part in so many of the time."""


@dataclass
class Remembered:
    """A filter that was asked for.

    Attributes:
        ranking: The jobs that match, in the order of a list.
        differing: The tags, parameters and results in which they differ.
        until_s: When the filter is asked about all jobs anew if it is about times, by the monotonic clock.
    """

    ranking: Ranking
    differing: Differing
    until_s: float


class Orders:
    """The filters and orders of the latest requests. Whoever uses it holds the desk's lock."""

    def __init__(self) -> None:
        self._filters: OrderedDict[str, Remembered] = OrderedDict()
        self._sorted: OrderedDict[tuple[str, str], tuple[float, int, Sequence[str]]] = OrderedDict()

    def forget(self) -> None:
        """Forget everything, because the jobs were listed anew."""
        self._filters.clear()
        self._sorted.clear()

    def update(self, rows: Sequence[JobRow]) -> None:
        """Take in jobs that are new, or have changed."""
        for each in self._filters.values():
            each.ranking.update(rows)
            each.differing.update(row for row in rows if row.identity in each.ranking)

    def remove(self, identities: Sequence[str]) -> None:
        """Take out jobs that are gone."""
        for each in self._filters.values():
            each.ranking.remove(identities)

    def of(self, view: View, text: str) -> Remembered:
        """Return what matches a filter.

        Raises:
            FilterError: The filter cannot be understood, or names what no job has.
        """
        found, now_s = self._filters.get(text), time.monotonic()
        if found is None or (now_s > found.until_s and not TIMES.isdisjoint(found.ranking.fields)):
            ranking = view.ranked(parse(text) if text.strip() else Filter())
            differing = Differing()
            differing.update(view.known(ranking.window(0, len(ranking))))
            ended_s = time.monotonic()
            found = Remembered(ranking, differing, ended_s + max(REBIND_S, SHARE * (ended_s - now_s)))
            self._filters[text] = found
        _keep_latest(self._filters, text)
        return found

    def sorted(self, view: View, text: str, sort: str, generation: int) -> tuple[Sequence[str], float]:
        """Return the identities of what matches a filter, in an order that was asked for.

        The order is made anew when it is some seconds old: a row that changes in place keeps its place so long.

        Returns:
            The identities; and, if something has changed since they were sorted, when they can be sorted anew, by the
            monotonic clock. 0 if nothing has.
        """
        key = text, sort
        until_s, of, order = self._sorted.get(key, (0.0, 0, ()))
        if (began := time.monotonic()) > until_s:
            order = view.order(text, sort)
            ended = time.monotonic()
            until_s, of = ended + max(SHARE * (ended - began), 1.0), generation
            self._sorted[key] = until_s, of, order
        _keep_latest(self._sorted, key)
        return order, 0.0 if of == generation else until_s


def part_of(
    ranking: Ranking, order: Sequence[str] | None, first: int, count: int, after: str = ""
) -> tuple[list[str], str]:
    """A part of a list, and the mark of its last job if there are more; else an empty one.

    A browser that has a part goes on behind its mark, not at a place: jobs move meanwhile, and some would be passed
    over.

    Args:
        ranking: The jobs that match.
        order: The order that was asked for; None for that of the ranking.
        first: The place of the first job of the part.
        count: How many jobs the part has.
        after: The mark of the part before; empty without one.
    """
    first, count = max(first, 0), max(count, 0)
    if order is not None:
        first = _near(order, after, first)
        part = [*order[first : first + count]]
        return [each for each in part if each in ranking], part[-1] if part and first + count < len(order) else ""
    key = _key_of(after)
    part = ranking.window(first, count) if key is None else ranking.after(key, count)
    last = ranking.key(part[-1]) if part else None
    return part, "_".join(map(str, last)) if last is not None and ranking.after(last, 1) else ""


def _near(order: Sequence[str], after: str, first: int) -> int:
    """The place behind a job; but if it is far from where it was, it has moved, and the list goes on where it ended."""
    for far in range(NEAR):
        for place in (first - far, first + far):
            if 0 < place <= len(order) and order[place - 1] == after:
                return place
    return first


def _key_of(mark: str) -> Key | None:
    found = MARK.fullmatch(mark)
    return (int(found[1]), float(found[2]), found[3]) if found else None


def _keep_latest(kept: OrderedDict[Any, Any], key: Any) -> None:
    kept.move_to_end(key)
    while len(kept) > KEPT:
        kept.popitem(last=False)
