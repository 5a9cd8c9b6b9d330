"""Past runs of an experiment, from the files of the workspace: which there are, and which tasks they have."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.kept_runs import KeptRuns

from xpm_core.errors import UnknownExperimentError, UnknownRunError, WorkspaceError
from xpm_core.reading.look import View, look
from xpm_core.states import State

NOWHERE = "redis://localhost:1/0"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> KeptRuns:
    """Three runs of one experiment. The first one has two tasks."""
    found = KeptRuns(tmp_path_factory.mktemp("runs"))
    found.run("[Train.C(lr=tag(lr), model=Model.C(layers=4), note='a') for lr in (0.5, 0.1)]")
    found.run("[Train.C(lr=tag(0.1), model=Model.C(layers=4))]")
    found.run("[Train.C(lr=tag(0.7), model=Model.C())]")
    return found


@pytest.fixture
def view(runs: KeptRuns) -> Iterator[View]:
    """The workspace without a server."""
    with look(runs.workspace.path, redis=NOWHERE) as view:
        yield view


def test_tasks_of_a_run_come_in_order_with_tags_states_and_directories(runs: KeptRuns, view: View) -> None:
    first = view.experiment("digits").runs()[-1]
    tasks = first.tasks()
    assert [(each.title, each.state, each.name) for each in tasks] == [
        ("Train lr=0.5", State.DONE, "Train"),
        ("Train lr=0.1", State.DONE, "Train"),
    ]
    assert [each.tags for each in tasks] == [{"lr": 0.5}, {"lr": 0.1}]
    assert [each.jobpath for each in tasks] == [
        runs.workspace.path / "jobs" / "study.train" / each.identity for each in tasks
    ]
    assert (tasks[0].jobpath / "result.json").exists()
    assert (first.ended, first.experiment, first.results.parent, first.log.name) == (
        True,
        "digits",
        first.path,
        "run.log",
    )
    assert {len(each.snapshot) for each in tasks} == {64}
    assert not any(each.imported for each in tasks)


def test_runs_are_found_by_time_beginning_and_as_the_latest(view: View) -> None:
    digits = view.experiment("digits")
    names = [run.name for run in digits.runs()]
    assert len(names) == 3
    assert [digits.run(name).name for name in names] == names
    assert digits.run().name == digits.run("latest").name == names[0]
    assert digits.run("latest").tasks()[0].tags == {"lr": 0.7}
    assert abs(digits.run().started_s - view.now_s) < 3600


def test_latest_is_the_newest_run_if_the_link_is_gone(runs: KeptRuns, view: View) -> None:
    digits = view.experiment("digits")
    newest = digits.run("latest").name
    link = digits.path / "latest"
    target = link.readlink()
    link.unlink()
    try:
        assert digits.run("latest").name == newest
    finally:
        link.symlink_to(target)


def test_runs_of_one_second_are_ordered_by_their_numbers(tmp_path: Path, runs: KeptRuns) -> None:
    place = tmp_path / "workspace"
    shutil.copytree(runs.workspace.path, place, symlinks=True)
    folder = place / "experiments" / "digits" / "runs"
    for name in ("20200101-000000", "20200101-000000-2", "20200101-000000-10", "notes"):
        (folder / name).mkdir()
    with look(place, redis=NOWHERE) as view:
        digits = view.experiment("digits")
        assert [run.name for run in digits.runs()[-3:]] == [
            "20200101-000000-10",
            "20200101-000000-2",
            "20200101-000000",
        ]
        assert digits.run("20200101-000000").name == "20200101-000000"
        with pytest.raises(UnknownRunError, match="it names several: 20200101-000000-10, 2020"):
            digits.run("2020")
        with pytest.raises(WorkspaceError, match="which jobs the run has submitted is not known"):
            digits.run("20200101-000000-2").tasks()


def test_unknown_names_are_errors_that_list_the_known_ones(view: View) -> None:
    with pytest.raises(UnknownExperimentError, match="there is digits"):
        view.experiment("digit")
    with pytest.raises(UnknownRunError, match=r"there is none of that name\. There are 20"):
        view.experiment("digits").run("1999")
    with pytest.raises(UnknownRunError):
        view.experiment("digits").run("")


def test_jobs_that_the_index_lacks_are_found_by_their_directories(tmp_path: Path, runs: KeptRuns) -> None:
    place = tmp_path / "workspace"
    shutil.copytree(runs.workspace.path, place, symlinks=True)
    shutil.rmtree(place / "experiments" / "digits" / "index")
    with look(place, redis=NOWHERE) as view:
        tasks = view.experiment("digits").runs()[-1].tasks()
        assert [(each.title, each.state) for each in tasks] == [
            ("Train lr=0.5", State.DONE),
            ("Train lr=0.1", State.DONE),
        ]
        assert [each.config.lr for each in tasks] == [0.5, 0.1]
    shutil.rmtree(place / "jobs")
    with look(place, redis=NOWHERE) as view:
        [task] = view.experiment("digits").run().tasks()
        assert (task.title, task.state, task.config, task.read_by) == ("job", None, None, "")
        assert "does not say what it runs" in task.problem


def test_notebooks_show_experiment_run_tasks_and_task(view: View) -> None:
    digits = view.experiment("digits")
    tasks = digits.runs()[-1].tasks()
    assert "3 runs" in digits._repr_html_()
    assert "2 jobs" in digits.runs()[-1]._repr_html_()
    assert "Train lr=0.5" in tasks._repr_html_()
    shown = tasks[0]._repr_html_()
    assert all(each in shown for each in (tasks[0].identity, "lr=0.5", "snapshot", str(tasks[0].jobpath)))
    assert repr(tasks[0]) == f"<Train lr=0.5 {tasks[0].identity[:7]} done>"
    assert (repr(digits), repr(digits.runs()[-1])[:5]) == ("<experiment digits, 3 runs>", "<run ")
    assert "no tasks" in type(tasks)()._repr_html_()
