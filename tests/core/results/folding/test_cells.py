"""What stands in a cell, and how it is written."""

from __future__ import annotations

import math

import pytest

from xpm_core.results.folding.cells import Cell, Hole, holes_text, plural_of, singular
from xpm_core.results.statistics.intervals import Interval


def cell(mean: float, interval: Interval | None, n: int = 5, missing: tuple[Hole, ...] = ()) -> Cell:
    keys = tuple((seed,) for seed in range(n))
    method = "95 % t" if interval else ""
    return Cell(mean, 0.1, n, interval, method, tuple("abcdefgh"[:n]), "seeds", missing, "", (mean,) * n, keys)


HOLES = (Hole("seed=5", (5,), "running", "1" * 64), Hole("seed=6", (6,), "failed", "3f2a91c" + "0" * 57))


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (cell(0.91204, Interval(0.90394, 0.92014)), "0.912 ± 0.008 (95 % t, n=5 seeds)"),
        (cell(0.981, Interval(0.962, 0.99)), "0.981 [0.962, 0.990] (95 % t, n=5 seeds)"),
        (cell(0.91204, Interval(0.89754, 0.92654)), "0.912 ± 0.015 (95 % t, n=5 seeds)"),
        (cell(0.995, Interval(0.93, 0.9991)), "0.995 [0.930, 0.999] (95 % t, n=5 seeds)"),
        (cell(0.5, Interval(0.5, 0.5)), "0.5 ± 0 (95 % t, n=5 seeds)"),
        (cell(1234.5, Interval(1111.5, 1357.5)), "1234 ± 123 (95 % t, n=5 seeds)"),
        (cell(0.91204, None, 2), "0.912 (no interval, n=2 seeds)"),
        (cell(0.91204, None, 1), "0.912 (no interval, n=1 seed)"),
        (cell(math.nan, None, 0), "-- (no value, n=0 seeds)"),
        (cell(0.912, Interval(0.904, 0.92), 3, HOLES), "0.912 ± 0.008 (95 % t, n=3 of 5 seeds)"),
        (cell(0.912, None, 1, (Hole("seed=0", (0,), "failed", "3" * 64),)), "0.912 (no interval, n=1 seed)"),
    ],
)
def test_a_cell_is_written_with_the_digits_of_its_interval(found: Cell, text: str) -> None:
    assert str(found) == text


def test_holes_are_written_by_their_reason() -> None:
    failed = [Hole(f"seed={seed}", (seed,), "failed", str(seed) * 64) for seed in range(5)]
    assert holes_text(HOLES) == "1 running, 1 failed: xpm show 3f2a91c"
    assert holes_text(failed) == "5 failed: xpm show 0000000 1111111 2222222 and 2 more"
    assert holes_text([Hole("seed=1", (1,), "missing"), Hole("seed=2", (2,), "without f1", "9" * 64)]) == (
        "1 missing: seed=1, 1 without f1: xpm show 9999999"
    )


def test_what_is_counted_is_a_plural() -> None:
    names = ["train.seed", "category", "bias", "day"]
    assert [plural_of(name) for name in names] == ["seeds", "categories", "bias", "days"]
    assert [singular(plural_of(name)) for name in ("seed", "category", "day")] == ["seed", "category", "day"]
