"""How long it takes to submit tasks, and to submit done tasks again."""

from __future__ import annotations

from functools import partial

import peers
from harness import Limit, Row, Size, turns
from place import Place

TITLE = "Submission"


def rows(size: Size) -> list[Row]:
    """Different tasks with a nested configuration, built one by one. The peers submit what comes closest to that."""
    return [new(size.of(10_000, 2_000)), *again(size.of(10_000, 2_000), size.of(1_000, 100))]


def new(jobs: int) -> Row:
    """Until the server has all tasks."""
    absent = peers.absent("rq")
    found = turns({"ours": partial(submitted, jobs), "theirs": None if absent else partial(enqueued, jobs)})
    what = f"submission of {jobs} tasks"
    return Row(what, "RQ, enqueue", "tasks/s", found["ours"], found.get("theirs", []), Limit(">=", 3), absent)


def again(jobs: int, few: int) -> list[Row]:
    """Until `xp.wait()` returns."""
    absent = peers.absent("experimaestro")
    with Place() as place:
        ours = {"url": place.url, "folder": place.folder("workspace"), "jobs": jobs}
        theirs = {"folder": place.folder("other"), "jobs": few}
        peers.run("ours", "prepare", **ours)
        if not absent:
            peers.run("experimaestro", "prepare", **theirs)
        found = turns({
            "ours": lambda: jobs / float(peers.run("ours", "resubmit", **ours)["seconds"]),
            "least": lambda: jobs / _seconds("ours", "identities", folder=ours["folder"], jobs=jobs),
            "theirs": None if absent else lambda: few / _seconds("experimaestro", "resubmit", **theirs),
        })  # fmt: skip
    what = f"re-submission of {jobs} done tasks"
    times = {name: [jobs / rate for rate in rates] for name, rates in found.items()}
    return [
        Row(what, "experimaestro", "tasks/s", found["ours"], found.get("theirs", []), Limit(">=", 20), absent),
        Row(f"{what}, time", "identities and a stat each", "s", times["ours"], times["least"], Limit("<=", 3)),
    ]


def submitted(jobs: int) -> float:
    with Place() as place:
        return jobs / _seconds("ours", "submit", url=place.url, folder=place.folder("workspace"), jobs=jobs)


def enqueued(jobs: int) -> float:
    with Place() as place:
        return jobs / _seconds("rq", "enqueue", url=place.url, jobs=jobs)


def _seconds(side: str, what: str, **options: object) -> float:
    return float(peers.run(side, what, **options)["seconds"])
