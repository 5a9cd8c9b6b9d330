"""Tests of paired differences that assume no normal distribution: sign flips, and Wilcoxon's signed ranks.

Both ask: if each difference could as well have the other sign, how often would the whole be at least as far from 0?

Owns: the two p-values. May import distributions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from xpm_core.results.statistics.distributions import normal_cdf

FLIPPED = range(6, 13)
"""Numbers of pairs with which signs are flipped. Below, no p can be under 0.05; above, Wilcoxon's test is used."""
RANKED = 50
"""Up to so many pairs, Wilcoxon's p is counted when there are neither ties nor zeros, as SciPy does."""
TIED = 13
"""The same, when there are ties or zeros."""


def sign_flip_p(differences: Sequence[float]) -> float:
    """The share of all 2^n assignments of signs whose sum is at least as far from 0 as the sum of the differences.

    Sums that differ by less than 1e-12 of the sum of all sizes are taken as equal, because 0.3 - 0.2 is not 0.1.
    """
    size = max(map(abs, differences), default=0.0)
    if size == 0:
        return 1.0
    parts = [difference / size for difference in differences]
    sums = [parts[0]]  # the sign of the first is fixed, because the other half mirrors this one
    for part in parts[1:]:
        sums = [total + signed for total in sums for signed in (part, -part)]
    limit = abs(math.fsum(parts)) - 1e-12 * math.fsum(map(abs, parts))
    return sum(abs(total) >= limit for total in sums) / len(sums)


def wilcoxon_p(differences: Sequence[float]) -> tuple[float, bool]:
    """The p of Wilcoxon's signed-rank test, two-sided, and whether it is exact: SciPy's default.

    Zeros are left out. Equal sizes share the mean of their ranks. Counted over all assignments of signs up to 50 pairs
    without ties and zeros, and up to 13 pairs with any; else by the normal distribution, corrected for ties, without a
    correction for continuity.
    """
    moved = [difference for difference in differences if difference != 0]
    if not moved:
        return 1.0, True
    ranks, tied = _doubled_ranks([abs(difference) for difference in moved])
    above = sum(rank for rank, difference in zip(ranks, moved, strict=True) if difference > 0)
    odd = bool(tied) or len(moved) < len(differences)
    if len(differences) <= (TIED if odd else RANKED):
        return _counted_p(ranks, above), True
    count = len(moved)
    variance = (count * (count + 1) * (2 * count + 1) - sum(tie**3 - tie for tie in tied) / 2) / 24
    z = (above / 2 - count * (count + 1) / 4) / math.sqrt(variance)
    return min(1.0, 2 * normal_cdf(-abs(z))), False


def _doubled_ranks(sizes: Sequence[float]) -> tuple[list[int], list[int]]:
    """Twice the rank of each size, so that means of ranks are whole; and how many share a rank, where several do."""
    counts = Counter(sizes)
    doubled, before = {}, 0
    for size in sorted(counts):
        doubled[size] = 2 * before + counts[size] + 1
        before += counts[size]
    return [doubled[size] for size in sizes], [count for count in counts.values() if count > 1]


def _counted_p(ranks: Sequence[int], above: int) -> float:
    """Twice the share of assignments of signs whose positive ranks sum to `above` or further out."""
    # How many assignments give each sum: a polynomial, as one large integer with a field for each power.
    width = len(ranks) + 1
    counts = 1
    for rank in ranks:
        counts += counts << (rank * width)
    one = (1 << width) - 1
    smaller = min(above, sum(ranks) - above)
    outside = sum(counts >> (total * width) & one for total in range(smaller + 1))
    return min(1.0, 2 * outside / (1 << len(ranks)))
