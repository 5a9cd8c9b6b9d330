"""A rehearsal: what stands in the place of an experiment, and touches nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from yaml_tasks import Learn

from xpm_core import tag
from xpm_core.errors import ConfigurationError, ExperimentError, TokenRequestError, UnsubmittedTaskError, WorkspaceError
from xpm_core.experiment_file.plan import NotForeseenError, Plan
from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.workspace.job_directory import JobDirectory


def plan(folder: Path) -> Plan:
    return Plan(folder / "workspace", "digits", None)


def done(job: JobDirectory) -> None:
    """Leave what a done job leaves."""
    number = job.prepare(0)
    job.write_record(number, "e1", {"outcome": "done"})
    job.write_marker("done", "e1")


def test_it_collects_tasks_with_tags_and_makes_no_file(tmp_path: Path) -> None:
    with plan(tmp_path) as xp:
        first = Learn.C(lr=tag(0.1)).submit()
        assert Learn.C(lr=0.1).submit().identity == first.identity
        Learn.C(lr=tag(0.2)).submit(queue="gpu")
        gpu = xp.connector.createtoken("gpu", 2)
        gpu(2, Learn.C(lr=0.3)).submit()
        xp.setenv("A", "b")
        xp.connector.limitpasses(3)
        assert first.jobpath.parent.name == "yaml_tasks.learn"
        first.on_completed(lambda: pytest.fail("nothing is completed"))
    assert [(job.name, job.tags, job.queue, job.demand) for job in xp.jobs.values()] == [
        ("Learn", {"lr": 0.1}, "default", {}), ("Learn", {"lr": 0.2}, "gpu", {}), ("Learn", {}, "default", {"gpu": 2})
    ]  # fmt: skip
    assert os.listdir(tmp_path) == []


def test_what_is_done_would_be_reused_and_can_be_waited_for(tmp_path: Path) -> None:
    with plan(tmp_path) as xp:
        learn = Learn.C(lr=0.1).submit()
    done(xp.jobs[learn.identity].directory)
    with plan(tmp_path) as xp:
        learn = Learn.C(lr=0.1).submit()
        assert (learn.state, learn.wait(), xp.wait().reused) == (State.DONE, True, 1)
        other = Learn.C(lr=0.2).submit()
        with pytest.raises(NotForeseenError) as caught:
            other.wait()
        assert caught.value.place[0] == __file__
        with pytest.raises(NotForeseenError, match="waits for jobs that are not done"):
            xp.wait()


def test_what_only_a_run_knows_ends_it(tmp_path: Path) -> None:
    with plan(tmp_path) as xp:
        for ask in (lambda: xp.resultspath, lambda: xp.events(), lambda: xp.connector.client):
            with pytest.raises(NotForeseenError):
                ask()
    assert not hasattr(xp, "__len__")


def test_it_refuses_what_an_experiment_refuses(tmp_path: Path) -> None:
    with plan(tmp_path) as xp:
        for wrong in (
            lambda: Learn.C().submit(),
            lambda: Learn.C(lr=0.1).submit(launcher="slurm"),
            lambda: xp.setenv("A", 3),  # type: ignore[arg-type]
            lambda: xp.connector.createtoken("gpu", 0),
            lambda: Learn.C(lr=0.1).add_dependencies(Learn.C(lr=0.2)).submit(),
        ):
            with pytest.raises((ConfigurationError, ExperimentError, TokenRequestError, UnsubmittedTaskError)):
                wrong()
    assert xp.jobs == {}
    with pytest.raises(ExperimentError, match="outside of any experiment"):
        Learn.C(lr=0.1).submit()


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "workspace").touch()
    with pytest.raises(WorkspaceError, match="is not a directory"):
        plan(tmp_path)


def test_identity_is_that_of_the_task(tmp_path: Path) -> None:
    with plan(tmp_path) as xp:
        Learn.C(lr=0.1).submit()
    assert [short(each) for each in xp.jobs] == [short(Learn.C(lr=0.1).identity)]
