"""Links from an experiment's directory to its jobs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.workspace.files import link_atomic
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_links import JobLinks, ReadableLinks
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


def test_a_new_link_is_never_seen_by_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorBoard lists the folder while links come. Only a link that replaces another one needs a second name."""
    made: list[str] = []
    symlink = os.symlink
    monkeypatch.setattr(os, "symlink", lambda target, link: (made.append(os.fspath(link)), symlink(target, link)))
    link_atomic(tmp_path / "a", "first")
    assert made == [str(tmp_path / "a")]
    link_atomic(tmp_path / "a", "second")
    assert ([*tmp_path.iterdir()], os.readlink(tmp_path / "a")) == ([tmp_path / "a"], "second")


@pytest.mark.parametrize("tags", ["../../../etc", "a/b", "-rf", ".hidden", "x" * 400, "é" * 400, "new\nline", "\udce9"])
def test_tags_of_any_kind_make_one_safe_name(workspace: Workspace, tags: str) -> None:
    experiment = workspace.experiment("grid")
    link = Path(JobLinks(experiment).add(workspace.job("m:Train", IDENTITY), tags))
    assert link.parent == experiment.path / "jobs" / "train"
    assert link.is_symlink()
    assert link.name[0] not in ".-"


def begun(workspace: Workspace, identity: str) -> JobDirectory:
    """A job that has a directory."""
    job = workspace.job("m:Train", identity)
    job.path.mkdir(parents=True, exist_ok=True)
    return job


def found_in(folder: Path) -> dict[str, str]:
    return {each.name: os.readlink(each)[-64:] for each in folder.iterdir() if each.is_symlink()}


def test_readable_links_are_as_short_as_they_can_be(workspace: Workspace, tmp_path: Path) -> None:
    a, b, c, d = (begun(workspace, f"{digit}{IDENTITY[1:]}") for digit in "abcd")
    waits = workspace.job("m:Train", IDENTITY)
    links = ReadableLinks(tmp_path / "links", workspace.path)
    assert links.update([(a, "lr=0.1"), (b, "lr=1.0"), (c, "lr=1.0"), (d, ""), (waits, "lr=9")]) == 4
    assert found_in(links.folder) == {
        "lr=0.1": a.identity,
        "lr=1.0-bf9ac2e": b.identity,
        "lr=1.0-cf9ac2e": c.identity,
        "train-df9ac2e": d.identity,
    }


def test_readable_links_follow_the_jobs_and_leave_other_files(workspace: Workspace, tmp_path: Path) -> None:
    a, b = (begun(workspace, f"{digit}{IDENTITY[1:]}") for digit in "ab")
    links = ReadableLinks(tmp_path / "links", workspace.path)
    links.update([(a, "lr=1"), (b, "lr=2")])
    (links.folder / "notes.txt").write_text("mine")
    (links.folder / "elsewhere").symlink_to(tmp_path)
    links.update([(b, "lr=1")])
    assert {each.name for each in links.folder.iterdir()} == {"lr=1", "notes.txt", "elsewhere"}
    assert os.readlink(links.folder / "lr=1") == str(b.path)


@given(tags=st.dictionaries(st.text("0123456789abcdef", min_size=64, max_size=64), st.text(max_size=300), max_size=6))
def test_whatever_the_tags_are_each_job_has_one_link_in_the_folder(
    tags: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = Workspace.open(tmp_path_factory.mktemp("w"))
    jobs = [(begun(workspace, identity), text) for identity, text in tags.items()]
    links = ReadableLinks(tmp_path_factory.mktemp("links") / "x", workspace.path)
    assert links.update(jobs) == len(tags)
    assert sorted(found_in(links.folder).values()) == sorted(tags)
    assert {each.name for each in links.folder.parent.iterdir()} == {"x"}
