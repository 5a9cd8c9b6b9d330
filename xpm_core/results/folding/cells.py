"""What stands in one place of a folded table: a mean with its interval, and the jobs that it lacks.

Owns: these records, and how they are written for people.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from xpm_core.labels import short
from xpm_core.results.digits import decimals, fixed
from xpm_core.results.statistics.intervals import Interval
from xpm_core.words.text import listed

ABSENT = "missing"
"""Why a hole is one of which the table has no job."""
SHOWN = 3
"""How many jobs, or values, a sentence names for each reason."""


class Hole(NamedTuple):
    """A job that does not count in a cell, or a seed of which there is no job.

    Attributes:
        at: What was folded, such as `seed=3`.
        key: The same as values: `(3,)`.
        why: The state of the job; "unknown"; "without accuracy" for a done job that has not reported it; "missing" if
            the table has no such job.
        job: The identity of the job; empty if there is none.
    """

    at: str
    key: tuple[Any, ...]
    why: str
    job: str = ""


class Cell(NamedTuple):
    """The value of some jobs together.

    Attributes:
        mean: Their mean, or the statistic that was asked for. nan if there is none; then `note` says why.
        sd: Their sample standard deviation; None below 2 jobs.
        n: How many jobs count.
        interval: From low to high; None if there is none; then `note` says why.
        method: What the interval is, such as "95 % t"; empty without one.
        jobs: The identities of the jobs that count.
        unit: What n counts, such as "seeds"; "runs" if several names were folded, or a seed has several jobs.
        missing: The jobs that do not count, and the seeds without a job.
        note: What a reader must know besides.
        values: The value of each job, in the order of `jobs`.
        keys: What was folded, of each job: `((1,), (2,))`.

    Example:
        >>> print(table.over("seed")[0]["accuracy"])
        0.912 ± 0.008 (95 % t, n=5 seeds)
    """

    mean: float
    sd: float | None
    n: int
    interval: Interval | None
    method: str
    jobs: tuple[str, ...]
    unit: str
    missing: tuple[Hole, ...] = ()
    note: str = ""
    values: tuple[float, ...] = ()
    keys: tuple[tuple[Any, ...], ...] = ()

    @property
    def expected(self) -> int:
        """How many jobs there should be: those that count, and one of each seed that is missing."""
        return self.n + len({hole.key for hole in self.missing}.difference(self.keys))

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval."""
        return None if self.interval is None else (self.interval.high - self.interval.low) / 2

    @property
    def value_text(self) -> str:
        """The mean and its interval, with as many decimals as its width allows: `0.912 ± 0.008`.

        An interval that is not symmetric, or is so by chance, is written as `0.981 [0.962, 0.990]`, with the digits
        of its shorter side.
        """
        if self.interval is None:
            return "--" if math.isnan(self.mean) else fixed(self.mean, None)
        half = self.half_width or 0.0
        low, high = self.interval
        sides = high - self.mean, self.mean - low
        if not self._is_bounded and math.isclose(*sides, rel_tol=1e-6, abs_tol=1e-12 * abs(self.mean)):
            places = decimals(half)
            return f"{fixed(self.mean, places)} ± {fixed(half, places)}"
        places = decimals(max(min(sides), half / 10))
        return f"{fixed(self.mean, places)} [{fixed(low, places)}, {fixed(high, places)}]"

    @property
    def _is_bounded(self) -> bool:
        """Whether an interval is made of percentiles, or on another scale: if it is symmetric, that is chance."""
        return "bootstrap" in self.method or "(log" in self.method

    @property
    def count_text(self) -> str:
        """How many jobs count: `n=5 seeds`, `n=3 of 5 seeds`."""
        of = f" of {self.expected}" if self.expected > self.n else ""
        return f"n={self.n}{of} {self.unit if self.expected != 1 else singular(self.unit)}"

    def __str__(self) -> str:
        method = self.method or ("no interval" if self.n else "no value")
        return f"{self.value_text} ({method}, {self.count_text})"


def notes_of(cells: Iterable[tuple[str, str, Any]]) -> list[str]:
    """What cells say of themselves, as why they have no interval: each once, with the columns and the rows.

    Args:
        cells: For each, the name of its row, that of its column, and the cell. Others than cells are passed over.

    Example:
        >>> notes_of([("model=few", "accuracy", cell), ("model=mlp", "accuracy", other)])
        ['accuracy of model=few: 2 values are too few for an interval, which needs 3.']
    """
    rows: dict[str, dict[str, None]] = {}
    said: dict[tuple[str, str], dict[str, None]] = {}
    for row, column, cell in cells:
        if isinstance(cell, Cell):
            rows.setdefault(column, {})[row] = None
            if cell.note and cell.n:  # a cell without a job is a hole, which is named
                said.setdefault((cell.note, column), {})[row] = None
    columns: dict[tuple[str, str], list[str]] = {}
    for (note, column), some in said.items():
        of = "" if len(some) == len(rows[column]) else f" of {listed(list(some), SHOWN)}"
        columns.setdefault((note, of), []).append(column)
    return [f"{', '.join(names)}{of}: {note}." for (note, of), names in columns.items()]


def plural_of(name: str) -> str:
    """The plural of what was folded: seeds of `seed`, and of `train.seed`."""
    word = name.rpartition(".")[2]
    if word.endswith("s"):
        return word
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def singular(unit: str) -> str:
    """The singular of such a plural."""
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit.removesuffix("s")


def holes_text(holes: Iterable[Hole]) -> str:
    """Holes in words, by reason: `1 running, 1 failed: xpm show 3f2a91c`.

    Example:
        >>> holes_text([Hole("seed=4", (4,), "failed", "3f2a91c0…"), Hole("seed=5", (5,), "missing")])
        '1 failed: xpm show 3f2a91c, 1 missing: seed=5'
    """
    by_reason: dict[str, list[Hole]] = {}
    for hole in holes:
        by_reason.setdefault(hole.why, []).append(hole)
    return ", ".join(_reason_text(why, found) for why, found in by_reason.items())


def _reason_text(why: str, holes: Sequence[Hole]) -> str:
    if why == ABSENT:
        return f"{len(holes)} {why}: {listed([hole.at for hole in holes], SHOWN)}"
    if why in ("failed", "unknown") or why.startswith("without"):
        named = [short(hole.job) for hole in holes[:SHOWN]]
        jobs = [each for each in named if ":" not in each]  # the others are foreign runs, which xpm show does not know
        said = [f"xpm show {' '.join(jobs)}"] * bool(jobs) + [f"foreign {each}" for each in named if ":" in each]
        more = f" and {len(holes) - SHOWN} more" if len(holes) > SHOWN else ""
        return f"{len(holes)} {why}: {', '.join(said)}{more}"
    return f"{len(holes)} {why}"
