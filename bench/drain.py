"""How many jobs that do nothing a worker runs a second, and what the others make of it."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path

import peers
from harness import Limit, Measure, Row, Size, turns
from place import Place

TITLE = "Drain of trivial jobs"
NOOP = Path(__file__).parent / "sides" / "noop.c"


def rows(size: Size) -> list[Row]:
    """One slot of ours against one of the others; experimaestro runs two jobs at a time."""
    jobs, few = size.of(2000, 300), size.of(200, 80)
    found = turns({
        "ours": partial(ours, jobs),
        "RQ": _if("rq", partial(rq, size.of(2000, few), False)),
        "RQ, SimpleWorker": _if("rq", partial(rq, jobs, True)),
        "HyperQueue": _if("hyperqueue", partial(hyperqueue, jobs)) if compiler() else None,
        "experimaestro": _if("experimaestro", partial(experimaestro, size.of(40, 6))),
    })  # fmt: skip
    row = partial(compared, found)
    return [
        row("RQ", Limit(">=", 4), peers.absent("rq")),
        row("RQ, SimpleWorker", None, peers.absent("rq")),
        row("HyperQueue", Limit(">=", 1), peers.absent("hyperqueue") or ("" if compiler() else "no C compiler")),
        row("experimaestro", Limit(">=", 30), peers.absent("experimaestro")),
    ]


def compared(found: dict[str, list[float]], name: str, limit: Limit | None, absent: str) -> Row:
    return Row("jobs drained by one slot", name, "jobs/s", found["ours"], found.get(name, []), limit, absent)


def ours(jobs: int, slots: int = 1, delay_ms: float | None = None) -> float:
    """Jobs a second."""
    with Place(delay_ms) as place:
        folder = place.folder("workspace")
        peers.run("ours", "queue", url=place.direct, folder=folder, jobs=jobs)
        options = {"url": place.url, "direct": place.direct, "folder": folder, "jobs": jobs, "slots": slots}
        return jobs / float(peers.run("ours", "drain", **options)["seconds"])


def rq(jobs: int, simple: bool, delay_ms: float | None = None) -> float:
    """The same."""
    with Place(delay_ms) as place:
        answer = peers.run("rq", "drain", url=place.url, direct=place.direct, jobs=jobs, simple=simple)
        return jobs / float(answer["seconds"])


def hyperqueue(jobs: int) -> float:
    """The same."""
    with Place() as place:
        answer = peers.run("hyperqueue", "drain", program=noop(place), folder=place.folder("hq"), jobs=jobs)
        return jobs / float(answer["seconds"])


def experimaestro(jobs: int) -> float:
    """The same, two at a time."""
    with Place() as place:
        return jobs / float(peers.run("experimaestro", "drain", folder=place.folder("other"), jobs=jobs)["seconds"])


def compiler() -> str | None:
    """A C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def noop(place: Place) -> str:
    """The program that HyperQueue runs."""
    program = place.folder("noop")
    subprocess.run([str(compiler()), "-O2", "-o", program, str(NOOP)], check=True)
    return program


def _if(side: str, measure: Measure) -> Measure | None:
    return None if peers.absent(side) else measure
