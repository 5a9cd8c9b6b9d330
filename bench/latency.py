"""How soon things happen: from claim and from submission to the first line, and from the end to the callback."""

from __future__ import annotations

from functools import partial

import peers
from drain import compiler, noop
from harness import PAIRS, Limit, Row, Size, percentile, turns
from place import Place

TITLE = "Latency"


def rows(size: Size) -> list[Row]:
    """One job at a time, the worker idle in between."""
    return [*from_claim(size.of(200, 30)), from_submission(size.of(100, 20)), to_callback(size.of(200, 30))]


def from_claim(jobs: int) -> list[Row]:
    """From the answered claim to the first line of `execute`; forks are made after the jobs."""
    ours, forks = [], []
    for _ in range(PAIRS):
        with Place() as place:
            options = {"url": place.url, "folder": place.folder("workspace"), "stamps": place.folder("stamps")}
            answer = peers.run("ours", "claims", **options, jobs=jobs)
        ours.append([value * 1000 for value in answer["claim_to_first_line"]])
        forks.append([value * 1000 for value in answer["bare_fork"]])
    return [
        Row(
            f"claim to first line, p{share * 100:.0f}", f"a bare fork, p{share * 100:.0f}", "ms",
            [percentile(values, share) for values in ours], [percentile(values, share) for values in forks],
            Limit("<=", bound),
        )
        for share, bound in ((0.5, 4), (0.99, 10))
    ]  # fmt: skip


def from_submission(jobs: int) -> Row:
    """From `submit` to the first line, the median of many."""
    absent = peers.absent("hyperqueue") or ("" if compiler() else "no C compiler")
    found = turns({"ours": partial(_ours, jobs), "theirs": None if absent else partial(_hyperqueue, jobs)})
    what = "submit to first line, p50"
    return Row(what, "HyperQueue", "ms", found["ours"], found.get("theirs", []), Limit("<=", 0.5), absent)


def _ours(jobs: int) -> float:
    with Place() as place:
        options = {"url": place.url, "folder": place.folder("workspace"), "stamps": place.folder("stamps")}
        return percentile(peers.run("ours", "start", **options, jobs=jobs)["seconds"], 0.5) * 1000


def _hyperqueue(jobs: int) -> float:
    with Place() as place:
        answer = peers.run("hyperqueue", "start", program=noop(place), folder=place.folder("hq"), jobs=jobs)
        return percentile(answer["seconds"], 0.5) * 1000


def to_callback(jobs: int) -> Row:
    """From the server's answer that the job is done to the callback in the script, which polls nothing."""
    ours, pings = [], []
    for _ in range(PAIRS):
        with Place() as place:
            answer = peers.run("ours", "callbacks", url=place.url, folder=place.folder("workspace"), jobs=jobs)
        ours.append(percentile(answer["done_to_callback"], 0.5) * 1000)
        pings.append(percentile(answer["ping"], 0.5) * 1000)
    return Row("done to callback, p50", "a PING, p50", "ms", ours, pings, Limit("<=", 20))
