"""The options of `submit`: what jobs get, and which values are refused."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.playground import Stage
from script_tasks import Write

from xpm_core.config import Task
from xpm_core.errors import ExperimentError
from xpm_core.identity import task_id
from xpm_core.workspace.kept_job import KeptJob

pytestmark = pytest.mark.redis


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"prioritty": 1}, r"unknown option 'prioritty'.*Did you mean 'priority'"),
        ({"xyz": 1}, r"unknown option 'xyz'.*There are: init_tasks, queue, "),
        ({"init_task": []}, r"unknown option 'init_task'.*Did you mean 'init_tasks'"),
        ({"launcher": None}, r"unknown option 'launcher'. Start workers there, .*queue='gpu'"),
        ({"memory": "8G"}, r"unknown option 'memory'. .*createtoken\('memory_gb', 64\)"),
        ({"workspace": None}, r"unknown option 'workspace'. .*experiment\(workdir, name\)"),
        ({"priority": "high"}, r"priority='high'.*expected an integer from -100 to 100"),
        ({"priority": 101}, r"priority=101"),
        ({"timeout": 0}, r"timeout=0"),
        ({"max_retries": -1}, r"max_retries=-1"),
        ({"env": {"A": 1}}, r"env={'A': 1}"),
        ({"code": "today"}, r"submit\(code='today'\): expected 'snapshot' or 'live'"),
        ({"code": True}, r"code=True"),
    ],
    ids=str,
)
def test_option_of_submit_that_cannot_work_is_refused_and_nothing_is_made(
    stage: Stage, option: dict[str, object], words: str
) -> None:
    with stage.experiment() as xp:
        write = Write.C(note=stage.note())
        with pytest.raises(ExperimentError, match=words) as caught:
            write.submit(**option)
        assert "test_options.py:" in str(caught.value)
        assert xp.wait().done == 0
        write.n = 3  # it is not sealed
    assert not stage.directory(write).path.exists()


def test_jobs_get_queue_and_environment_they_were_submitted_with(stage: Stage) -> None:
    with stage.experiment():
        write = Write.C(note=stage.note())
        write.submit(priority=7, max_retries=2, env={"A": "b"})
    job, handed = stage.job(write), kept(stage, write)
    assert (job.queue, job.priority) == ("default", 7)
    assert (handed.retries.max_retries, handed.spec.options.env) == (2, {"A": "b"})


def test_jobs_get_the_environment_that_the_experiment_sets_for_all(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        before = Write.C(note=note, n=1).submit()
        xp.setenv("A", "all")
        xp.setenv("B", "all")
        xp.setenv("B", "no", override=False)
        later = Write.C(note=note, n=2).submit()
        own = Write.C(note=note, n=3).submit(env={"A": "own"}, priority=1)
    found = [kept(stage, task).spec.options.env for task in (before, later, own)]
    assert found == [{}, {"A": "all", "B": "all"}, {"A": "own", "B": "all"}]


def kept(stage: Stage, task: Task) -> KeptJob:
    """The job as its directory keeps it."""
    found = stage.directory(task).kept(task_id(type(task)))
    assert found is not None
    return found


@pytest.mark.parametrize(("name", "value"), [("A", 1), (3, "x"), ("A", None)])
def test_variable_of_the_environment_that_is_no_text_is_refused(stage: Stage, name: Any, value: Any) -> None:
    with (
        stage.experiment() as xp,
        pytest.raises(ExperimentError, match=r"test_options.py:\d+: setenv\(.*\): expected"),
    ):
        xp.setenv(name, value)
