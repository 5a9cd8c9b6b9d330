"""What is marked in a table: the best, what is not distinguishable from it, and what nobody can tell."""

from __future__ import annotations

import math

import pytest

from xpm_core.errors import ResultsError
from xpm_core.results.statistics.comparisons import compare, holm
from xpm_core.results.statistics.marks import marks, not_distinguishable

NOISE = [0.004, -0.003, 0.001, -0.002, 0.0]


def runs(mean: float, noise: list[float] = NOISE) -> dict[int, float]:
    """The values of five seeds around a mean; the same seed is as lucky in each group, and a little different."""
    return {seed: mean + value + 0.0007 * ((seed * seed + round(1000 * mean)) % 5) for seed, value in enumerate(noise)}


GROUPS = {"bert": runs(0.91), "bm25": runs(0.70), "dpr": runs(0.911), "few": {0: 0.5, 1: 0.5}}


def test_the_best_and_its_like_are_found_and_the_worse_is_not_among_them() -> None:
    assert not_distinguishable(GROUPS, "dpr") == {"dpr", "bert"}
    [found] = marks({"accuracy": GROUPS}).values()
    assert (found.best, found.alike, found.untested) == ("dpr", {"dpr", "bert"}, {"few"})
    assert set(found.comparisons) == {"bert", "bm25", "few"}
    assert found.comparisons["bm25"].difference == pytest.approx(0.21, abs=0.01)


def test_the_least_is_the_best_where_it_is_asked_for() -> None:
    losses = {name: {seed: 1 - value for seed, value in group.items()} for name, group in GROUPS.items()}
    [found] = marks({"loss": losses}, greatest=False).values()
    assert (found.best, found.alike) == ("dpr", {"dpr", "bert"})


def test_what_common_seeds_call_better_is_not_marked_as_worse() -> None:
    lucky = {**{seed: 0.5 + value for seed, value in enumerate(NOISE)}, 8: 0.99, 9: 0.99}
    steady = {seed: 0.6 + 2 * value for seed, value in enumerate(NOISE)}
    [found] = marks({"accuracy": {"lucky": lucky, "steady": steady}}).values()
    assert (found.best, found.comparisons["steady"].n) == ("lucky", 5)
    assert found.comparisons["steady"].difference < 0
    assert found.alike == {"lucky", "steady"}
    losses = {name: {seed: -value for seed, value in group.items()} for name, group in
              (("lucky", lucky), ("steady", steady))}  # fmt: skip
    assert marks({"loss": losses}, greatest=False)["loss"].alike == {"lucky", "steady"}


def test_the_correction_is_for_the_whole_table() -> None:
    columns = {number: {"a": runs(0.91 + number / 100), "b": runs(0.90 + number / 100)} for number in range(30)}
    found = marks(columns)
    raw = [compare(columns[number]["a"], columns[number]["b"]).p for number in columns]
    adjusted = [found[number].comparisons["b"].adjusted for number in columns]
    assert adjusted == holm(raw)
    assert all(found[number].best == "a" for number in columns)


def test_a_close_race_is_decided_by_the_correction() -> None:
    close = {"a": {0: 1.0, 1: 1.1, 2: 1.2, 3: 1.3}, "b": {0: 0.97, 1: 1.08, 2: 1.19, 3: 1.25}}
    p = compare(close["a"], close["b"]).p
    assert p is not None
    assert 0.025 < p < 0.05
    assert not_distinguishable(close, "a") == {"a"}
    twice = marks({"one": close, "two": close})
    assert [found.alike for found in twice.values()] == [{"a", "b"}, {"a", "b"}]
    assert not_distinguishable(close, "a", level=1 - p / 2) == {"a", "b"}


def test_what_cannot_be_tested_is_neither_alike_nor_worse() -> None:
    single = {"a": [0.9], "b": [0.8], "c": [math.nan] * 5}
    [found] = marks({"x": single}).values()
    assert (found.best, found.alike, found.untested) == ("a", {"a"}, {"b", "c"})
    assert not_distinguishable(single, "a") == {"a"}


def test_without_a_mean_there_is_no_best() -> None:
    found = marks({"none": {"a": [], "b": [math.inf]}, "empty": {}})
    assert found["none"] == (None, frozenset(), {"a", "b"}, {})
    assert found["empty"] == (None, frozenset(), frozenset(), {})


def test_equal_groups_are_alike_and_the_first_is_best() -> None:
    [found] = marks({"x": {"b": [0.5] * 5, "a": [0.5] * 5, "c": [0.25] * 5}}).values()
    assert (found.best, found.alike) == ("b", {"a", "b"})


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ResultsError, match=r"best: no group has the name 'brt'\. There are: 'bert', 'bm25'"):
        not_distinguishable(GROUPS, "brt")
    with pytest.raises(ResultsError, match=r"Write level=0\.95"):
        marks({}, level=95)
