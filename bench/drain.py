"""How many jobs that do nothing a worker runs in a second, and how many the peers run."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import peers
import project
from harness import Limit, Measure, Row, Size, turns
from place import Place

TITLE = "Drain of trivial jobs"
PYTHON = "HyperQueue, the same in Python"
NOOP = Path(__file__).parent / "sides" / "noop.c"


def rows(size: Size) -> list[Row]:
    """One slot of ours against one worker of each peer; experimaestro runs two jobs at a time."""
    jobs, few = size.of(2000, 300), size.of(200, 80)
    return [*trivial(jobs, few, size), *in_project(few, True), *in_project(few, False)]


def trivial(jobs: int, few: int, size: Size) -> list[Row]:
    """Tasks that do nothing."""
    found = turns({
        "ours": partial(ours, jobs),
        "RQ": _if("rq", partial(rq, size.of(2000, few), False)),
        "RQ, SimpleWorker": _if("rq", partial(rq, jobs, True)),
        PYTHON: _if("hyperqueue", partial(hyperqueue_python, few)),
        "HyperQueue, a C program": _if("hyperqueue", partial(hyperqueue, jobs)) if compiler() else None,
        "experimaestro": _if("experimaestro", partial(experimaestro, size.of(40, 6))),
    })  # fmt: skip
    row = partial(compared, found)
    return [
        row("RQ", Limit(">=", 4), peers.absent("rq")),
        row("RQ, SimpleWorker", None, peers.absent("rq")),
        row(PYTHON, None, peers.absent("hyperqueue")),
        row(
            "HyperQueue, a C program",
            Limit(">=", 1),
            peers.absent("hyperqueue") or ("" if compiler() else "no C compiler"),
        ),
        row("experimaestro", Limit(">=", 30), peers.absent("experimaestro")),
    ]


def in_project(jobs: int, bytecode: bool) -> list[Row]:
    """Tasks in a project of many files that imports NumPy: once with the compiled files kept, and once without them."""
    what = f"jobs of a project of {project.FILES} files, NumPy" + ("" if bytecode else ", PYTHONDONTWRITEBYTECODE")
    if find_spec("numpy") is None:
        return [Row(what, absent="NumPy is not installed")]
    found = turns({
        "ours": partial(ours, jobs, in_project=True, bytecode=bytecode),
        "RQ": _if("rq", partial(rq, jobs, False, in_project=True, bytecode=bytecode)),
    })  # fmt: skip
    return [Row(what, "RQ", "jobs/s", found["ours"], found.get("RQ", []), None, peers.absent("rq"))]


def compared(found: dict[str, list[float]], name: str, limit: Limit | None, absent: str) -> Row:
    return Row("jobs drained by one slot", name, "jobs/s", found["ours"], found.get(name, []), limit, absent)


def ours(
    jobs: int,
    slots: int = 1,
    delay_ms: float | None = None,
    in_project: bool = False,
    bytecode: bool = True,
    live: bool = True,
) -> float:
    """Jobs a second."""
    with Place(delay_ms) as place:
        folder = place.folder("workspace")
        more = {"kind": "Study", "path": project.write(place.root / "project"), "live": live} if in_project else {}
        peers.run("ours", "queue", url=place.direct, folder=folder, jobs=jobs, **more)
        options = {"url": place.url, "direct": place.direct, "folder": folder, "jobs": jobs, "slots": slots}
        options["bytecode"] = bytecode
        return jobs / float(peers.run("ours", "drain", **options)["seconds"])


def rq(
    jobs: int, simple: bool, delay_ms: float | None = None, in_project: bool = False, bytecode: bool = True
) -> float:
    """The same."""
    with Place(delay_ms) as place:
        path = project.write(place.root / "project") if in_project else ""
        options = {"url": place.url, "direct": place.direct, "jobs": jobs, "simple": simple}
        answer = peers.run("rq", "drain", **options, path=path, bytecode=bytecode)
        return jobs / float(answer["seconds"])


def hyperqueue(jobs: int) -> float:
    """The same."""
    with Place() as place:
        answer = peers.run("hyperqueue", "drain", program=noop(place), folder=place.folder("hq"), jobs=jobs)
        return jobs / float(answer["seconds"])


def hyperqueue_python(jobs: int) -> float:
    """The same; each task is a Python function, with a directory and logs of its own."""
    with Place() as place:
        answer = peers.run("hyperqueue", "drain_python", folder=place.folder("hq"), jobs=jobs)
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
