"""Which jobs need which, and the order in which they can go."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

from xpm_core.cleaning.needs import Needs


def test_jobs_come_before_those_that_they_need(tmp_path: Path) -> None:
    chance = random.Random(7)
    names = [f"{number:064x}" for number in range(60)]
    edges = {name: set(chance.sample(names[:place], min(place, 3))) for place, name in enumerate(names)}
    needs = Needs(tmp_path, {}, edges)
    chosen = chance.sample(names, 40)
    order = needs.users_first(chosen)
    assert sorted(order) == sorted(chosen)
    for user in chosen:
        for need in edges[user] & set(chosen):
            assert order.index(user) < order.index(need)


def test_a_circle_of_directories_ends(tmp_path: Path) -> None:
    """Jobs never need each other, but files that somebody has edited may say so."""
    first, second = "1" * 64, "2" * 64
    needs = Needs(tmp_path, {}, {first: {second, first}, second: {first}})
    assert needs.of(first) == {second}
    assert needs.closure([first]) == {first, second}
    assert sorted(needs.users_first([first, second])) == [first, second]


def test_a_chain_of_ten_thousand_is_no_problem(tmp_path: Path) -> None:
    names = [f"{number:064x}" for number in range(10_000)]
    needs = Needs(tmp_path, {}, {user: {need} for need, user in pairwise(names)})
    assert len(needs.closure([names[-1]])) == 10_000
    assert needs.users_first(names) == names[::-1]
