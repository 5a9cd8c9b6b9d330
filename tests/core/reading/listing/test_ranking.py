"""A ranking is the list that would be made anew, however jobs have moved."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from xpm_core.filters import Filter, Vocabulary, parse
from xpm_core.index.entries import Entry
from xpm_core.reading.listing import ranking as module
from xpm_core.reading.listing.listing import rank_of
from xpm_core.reading.listing.ranking import Ranking
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State


def rows(count: int) -> list[JobRow]:
    entries = (Entry(f"{n:064x}", "m:Train", {"n": n}, submitted_s=float(n % 7)) for n in range(count))
    return [JobRow(entry, State.READY) for entry in entries]


def complete(_: Iterable[JobRow]) -> None:
    """Nothing more is known."""


def ranked(all_rows: list[JobRow], text: str = "") -> Ranking:
    wanted = parse(text) if text else Filter()
    return Ranking(all_rows, wanted.bind(Vocabulary.of(all_rows), 0.0), complete)


@pytest.mark.parametrize("many", [1, 10**6], ids=["sorted again", "moved one by one"])
@pytest.mark.parametrize("text", ["", "state=running,failed", "n>20"])
def test_jobs_that_move_stand_where_a_new_list_has_them(many: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", many)
    chance, jobs = random.Random(1), rows(50)
    ranking = ranked(jobs, text)
    for _ in range(30):
        moved = chance.sample(jobs, 5)
        for row in moved:
            row.state = chance.choice(list(State))
        ranking.update(moved)
        anew = ranked(jobs, text)
        assert ranking.window(0, 100) == anew.window(0, 100)
        assert (len(ranking), ranking.counts) == (len(anew), anew.counts)


def test_the_order_is_that_of_lists() -> None:
    jobs = rows(20)
    jobs[3].state, jobs[7].state = State.DONE, State.FAILED
    ranking = ranked(jobs)
    in_order = sorted(jobs, key=lambda row: (*rank_of(row), row.identity))
    assert ranking.window(0, 20) == [row.identity for row in in_order]
    assert ranking.place(jobs[7].identity) == 0
    assert ranking.place(jobs[3].identity) == 19
    assert ranking.window(19, 5) == [jobs[3].identity]
    assert ranking.window(20, 5) == ranking.window(0, 0) == []


def test_a_job_that_no_longer_matches_has_no_place() -> None:
    jobs = rows(3)
    ranking = ranked(jobs, "state=ready")
    jobs[1].state = State.RUNNING
    ranking.update([jobs[1]])
    assert (len(ranking), ranking.place(jobs[1].identity), jobs[1].identity in ranking) == (2, None, False)


def test_jobs_of_which_a_fact_is_not_known_are_counted() -> None:
    jobs = rows(3)
    ranking = ranked(jobs, "host=node1")
    assert (len(ranking), ranking.unsure) == (0, 3)
