"""An experiment's directory: its runs, and the newest of them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xpm_core.errors import InvalidNameError, WorkspaceError
from xpm_core.workspace.workspace import Workspace


def test_every_run_has_a_directory_of_its_own(workspace: Workspace) -> None:
    experiment = workspace.experiment("grid")
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: experiment.new_run(), range(24)))
    assert len({run.path for run in runs}) == 24
    assert sorted(os.listdir(experiment.path)) == ["latest", "runs"]


def test_latest_links_to_the_newest_run(workspace: Workspace) -> None:
    experiment = workspace.experiment("grid")
    for _ in range(3):
        run = experiment.new_run()
        assert experiment.latest.resolve() == run.path
        assert not Path(os.readlink(experiment.latest)).is_absolute()


def test_results_are_made_when_asked_for(workspace: Workspace) -> None:
    run = workspace.experiment("grid").new_run()
    assert os.listdir(run.path) == []
    assert run.results == run.results == run.path / "results"
    assert run.results.is_dir()


def test_a_folder_named_latest_is_one_clear_error(workspace: Workspace) -> None:
    experiment = workspace.experiment("grid")
    (experiment.path / "latest" / "mine").mkdir(parents=True)
    with pytest.raises(WorkspaceError, match=r"latest: cannot be linked: is a directory\. Move"):
        experiment.new_run()
    assert sorted(os.listdir(experiment.path)) == ["latest", "runs"]


def test_an_experiments_name_is_checked(workspace: Workspace) -> None:
    with pytest.raises(InvalidNameError, match=r"experiment '\.\./up'"):
        workspace.experiment("../up")
