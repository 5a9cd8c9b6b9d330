"""What a process does while it is traced, or while it is not: `traced.py WORK MODE` prints the seconds of the CPU.

WORK is calls, functions, opens, events or document; MODE is off, monitoring, hook or both.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from xpm_worker.job.trace.audit import Audit
from xpm_worker.job.trace.entries import Entries
from xpm_worker.job.trace.opened import Digests
from xpm_worker.job.trace.places import Places
from xpm_worker.protocol.messages import RunJob

CALLS, FUNCTIONS, OPENS, EVENTS = 10_000_000, 200, 10_000, 1_000_000
SNAPSHOT = "0" * 64


def main(work: str, mode: str) -> float:
    """Seconds of some work."""
    with TemporaryDirectory(prefix="xpm-bench-") as folder:
        tree = Path(folder, SNAPSHOT, "project")
        write(tree)
        places = Places(message(folder, tree))
        entries, audit = Entries(places.copies), Audit(places)
        if mode in ("monitoring", "both"):
            entries.start()
        if mode in ("hook", "both"):
            audit.start()
        sys.path.insert(0, str(tree))
        if work == "document":
            audit.opened.update(dict.fromkeys(str(tree / f"data{number}.csv") for number in range(100)))
            return timed(lambda: Digests(places, ()).of(dict(audit.opened)))
        return timed(works(tree)[work])


def works(tree: Path) -> dict[str, Callable[[], object]]:
    """What is done, by name."""
    return {"calls": calls, "functions": functions, "opens": lambda: opens(tree / "data0.csv"), "events": events}


def message(folder: str, tree: Path) -> RunJob:
    """A job with a snapshot in the folder."""
    fields = {name: None for name in RunJob._fields if name not in RunJob._field_defaults}
    given = {"workspace": f"{folder}/workspace", "snapshot": SNAPSHOT, "code": {"/nowhere/project": str(tree)}}
    return RunJob(**{**fields, **given})


def write(tree: Path) -> None:
    """Write a project of 200 functions and 100 files of data."""
    tree.mkdir(parents=True)
    lines = [f"def f{number}(value):\n    return value + {number}\n" for number in range(FUNCTIONS)]
    (tree / "project_code.py").write_text("\n".join(lines))
    (tree / "project_loop.py").write_text(
        "def call():\n    pass\n\n\ndef loop(count):\n    for _ in range(count):\n        call()\n"
    )
    for number in range(100):
        (tree / f"data{number}.csv").write_text(f"{number}\n" * 10_000)


def calls() -> None:
    """A loop of calls of one function."""
    importlib.import_module("project_loop").loop(CALLS)


def functions() -> None:
    """The import of a module, and one call of each of its functions."""
    module = importlib.import_module("project_code")
    for number in range(FUNCTIONS):
        getattr(module, f"f{number}")(1)


def opens(path: Path) -> None:
    """Open a file of the project again and again."""
    name = str(path)
    for _ in range(OPENS):
        with open(name, "rb") as file:
            file.read(1)


def events() -> None:
    """Calls that are audit events of no interest."""
    value = object()
    for _ in range(EVENTS):
        id(value)


def timed(work: Callable[[], object]) -> float:
    """Seconds of the CPU: the machine may be busy otherwise."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2]))
