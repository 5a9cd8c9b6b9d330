"""Templates: imports are paid once, and nothing else is different."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, alive
from learning_tasks import Multiply
from support import wait_until
from template_tasks import Cold, Draw, Mutate
from worker_tasks import Write

from xpm_core.config import Task
from xpm_core.states import State
from xpm_worker.template import TEMPLATE_NAME


def read(crew: Crew, task: Task, name: str) -> Any:
    return json.loads((crew.directory(task).path / name).read_text())


def templates(worker: Any) -> list[Any]:
    return worker.named(TEMPLATE_NAME)  # type: ignore[no-any-return]


def warmed(crew: Crew, first: Task, *options: str, **submit: Any) -> Any:
    """A worker of one slot that has run a task, and has a template for the next."""
    worker = crew.started(*options)
    crew.submit(first, **submit)
    crew.wait(first)
    wait_until(lambda: templates(worker), show=lambda: worker.log)
    return worker


def test_unseeded_generators_differ_in_every_job_forked_from_a_template(crew: Crew) -> None:
    worker = warmed(crew, Draw.C(number=0))
    tasks = [Draw.C(number=number) for number in range(1, 21)]
    crew.submit(*tasks)
    drawn = [read(crew, task, "drawn.json") for task in tasks if crew.wait(task)]
    for generator in ("numpy", "generator", "random", "uuid", "tempfile"):
        assert len({each[generator] for each in drawn}) == len(tasks), generator
    assert len(templates(worker)) == 1


def test_variables_of_a_job_hold_while_its_packages_are_imported(crew: Crew) -> None:
    worker = warmed(crew, Draw.C(number=0))
    alone = [Draw.C(number=number) for number in (1, 2, 3)]
    crew.submit(*alone, options={"env": {"OMP_NUM_THREADS": "1"}})
    assert [read(crew, task, "drawn.json")["threads"] for task in alone if crew.wait(task)] == ["1", "1", "1"]
    wait_until(lambda: len(templates(worker)) == 2, show=lambda: worker.log)
    assert any("OMP_NUM_THREADS=1" not in str(each.environ()) for each in templates(worker))


def test_openblas_and_openmp_work_in_twenty_jobs_of_a_template(crew: Crew) -> None:
    warmed(crew, Multiply.C(number=0))
    tasks = [Multiply.C(number=number) for number in range(1, 21)]
    crew.submit(*tasks)
    assert all(read(crew, task, "result.json")[1] > 0.4 for task in tasks if crew.wait(task))


def test_nothing_leaks_from_one_job_to_the_next(crew: Crew) -> None:
    warmed(crew, Draw.C(number=0))
    change, look = Mutate.C(), Mutate.C(look=True)
    crew.submit(change, look)
    crew.wait(change)
    crew.wait(look)
    state, leak, in_place, _, default, seeded = read(crew, look, "found.json")
    assert (state, leak, in_place, default) == ({}, None, True, True)
    assert seeded != 7.0


def test_a_class_can_do_without(crew: Crew) -> None:
    worker = crew.started()
    first, second = Cold.C(number=0), Cold.C(number=1)
    for task in (first, second):
        crew.submit(task, options={"template": False})
        crew.wait(task)
    assert templates(worker) == []


def test_a_killed_template_costs_its_jobs_nothing_but_time(crew: Crew) -> None:
    worker = warmed(crew, Draw.C(number=0))
    [template] = templates(worker)
    template.send_signal(signal.SIGKILL)
    task = Draw.C(number=1)
    crew.submit(task)
    assert crew.wait(task).attempts == 1
    assert not alive(template)


def test_a_stopped_template_does_not_hold_up_the_lease_of_its_job(crew: Crew) -> None:
    worker = warmed(crew, Draw.C(number=0))
    [template] = templates(worker)
    template.suspend()
    task = Draw.C(number=1)
    crew.submit(task)
    wait_until(lambda: f"Draw/{crew.directory(task).identity[:7]}: starts" in worker.log, show=lambda: worker.log)
    crew.store.cancel(crew.job(task).identity)
    crew.wait(task, State.CANCELLED)
    wait_until(lambda: not alive(template))


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """A folder of modules, in front of this process's path."""
    folder = tmp_path / "modules"
    folder.mkdir()
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name, module in sys.modules.items() if str(folder) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


TASKS = """
from pathlib import Path
import numpy
from xpm_core.config import Param, Task
import {helper}

class Use(Task):
    number: Param[int]

    def execute(self) -> None:
        Path("said.txt").write_text({helper}.WORD)
"""


def test_each_job_sees_the_project_as_it_is_when_it_starts(crew: Crew, written: Path) -> None:
    (written / "edited_helper.py").write_text("WORD = 'old'")
    (written / "edited_tasks.py").write_text(TASKS.format(helper="edited_helper"))
    module = importlib.import_module("edited_tasks")
    first, second = module.Use.C(number=1), module.Use.C(number=2)
    warmed(crew, first)
    (written / "edited_helper.py").write_text("WORD = 'the new one'")
    crew.submit(second)
    crew.wait(second)
    said = [(crew.directory(task).path / "said.txt").read_text() for task in (first, second)]
    assert said == ["old", "the new one"]


BROKEN = """
import os, sys, time
import numpy
from xpm_core.config import Param, Task

if os.environ.get("XPM_JOB"):
    {deed}

class Broken(Task):
    number: Param[int]

    def execute(self) -> None:
        raise AssertionError("never comes to that")
"""


@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        ("raise RuntimeError('no licence')", "TaskImportError"),
        ("os.kill(os.getpid(), 11)", "Signal"),
        ("time.sleep(1000)", "ImportTimeout"),
    ],
    ids=["raises", "crashes", "hangs"],
)
def test_a_module_that_cannot_be_imported_fails_its_job_and_not_the_starter(
    crew: Crew, written: Path, deed: str, kind: str
) -> None:
    name = f"broken_{kind.lower()}"
    (written / f"{name}.py").write_text(BROKEN.format(deed=deed))
    task, after = importlib.import_module(name).Broken.C(number=1), Write.C(note="after")
    worker = crew.started(env={"XPM_IMPORT_TIMEOUT": "2" if kind == "ImportTimeout" else "60"})
    starters = {process.pid for process in worker.starters()}
    crew.submit(task)
    assert kind in crew.wait(task, State.FAILED).error["type"]
    crew.submit(after)
    crew.wait(after)
    assert {process.pid for process in worker.starters()} == starters


SCRIPT = """
import sys
from pathlib import Path
from xpm_core import Param, Task, experiment

class Look(Task):
    number: Param[int]

    def execute(self) -> None:
        Path("said.txt").write_text(str({"redis", "rich", "rq"} & set(sys.modules)))
"""


def test_a_job_whose_script_imports_experiment_is_spared_the_client_of_redis(crew: Crew, written: Path) -> None:
    (written / "whole_script.py").write_text(SCRIPT)
    task = importlib.import_module("whole_script").Look.C(number=1)
    assert (crew.run(task).path / "said.txt").read_text() == "set()"
