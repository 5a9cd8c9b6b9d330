"""RQ's side: its stock forking worker, its SimpleWorker, and enqueueing."""

import os
import subprocess
import sys
import time
from typing import Any

import rq_jobs
from redis import Redis
from rq import Queue
from rq.job import Job
from side import main

HERE = os.path.dirname(os.path.abspath(__file__))


def enqueue(url: str, jobs: int) -> dict[str, Any]:
    """Enqueue jobs one by one; how long that takes."""
    queue = Queue(connection=Redis.from_url(url))
    began = time.perf_counter()
    for number in range(jobs):
        model = {"layers": 2 + number % 7, "width": 64, "dropout": 0.1}
        queue.enqueue(rq_jobs.train, model=model, epochs=10, rate=0.001 * (1 + number % 5), seed=number)
    return {"seconds": time.perf_counter() - began}


def drain(url: str, direct: str, jobs: int, simple: bool, path: str = "", bytecode: bool = True) -> dict[str, Any]:
    """Let one worker run all jobs: from the start of the first job to the end of the last, as RQ records it.

    With a folder `path`, the jobs are those of the project in that folder.
    """
    near = Redis.from_url(direct)
    queue = Queue(connection=near)
    function = "study.function.study" if path else rq_jobs.nothing
    queued = queue.enqueue_many([Queue.prepare_data(function, (index,)) for index in range(jobs)])
    kind = ["--worker-class", "rq.worker.SimpleWorker"] if simple else []
    command = [
        sys.executable,
        "-m",
        "rq.cli",
        "worker",
        "--burst",
        "--url",
        url,
        "--path",
        path or HERE,
        *kind,
        "default",
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "" if bytecode else "1"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ended = [job for job in Job.fetch_many([each.id for each in queued], near) if job is not None]
    assert all(job.ended_at for job in ended), "a job did not end"
    first, last = min(job.started_at for job in ended), max(job.ended_at for job in ended)
    return {"seconds": (last - first).total_seconds()}


if __name__ == "__main__":
    main(enqueue, drain)
