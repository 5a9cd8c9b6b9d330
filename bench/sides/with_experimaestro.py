"""experimaestro's side: its local launcher, two jobs at a time."""

import os
import time
from pathlib import Path
from typing import Any

import experimaestro_tasks as tasks
from experimaestro import RunMode, experiment
from side import main

SLOTS = 2


def drain(folder: str, jobs: int) -> dict[str, Any]:
    """Run jobs that do nothing, from the first submission until all are done."""
    return {"seconds": _run(folder, [tasks.Nothing.C(index=index) for index in range(jobs)])}


def imports(folder: str, jobs: int) -> dict[str, Any]:
    """The same with jobs that import scikit-learn."""
    return {"seconds": _run(folder, [tasks.Learn.C(index=index) for index in range(jobs)])}


def prepare(folder: str, jobs: int) -> dict[str, Any]:
    """Make jobs look as if they were done."""
    os.environ["HOME"] = folder
    with experiment(folder, "bench", run_mode=RunMode.GENERATE_ONLY):
        for index in range(jobs):
            tasks.train(index).submit()
    made = 0
    for params in Path(folder).glob("jobs/*/*/params.json"):
        (params.parent / f"{params.parent.parent.name.rpartition('.')[2]}.done").touch()
        made += 1
    assert made == jobs, f"{made} of {jobs}"
    return {"jobs": made}


def resubmit(folder: str, jobs: int) -> dict[str, Any]:
    """Submit done jobs, until all are known to be done."""
    os.environ["HOME"] = folder
    with experiment(folder, "bench") as xp:
        began = time.perf_counter()
        for index in range(jobs):
            tasks.train(index).submit()
        xp.wait()
        seconds = time.perf_counter() - began
    return {"seconds": seconds}


def _run(folder: str, made: list[Any]) -> float:
    os.environ["HOME"] = folder  # where it keeps its tokens
    os.makedirs(folder, exist_ok=True)
    with experiment(folder, "bench") as xp:
        token = xp.workspace.connector.createtoken(f"slots{os.getpid()}", SLOTS)
        began = time.perf_counter()
        for task in made:
            token(1, task)
            task.submit()
        xp.wait()
        return time.perf_counter() - began


if __name__ == "__main__":
    main(drain, imports, prepare, resubmit)
