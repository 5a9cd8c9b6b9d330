"""Links from an experiment's directory to its jobs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_core.workspace.job_links import JobLinks
from xpm_core.workspace.workspace import Workspace

IDENTITY = "3f9ac2e1" * 8


def test_a_job_is_found_by_its_task_and_tags(workspace: Workspace) -> None:
    job = workspace.job("sweep:Train", IDENTITY)
    link = Path(JobLinks(workspace.experiment("grid")).add(job, "epochs=3_lr=0.1"))
    assert link == workspace.path / "experiments/grid/jobs/train/epochs=3_lr=0.1-3f9ac2e"
    job.prepare(1)
    assert link.resolve() == job.path
    assert Path(JobLinks(workspace.experiment("grid")).add(job, "epochs=3_lr=0.1")) == link
    assert Path(JobLinks(workspace.experiment("grid")).add(job)).name == "3f9ac2e"


def test_links_work_after_a_move(workspace: Workspace) -> None:
    job = workspace.job("sweep:Train", IDENTITY)
    job.prepare(1)
    experiment = workspace.experiment("grid")
    link = Path(JobLinks(experiment).add(job, "a=1"))
    experiment.new_run()
    moved = workspace.path.rename(workspace.path.parent / "moved")
    assert (moved / link.relative_to(workspace.path)).resolve() == moved / job.relative
    assert (moved / "experiments/grid/latest").is_dir()


def test_two_jobs_with_the_same_tags_and_first_digits_have_a_link_each(workspace: Workspace) -> None:
    experiment = workspace.experiment("grid")
    identities = [IDENTITY, IDENTITY[:10] + "0" * 54, IDENTITY[:16] + "0" * 48]
    links = [Path(JobLinks(experiment).add(workspace.job("m:Train", identity), "a=1")) for identity in identities]
    assert [os.readlink(link)[-64:] for link in links] == identities


def test_links_that_a_folder_had_are_believed_only_if_they_lead_there(workspace: Workspace) -> None:
    experiment = workspace.experiment("grid")
    job, twin = (workspace.job("m:Train", identity) for identity in (IDENTITY, IDENTITY[:10] + "0" * 54))
    first = Path(JobLinks(experiment).add(twin))
    links = JobLinks(experiment)
    assert [os.readlink(links.add(each))[-64:] for each in (job, twin, job)] == [
        job.identity, twin.identity, job.identity
    ]  # fmt: skip
    first.unlink()
    assert links.add(twin) == str(first)
    assert os.readlink(first).endswith(twin.identity)


@pytest.mark.parametrize("tags", ["../../../etc", "a/b", "-rf", ".hidden", "x" * 400, "é" * 400, "new\nline", "\udce9"])
def test_tags_of_any_kind_make_one_safe_name(workspace: Workspace, tags: str) -> None:
    experiment = workspace.experiment("grid")
    link = Path(JobLinks(experiment).add(workspace.job("m:Train", IDENTITY), tags))
    assert link.parent == experiment.path / "jobs" / "train"
    assert link.is_symlink()
    assert link.name[0] not in ".-"
