"""What jobs cost that import scikit-learn: when the import is paid once, and when each job pays for it."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

import peers
from harness import Limit, Row, Size, turns
from place import Place

TITLE = "Imports"


def rows(size: Size) -> list[Row]:
    """One slot; submitit and experimaestro use both CPUs."""
    jobs, few = 40, size.of(40, 2)
    if find_spec("sklearn") is None:
        return [Row("jobs that import scikit-learn", absent="scikit-learn is not installed")]
    if not templates_are_there():
        return [Row("jobs that import scikit-learn, templates on", absent="templates are not there yet")]
    names = {"submitit": peers.absent("submitit"), "experimaestro": peers.absent("experimaestro")}
    found = turns({
        "on": partial(ours, jobs, "Learn"),
        "off": partial(ours, few, "LearnAlone"),
        **{name: None if why else partial(theirs, few, name) for name, why in names.items()},
    })  # fmt: skip
    what = "jobs that import scikit-learn, templates on"
    rows = [Row(what, "templates off", "jobs/s", found["on"], found["off"], Limit(">=", 8))]
    for name, why in names.items():
        rows.append(Row(what, name, "jobs/s", found["on"], found.get(name, []), Limit(">=", 20), why))
    return rows


def templates_are_there() -> bool:
    """Whether this version has templates."""
    return any(find_spec(f"xpm_worker.{name}") is not None for name in ("template", "templates"))


def ours(jobs: int, kind: str) -> float:
    """Jobs a second."""
    with Place() as place:
        folder = place.folder("workspace")
        peers.run("ours", "queue", url=place.url, folder=folder, jobs=jobs, kind=kind)
        answer = peers.run("ours", "drain", url=place.url, direct=place.direct, folder=folder, jobs=jobs)
        return jobs / float(answer["seconds"])


def theirs(jobs: int, name: str) -> float:
    """The same of a peer."""
    with Place() as place:
        return jobs / float(peers.run(name, "imports", folder=place.folder("other"), jobs=jobs)["seconds"])
