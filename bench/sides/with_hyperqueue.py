"""HyperQueue's side: a local cluster with one worker, each task an exec of a small C program, or of Python."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
from side import main

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = 300.0


def drain(program: str, folder: str, jobs: int) -> dict[str, Any]:
    """Run all tasks on one core: from the first line of the first task to that of the last."""
    os.makedirs(folder)
    os.chdir(folder)
    stamps = Path(folder) / "stamps"
    with LocalCluster() as cluster:
        cluster.start_worker(WorkerConfig(cores=1))
        job = Job(default_workdir=folder)
        for _ in range(jobs):
            job.program([program, str(stamps)])
        cluster.client().submit(job)
        return {"seconds": spread(stamps, jobs) * jobs / (jobs - 1)}


def drain_python(folder: str, jobs: int) -> dict[str, Any]:
    """Run Python functions on one core, each with a directory and logs of its own. It measures as `drain` does."""
    os.makedirs(folder)
    os.chdir(folder)
    stamps = Path(folder) / "stamps"
    with LocalCluster() as cluster:
        cluster.start_worker(WorkerConfig(cores=1))
        job = Job(default_workdir=folder)
        for number in range(jobs):
            directory = Path(folder) / "tasks" / str(number)
            logs = {"stdout": str(directory / "out"), "stderr": str(directory / "err")}
            job.program([sys.executable, "-c", TASK, HERE, str(stamps), str(number)], cwd=directory, **logs)
        cluster.client().submit(job)
        return {"seconds": spread(stamps, jobs) * jobs / (jobs - 1)}


TASK = """
import sys, time
with open(sys.argv[2], "a") as file:
    file.write(repr(time.monotonic()) + chr(10))
sys.path.insert(0, sys.argv[1])
from rq_jobs import nothing
nothing(int(sys.argv[3]))
"""
"""What RQ runs, and the time before it."""


def start(program: str, folder: str, jobs: int) -> dict[str, Any]:
    """Submit tasks one at a time to an idle worker; how long each takes to its first line."""
    os.makedirs(folder)
    os.chdir(folder)
    found = []
    with LocalCluster() as cluster:
        cluster.start_worker(WorkerConfig(cores=1))
        client = cluster.client()
        for number in range(jobs):
            stamps = Path(folder) / f"stamp{number}"
            job = Job(default_workdir=folder)
            job.program([program, str(stamps)])
            began = time.monotonic()
            client.submit(job)
            found.append(read(stamps, 1)[0] - began)
            time.sleep(0.02)
    return {"seconds": found}


def spread(stamps: Path, count: int) -> float:
    moments = read(stamps, count)
    return max(moments) - min(moments)


def read(stamps: Path, count: int) -> list[float]:
    """Wait until so many tasks have written when they ran."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        lines = stamps.read_text().splitlines() if stamps.exists() else []
        if len(lines) >= count:
            return [float(line) for line in lines]
        time.sleep(0.002)
    raise TimeoutError(f"{count} tasks did not run within {TIMEOUT_S:g} s")


if __name__ == "__main__":
    main(drain, drain_python, start)
