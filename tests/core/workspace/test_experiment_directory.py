"""An experiment's directory: its runs, and the newest of them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from xpm_core.errors import InvalidNameError, WorkspaceError
from xpm_core.workspace import experiment_directory
from xpm_core.workspace.experiment_directory import RunRecord, Sampling
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


def test_a_name_that_was_freed_is_not_given_again_in_the_same_second(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2026, 11, 24, 5, 33, 12)

    monkeypatch.setattr(experiment_directory, "datetime", Stopped)
    experiment = workspace.experiment("grid")
    first = experiment.new_run()
    experiment.new_run()
    first.path.rmdir()  # as xpm gc does
    assert experiment.new_run().name == "20261124-053312-3"


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


A, B = "ab" * 32, "cd" * 32


def test_a_run_records_which_jobs_it_names_until_it_ends(workspace: Workspace) -> None:
    run = workspace.experiment("grid").new_run()
    assert run.record is None
    run.name_jobs(())
    assert run.record == RunRecord(frozenset(), False)
    run.name_jobs([A])
    run.name_jobs([B, A])
    assert run.record == RunRecord(frozenset({A, B}), False)
    run.end()
    assert run.record == RunRecord(frozenset({A, B}), True)


def test_a_record_that_cannot_be_written_is_none_for_good(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that lacks jobs would let somebody remove them."""
    run = workspace.experiment("grid").new_run()
    run.name_jobs(())
    run.name_jobs([A])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        run.name_jobs([B])
    assert run.record is None
    run.name_jobs([A])
    run.end()
    assert run.record is None


def test_a_line_that_a_crash_has_cut_names_no_job(workspace: Workspace) -> None:
    run = workspace.experiment("grid").new_run()
    run.name_jobs(())
    run.name_jobs([A])
    with (run.path / "jobs").open("a") as file:
        file.write(B[:20])
    assert run.record == RunRecord(frozenset({A}), False)


def sampling(width: float = 0.1, why: str = "width", n: int = 5, jobs: str = "abcde", metric: str = "a") -> Sampling:
    return Sampling(metric, ("seed",), width, 20, why, n, frozenset(jobs))


def test_how_a_sampling_ended_is_kept_until_another_one_of_the_same_jobs_has_ended(workspace: Workspace) -> None:
    experiment = workspace.experiment("grid")
    assert experiment.samplings() == []
    experiment.new_run()
    other, loss = sampling(jobs="xyz"), sampling(metric="loss")
    for each in (sampling(), other, loss, sampling(), sampling(0.01, "limit", 20, "abcdefg")):
        experiment.keep_sampling(each)
    assert experiment.samplings() == [other, loss, sampling(0.01, "limit", 20, "abcdefg")]
    assert len((experiment.path / "sampled.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "3", "[" * 100_000, "{}", '{"schema": 2}',
        sampling().written().replace('"schema": 1', '"schema": 2'),
        sampling().written().replace('"width", "n"', '"mood", "n"'),
        sampling().written().replace('"n": 5', '"n": true'),
        sampling().written().replace('["seed"]', '"seed"'),
        sampling().written().replace('"a", "b"', '"a", 3'),
        sampling().written()[:-20],
    ],
)  # fmt: skip
def test_a_line_that_is_damaged_or_of_a_later_version_is_passed_over(workspace: Workspace, line: str) -> None:
    experiment = workspace.experiment("grid")
    experiment.new_run()
    (experiment.path / "sampled.jsonl").write_text(f"{line}\n{sampling().written()}\n{line}")
    assert experiment.samplings() == [sampling()]
    experiment.keep_sampling(sampling(jobs="xyz"))
    assert len(experiment.samplings()) == 2
