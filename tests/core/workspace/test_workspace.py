"""Workspaces: opening them, where a job's directory lies, and which paths are refused."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xpm_core.errors import WorkspaceError, WorkspacePathError
from xpm_core.workspace.workspace import Workspace, task_folder

IDENTITY = "3f9ac2e1" * 8
NOBODY = 65534


def test_open_makes_a_workspace_and_keeps_its_id(tmp_path: Path) -> None:
    made = Workspace.open(tmp_path / "deep" / "workspace")
    assert len(made.id) == 12
    assert Workspace.open(tmp_path / "deep" / "workspace") == made


def test_id_stays_when_the_workspace_is_moved(tmp_path: Path) -> None:
    made = Workspace.open(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = Workspace.open(tmp_path / "there", create=False)
    assert moved.id == made.id
    assert moved.path == tmp_path / "there"


def test_path_is_absolute_with_links_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Workspace.open(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert Workspace.open("link") == made
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Workspace.open("~/real") == made


@pytest.mark.parametrize("name", ["with space", "ünïcode-工作", "new\nline", "-dash", "a'\"$b", "x" * 200])
def test_any_path_serves(tmp_path: Path, name: str) -> None:
    made = Workspace.open(tmp_path / name)
    job = made.job("mod:Train", IDENTITY)
    job.prepare(1)
    assert Workspace.open(tmp_path / name).job_at(job.relative).path.is_dir()


def test_one_id_is_drawn_when_many_open_at_once(tmp_path: Path) -> None:
    for attempt in range(20):
        with ThreadPoolExecutor(8) as pool:
            opened = list(pool.map(Workspace.open, [tmp_path / str(attempt)] * 8))
        assert len(set(opened)) == 1
        assert os.listdir(tmp_path / str(attempt) / ".xpm") == ["workspace.json"]


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match=r"file: is not a directory\. Name"):
        Workspace.open(tmp_path / "file")
    with pytest.raises(WorkspaceError, match="not a directory"):
        Workspace.open(tmp_path / "file" / "below")


def test_a_file_in_place_of_the_inner_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / ".xpm").touch()
    with pytest.raises(WorkspaceError, match=r"\.xpm.*not a directory"):
        Workspace.open(tmp_path)


def test_a_missing_workspace_is_not_made_when_only_looked_at(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="there is no such directory"):
        Workspace.open(tmp_path / "absent", create=False)
    with pytest.raises(WorkspaceError, match="is not a workspace"):
        Workspace.open(tmp_path, create=False)
    assert os.listdir(tmp_path) == []


def test_a_name_that_is_too_long_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"file name too long.*Use a shorter path"):
        Workspace.open(tmp_path / ("x" * 300))


def test_a_link_that_goes_in_circles_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(WorkspaceError):
        Workspace.open(tmp_path / "loop")


def test_a_later_layout_is_refused(workspace: Workspace) -> None:
    (workspace.path / ".xpm" / "workspace.json").write_text(json.dumps({"schema": 2, "id": {"new": "form"}}))
    with pytest.raises(WorkspaceError, match=r"later xpm \(layout 2, this one knows 1\)\. Upgrade"):
        Workspace.open(workspace.path)


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"schema": 1}', '{"schema": 1, "id": "../up"}', "\xff"])
def test_a_damaged_id_is_one_clear_error(workspace: Workspace, content: str) -> None:
    (workspace.path / ".xpm" / "workspace.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(WorkspaceError, match=r"workspace\.json: is damaged"):
        Workspace.open(workspace.path)


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """A folder that everybody can read, outside of pytest's own, which only its user can."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextlib.contextmanager
def without_rights() -> Iterator[None]:
    """Be a user whom permissions hold back, also when the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_workspace_that_is_not_writable_is_one_clear_error(others_folder: Path) -> None:
    made = Workspace.open(others_folder / "made")
    made.path.chmod(0o555)
    with without_rights():
        with pytest.raises(WorkspaceError, match=r"is not writable\. Make it writable for you"):
            Workspace.open(made.path)
        assert Workspace.open(made.path, create=False, writable=False) == made
    made.path.chmod(0o755)


def test_a_parent_that_is_not_writable_is_one_clear_error(others_folder: Path) -> None:
    others_folder.chmod(0o555)
    with without_rights(), pytest.raises(WorkspaceError, match="cannot be used as a workspace: permission denied"):
        Workspace.open(others_folder / "deep" / "new")
    others_folder.chmod(0o755)


def test_a_workspace_that_cannot_be_looked_into_is_one_clear_error(others_folder: Path) -> None:
    made = Workspace.open(others_folder / "closed" / "workspace")
    made.path.parent.chmod(0)
    with without_rights(), pytest.raises(WorkspaceError, match="permission denied"):
        Workspace.open(made.path, create=False)
    made.path.parent.chmod(0o755)


def test_a_job_lies_in_its_tasks_folder(workspace: Workspace) -> None:
    job = workspace.job("pkg.sweep:Outer.Train", IDENTITY)
    assert job.relative == f"jobs/pkg.sweep.outer.train/{IDENTITY}"
    assert job.path == workspace.path / job.relative
    assert (job.name, job.out.name, job.err.name) == ("train", "train.out", "train.err")
    assert job.identity == IDENTITY
    assert not job.path.exists()


@pytest.mark.parametrize(
    ("task_id", "folder"),
    [
        ("Train", "train"),
        ("../../etc:passwd", "__.._etc.passwd"),
        ("..", "_"),
        ("", "_"),
        ("m:Épreuve", "m._preuve"),
        ("a b/c\\d\n:E", "a_b_c_d_.e"),
        ("my-task.v2", "my-task.v2"),
    ],
)
def test_a_tasks_folder_is_one_safe_name(workspace: Workspace, task_id: str, folder: str) -> None:
    assert task_folder(task_id) == folder
    job = workspace.job(task_id, IDENTITY)
    assert workspace.job_at(job.relative).path == job.path
    assert job.name


def test_a_very_long_task_id_is_cut_but_not_mixed_up(workspace: Workspace) -> None:
    ids = ["pkg." * 100 + "a:Train", "pkg." * 100 + "b:Train"]
    jobs = [workspace.job(task_id, IDENTITY) for task_id in ids]
    assert jobs[0].path != jobs[1].path
    for job in jobs:
        job.prepare(1)
        assert job.name == "train"
        assert workspace.job_at(job.relative).path == job.path


@pytest.mark.parametrize(
    "relative",
    [
        f"/jobs/train/{IDENTITY}",
        f"jobs/../{IDENTITY}",
        f"jobs/./{IDENTITY}",
        f"jobs/.hidden/{IDENTITY}",
        f"jobs/train/../train/{IDENTITY}",
        f"jobs/train/{IDENTITY}/",
        f"jobs/train/{IDENTITY}\n",
        f"jobs/Train/{IDENTITY}",
        f"old/train/{IDENTITY}",
        "jobs/train/..",
        "jobs/train",
        "",
        f"jobs/tr\0ain/{IDENTITY}",
    ],
)
def test_a_path_that_xpm_does_not_write_is_not_followed(workspace: Workspace, relative: str) -> None:
    with pytest.raises(WorkspacePathError):
        workspace.job_at(relative)


@pytest.mark.parametrize(
    "identity", ["", "3f9a", IDENTITY.upper(), IDENTITY + "0", "../" + IDENTITY[3:], IDENTITY + "\n"]
)
def test_an_identity_of_another_form_is_refused(workspace: Workspace, identity: str) -> None:
    with pytest.raises(WorkspacePathError, match="64 lower-case hexadecimal digits"):
        workspace.job("m:Train", identity)


def test_job_processes_load_nothing_heavy() -> None:
    source = (
        "import sys, xpm_core.workspace.workspace; "
        "print([m for m in ('redis', 'rq', 'click', 'rich', 'psutil', 'subprocess', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
