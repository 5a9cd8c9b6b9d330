"""The standbys of a starter: each is used once, and the death of one is noticed."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil
import pytest
import worker_tasks as tasks
from helpers.daemons import alive
from helpers.starter_client import StarterClient
from helpers.waiting import wait_until

from xpm_worker.protocol.messages import AttemptEnded
from xpm_worker.system import kernel
from xpm_worker.template.main import EMPTY_NAME

NEVER = Path("/nonexistent")


def children(starter: StarterClient, name: str) -> list[psutil.Process]:
    """The starter's children of a name."""
    found = []
    for each in psutil.Process(starter.hello.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # one that a template has forked on the way
            if each.name() == name:
                found.append(each)
    return found


def standby(starter: StarterClient) -> psutil.Process:
    """The process that waits for the next job."""
    return wait_until(lambda: children(starter, kernel.STANDBY_NAME))[0]


def test_a_job_gets_a_process_that_stood_by_and_the_next_one_another(starter: StarterClient, tmp_path: Path) -> None:
    starter.run(tasks.Wait.C(note="the first of its task", until=starter.workspace.path))
    first = standby(starter)
    _, process = starter.started(tasks.Wait.C(note="x", until=NEVER))
    assert process == first
    assert process.name() == kernel.JOB_NAME
    assert standby(starter) != first
    process.kill()
    assert starter.hear(AttemptEnded).reason == "killed"
    assert alive(standby(starter)), "it is no leftover of that job"


@pytest.mark.parametrize("name", [kernel.STANDBY_NAME, EMPTY_NAME])
def test_one_that_stands_by_and_dies_costs_no_job_anything(starter: StarterClient, name: str) -> None:
    standby(starter)
    found = children(starter, name)
    for each in found:
        each.kill()
    wait_until(lambda: not any(map(alive, found)))
    reasons = [starter.run(tasks.Write.C(note=f"n{n}")).reason for n in range(3)]
    assert reasons == ["done"] * 3


def test_sigterm_to_one_that_stands_by_costs_no_job_anything(starter: StarterClient) -> None:
    process = standby(starter)
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: not alive(process))
    assert starter.run(tasks.Write.C(note="x")).reason == "done"


def test_a_job_runs_though_no_process_can_be_started_for_the_next_one(starter: StarterClient) -> None:
    process = standby(starter)
    starter_process = psutil.Process(starter.hello.pid)
    taken = {int(name) for name in os.listdir(f"/proc/{starter_process.pid}/fd")}
    spare = next(fd for fd in range(max(taken) + 2) if fd not in taken)
    limit = next(fd for fd in range(spare + 1, max(taken) + 3) if fd not in taken)
    starter_process.rlimit(psutil.RLIMIT_NOFILE, (limit, limit))  # one more descriptor, and a pair needs two
    task = tasks.Write.C(note="x")
    assert starter.run(task).reason == "done"
    assert starter.directory(task).records()[0]["pid"] == process.pid
