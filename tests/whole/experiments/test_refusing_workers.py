"""Daemons that lack the imports of a project, beside others that have them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import worker_tasks as tasks
from helpers.daemons import Crew
from helpers.waiting import wait_until

from xpm_core import experiment
from xpm_core.errors import FailedExperiment
from xpm_core.states import State
from xpm_core.workspace.job_records import Marker

pytestmark = pytest.mark.redis

NAMES = ("m1", "m2")
MODULE = """
import {lacked}
from xpm_core.config import Param, Task

class Sweep(Task):
    number: Param[int]

    def execute(self):
        {lacked}
"""


@pytest.fixture
def sweeps(written: Path, installed: Path) -> Any:
    """A module of a project that imports a package which only some workers have, and which no payload names."""
    (written / "sweeping_tasks.py").write_text(MODULE.format(lacked="rare_package"))
    (installed / "rare_package.py").touch()
    return importlib.import_module("sweeping_tasks")


def reasons(crew: Crew, task: Any) -> list[str]:
    return [record["reason"] for record in crew.directory(task).records()]


def test_one_worker_that_cannot_import_the_code_costs_the_queue_nothing(
    crew: Crew, sweeps: Any, installed: Path
) -> None:
    crew.started("--name", "m1", "--pythonpath", str(installed))
    bad = crew.started("--name", "m2", slots=2)
    jobs = [sweeps.Sweep.C(number=number) for number in range(12)]
    crew.submit(*jobs)
    for job in jobs:
        found = crew.wait(job)
        assert (found.failures, found.losses, found.attempts) == (0, 0, 1), crew.explain(job)
    refused = [job for job in jobs if "refused" in reasons(crew, job)]
    assert len(refused) <= 2, "one that each slot held when it heard of the first"
    for job in refused:
        assert reasons(crew, job)[-1] == "done"
        assert crew.directory(job).marker() is not None
    crew.submit(other := tasks.Write.C(note="of another project"))
    crew.wait(other)
    assert all("m2 on" in line for line in bad.log.splitlines() if "cannot import" in line)


def test_a_job_that_no_worker_can_import_fails_and_names_them(crew: Crew, sweeps: Any) -> None:
    first = crew.started("--name", NAMES[0])
    crew.started("--name", NAMES[1])
    crew.submit(job := sweeps.Sweep.C(number=1))
    found = crew.wait(job, State.FAILED)
    for said in ("cannot import 'sweeping_tasks.Sweep' (No module named 'rare_package')", "looked in", "Nor can the"):
        assert said in found.error["message"]
    assert all(f"{name} on" in found.error["message"] or f"Worker {name}-" in found.error["message"] for name in NAMES)
    wait_until(lambda: crew.directory(job).marker() == Marker("failed", found.execution), show=lambda: first.log)
    assert reasons(crew, job) == ["refused", "refused"]


def test_a_daemon_that_was_killed_and_started_with_what_it_lacked_runs_the_jobs(
    crew: Crew, sweeps: Any, installed: Path
) -> None:
    crew.started("--name", "m1")
    crew.started("--name", "m2").process.kill()  # it counts as living for a lease
    jobs = [sweeps.Sweep.C(number=number) for number in range(3)]
    crew.submit(*jobs)
    wait_until(lambda: any(reasons(crew, job) for job in jobs), show=lambda: crew.explain(jobs[0]))
    crew.started("--name", "m2", "--pythonpath", str(installed))
    for job in jobs:
        assert crew.wait(job).failures == 0


def test_what_is_raised_for_another_reason_at_import_is_the_jobs_own_fault(crew: Crew, sweeps: Any) -> None:
    Path(sweeps.__file__).write_text("from os import no_such_name\n")
    for _ in range(2):
        crew.started()
    crew.submit(job := sweeps.Sweep.C(number=1))
    assert "cannot import name" in crew.wait(job, State.FAILED).error["message"]
    assert reasons(crew, job) == ["failed"]


def test_a_script_says_at_its_end_which_worker_cannot_import_its_code(
    crew: Crew, sweeps: Any, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = crew.started("--name", "m1", "--pythonpath", str(installed), lease_s=60)
    crew.started("--name", "m2", lease_s=60)
    for slot in good.slots():
        slot.suspend()
    with experiment(crew.workspace.path, "sweep", redis=crew.url, workers=0):
        jobs = [sweeps.Sweep.C(number=number).submit() for number in range(3)]
        wait_until(lambda: any(reasons(crew, job) for job in jobs), show=lambda: crew.explain(jobs[0]))
        for slot in good.slots():
            slot.resume()
    said = (
        r"! worker m2 cannot import rare_package: looked in \S.*, the packages of \S+\. 1 job went to other workers\."
    )
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("! ")]
    assert re.fullmatch(said, line)


def submit_all(crew: Crew, jobs: list[Any]) -> None:
    with experiment(crew.workspace.path, "sweep", redis=crew.url, workers=0):
        for job in jobs:
            job.submit()


@pytest.mark.parametrize("lacked", ["a package", "the module"])
def test_jobs_that_fail_because_no_worker_can_import_them_are_one_cause(crew: Crew, sweeps: Any, lacked: str) -> None:
    crew.started("--name", "m2", slots=2)
    jobs = [sweeps.Sweep.C(number=number) for number in range(7)]
    if lacked == "the module":
        Path(sweeps.__file__).rename(f"{sweeps.__file__}.aside")
    with pytest.raises(FailedExperiment) as failed:
        submit_all(crew, jobs)
    report = str(failed.value)
    (cause,) = [line for line in report.splitlines() if line.startswith("✗")]
    assert re.match(r"✗ TaskImportError: Worker m2-\w+ on \S+: cannot import 'sweeping_tasks.Sweep' \(No mod", cause)
    assert cause.endswith(" 7 jobs")
    assert "frozen" not in report
    assert "importlib" not in report
    assert (f"{Path(sweeps.__file__).name}:2 in <module>" in report) is (lacked == "a package")
