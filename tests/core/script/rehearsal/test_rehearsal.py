"""A dry run of a script, without any server: what it gets for what only a run has. It makes no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from yaml_tasks import Learn

from xpm_core import experiment, tag
from xpm_core.config import experiments
from xpm_core.errors import (
    ConfigurationError,
    DryRunError,
    ExperimentError,
    TokenRequestError,
    UnsubmittedTaskError,
    WorkspaceError,
)
from xpm_core.script.rehearsal.planned_job import Fate
from xpm_core.states import State
from xpm_core.workspace.job_directory import JobDirectory


def dry(folder: Path) -> experiment:
    return experiment(folder / "workspace", "digits", dry_run=True)


def end(job: JobDirectory, kind: str = "done") -> None:
    """Leave what a job leaves that has ended."""
    number = job.prepare(0)
    job.write_record(number, "e1", {"outcome": kind})
    job.write_marker(kind, "e1")  # type: ignore[arg-type]


def test_it_collects_tasks_with_tags_and_makes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with dry(tmp_path) as xp:
        first = Learn.C(lr=tag(0.1)).submit()
        assert Learn.C(lr=0.1).submit().identity == first.identity
        Learn.C(lr=tag(0.2)).submit(queue="gpu")
        gpu = xp.connector.createtoken("gpu", 2)
        gpu(2, Learn.C(lr=0.3)).add_dependencies(first).submit()
        xp.setenv("A", "b")
        xp.connector.limitpasses(3)
        assert first.jobpath == tmp_path / "workspace" / "jobs" / "yaml_tasks.learn" / first.identity
        assert first.stdout.name == "learn.out"
        first.on_completed(lambda: pytest.fail("nothing is completed"))
        assert (first.state, first.wait(), bool(xp.wait()), str(xp.wait())) == (
            State.WAITING, True, True, "0 done   3 would run"
        )  # fmt: skip
        plan = xp.plan()
    assert [(job.name, job.tags, job.queue, job.demand) for job in plan.jobs] == [
        ("Learn", {"lr": 0.1}, "default", {}), ("Learn", {"lr": 0.2}, "gpu", {}), ("Learn", {}, "default", {"gpu": 2})
    ]  # fmt: skip
    assert plan.jobs[2].needs == (first.identity,)
    assert os.listdir(tmp_path) == []
    printed = capsys.readouterr()
    assert (printed.out, printed.err.splitlines()[0]) == ("", "digits: 3 jobs: 3 new")
    assert "1 job cannot run now: no living worker serves queue gpu. Do: xpm-worker" in printed.err
    assert printed.err.endswith("This was a dry run: nothing was submitted.\n")
    assert not experiments


def test_the_environment_asks_for_it_and_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_DRY_RUN", "1")
    with experiment(tmp_path / "workspace", "digits", dry_run=False) as xp:
        Learn.C(lr=0.1).submit()
    assert xp.dry_run
    assert os.listdir(tmp_path) == []
    monkeypatch.setenv("XPM_DRY_RUN", "0")
    assert not experiment(tmp_path, "digits").dry_run


def test_without_a_server_the_files_answer(tmp_path: Path) -> None:
    with dry(tmp_path) as xp:
        tasks = [Learn.C(lr=lr).submit() for lr in (0.1, 0.2, 0.3)]
    end(xp.plan().jobs[0].directory)
    end(xp.plan().jobs[1].directory, "failed")
    before = sorted(tmp_path.rglob("*"))
    with dry(tmp_path) as xp:
        tasks = [Learn.C(lr=lr).submit() for lr in (0.1, 0.2, 0.3)]
        assert [task.state for task in tasks] == [State.DONE, State.WAITING, State.WAITING]
        assert xp.wait().reused == 1
        plan = xp.plan()
    assert [job.fate for job in plan.jobs] == [Fate.REUSED, Fate.RETRIED, Fate.NEW]
    assert not plan.asked
    assert next(plan.lines()) == "digits: 3 jobs: 1 reused, 1 retried, 1 new"
    assert plan.forecast is not None
    assert (plan.forecast.left_s, dict(plan.forecast.unknown)) == (None, {"Learn": 2}), "none was ever timed"
    assert sorted(tmp_path.rglob("*")) == before


def test_code_that_reads_results_gets_an_error_that_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def script() -> None:
        with dry(tmp_path) as xp:
            learn = Learn.C(lr=0.1).submit()
            xp.wait()
            (learn.jobpath / "loss.json").read_text()

    with pytest.raises(DryRunError, match=r"Learn/\w{7}: this is a dry run, so it has not run, and loss.json is not"):
        script()
    assert "digits: 1 job: 1 new" in capsys.readouterr().err, "the plan up to there is printed"
    with pytest.raises(FileNotFoundError), dry(tmp_path):
        (tmp_path / "config.json").read_text()  # the user's own file
    with dry(tmp_path) as xp:
        for ask in (lambda: xp.resultspath, lambda: xp.events(), lambda: xp.connector.client):
            with pytest.raises(DryRunError, match=r"test_rehearsal.py:\d+: the script asks for xp"):
                ask()


def test_a_token_of_machines_is_known_as_such(tmp_path: Path) -> None:
    with experiment(tmp_path / "workspace", "digits", workers=3, dry_run=True) as xp:
        assert xp.rehearsal is not None
        gpu, licence = xp.connector.createtoken("gpu", 2, scope="host"), xp.connector.createtoken("licence", 5)
        for number in range(4):
            licence(1, gpu(1, Learn.C(lr=0.1 * number))).submit()
        assert xp.rehearsal.connector.per_machine == {"gpu": 2}
        assert [(each.token, each.at_once) for each in xp.plan().limits] == [("gpu", 2)]


def test_tasks_that_come_after_waiting_for_results_are_told(tmp_path: Path) -> None:
    with dry(tmp_path) as xp:
        first = Learn.C(lr=0.1).submit()
        assert xp.plan().notes == ()
        first.wait()
        assert xp.plan().notes == (), "nothing has come after it"
        Learn.C(lr=0.1).submit()
        assert xp.plan().notes == (), "it is the same job"
        Learn.C(lr=0.2).submit()
        (note,) = xp.plan().notes
    assert note == "note    1 job came after the script had waited for results that are not there: a run may differ"
    end(xp.plan().jobs[0].directory)
    with dry(tmp_path) as xp:
        Learn.C(lr=0.1).submit().wait()
        Learn.C(lr=0.2).submit()
        assert xp.plan().notes == (), "its result is there"


def test_it_refuses_what_an_experiment_refuses(tmp_path: Path) -> None:
    with dry(tmp_path) as xp:
        for wrong in (
            lambda: Learn.C().submit(),
            lambda: Learn.C(lr=0.1).submit(launcher="slurm"),
            lambda: xp.setenv("A", 3),  # type: ignore[arg-type]
            lambda: xp.connector.createtoken("gpu", 0),
            lambda: Learn.C(lr=0.1).add_dependencies(Learn.C(lr=0.2)).submit(),
        ):
            with pytest.raises((ConfigurationError, ExperimentError, TokenRequestError, UnsubmittedTaskError)):
                wrong()
        assert xp.plan().jobs == ()
        with pytest.raises(ExperimentError, match="experiment 'digits' is open"), dry(tmp_path):
            pass
    with pytest.raises(ExperimentError, match="outside of any experiment"):
        Learn.C(lr=0.1).submit()
    with pytest.raises(ExperimentError, match="expected True or False"):
        experiment(tmp_path, "digits", dry_run="yes")  # type: ignore[arg-type]
    with pytest.raises(ExperimentError, match=r"only a dry run has a plan.*Pass dry_run=True"):
        experiment(tmp_path, "digits").plan()


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "workspace").touch()
    with pytest.raises(WorkspaceError, match="is not a directory"), dry(tmp_path):
        pass
    assert not experiments
