"""Which files a root has: with git of every kind, without, and when git is missing, refuses or is slow."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.code_projects import CodeProject

from xpm_core.snapshot.taking.files import listing, walk
from xpm_core.snapshot.taking.files.git import GitSlowError, files_of
from xpm_core.snapshot.taking.files.listing import Listing, files_in
from xpm_core.snapshot.taking.files.names import output_kind

FILES: dict[str, str | bytes] = {"a.py": "", "b/c.txt": "", "ignored.bin": "", ".gitignore": "*.bin\n"}
LISTED = [".gitignore", "a.py", "b/c.txt"]


def listed(root: Path, workspace: str = "", skip: Callable[[str], bool] = lambda _: False) -> Listing:
    found = files_in(str(root), workspace, skip)
    assert len(found.paths) == len(set(found.paths))
    found.paths = sorted(path for path in found.paths if os.path.lexists(root / path))
    return found


def test_git_lists_what_is_tracked_or_not_ignored(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", FILES).commit().write({"new.txt": "", "new.bin": ""})
    (project.root / "a.py").unlink()
    assert listed(project.root).paths == [".gitignore", "b/c.txt", "new.txt"]
    assert listed(project.root / "b").paths == ["c.txt"]


def test_a_worktree_a_detached_head_and_a_bare_start_are_alike(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", FILES).git("init")
    assert listed(project.root).paths == LISTED
    project.commit().git("worktree", "add", "../tree", "-b", "other")
    assert listed(tmp_path / "tree").paths == LISTED
    project.git("checkout", "--detach")
    assert listed(project.root).paths == LISTED


def test_submodules_and_repositories_inside_are_listed_by_their_files(tmp_path: Path) -> None:
    library = CodeProject(tmp_path / "library", {"lib.py": "", ".gitignore": "*.o"}).commit()
    project = CodeProject(tmp_path / "p", {"a.py": ""}).git("init")
    project.git("submodule", "add", str(library.root), "sub").commit()
    project.write({"sub/new.py": "", "sub/x.o": ""})
    CodeProject(project.root / "nested", {"n.py": ""}).git("init")
    CodeProject(project.root / "nested" / "deeper", {"d.py": ""}).commit()
    (project.root / "away").symlink_to(library.root)
    names = [
        ".gitmodules",
        "a.py",
        "away",
        "nested/deeper/d.py",
        "nested/n.py",
        "sub/.gitignore",
        "sub/lib.py",
        "sub/new.py",
    ]
    assert listed(project.root).paths == names
    project.git("submodule", "deinit", "-f", "sub")
    assert "sub/lib.py" not in listed(project.root).paths


def test_conflicts_and_sparse_checkouts_are_no_trouble(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"a.py": "1", "deep/b.py": "1"}).commit()
    project.git("checkout", "-b", "other").write({"a.py": "2"}).commit()
    project.git("checkout", "main").write({"a.py": "3"}).commit()
    with pytest.raises(Exception, match="merge"):
        project.git("merge", "other")
    assert listed(project.root).paths == ["a.py", "deep/b.py"]
    project.git("checkout", "-f", "main").git("sparse-checkout", "set", "--no-cone", "/a.py")
    assert listed(project.root).paths == ["a.py"]


def test_environments_workspaces_and_caches_are_left_out_also_if_git_lists_them(tmp_path: Path) -> None:
    inside: dict[str, str | bytes] = {
        "a.py": "", "env/pyvenv.cfg": "", "env/lib/x.py": "", "conda/conda-meta/history": "", "conda/x.py": "",
        "ws/.xpm/workspace.json": "{}", "ws/jobs/x": "", "deep/ws2/.xpm/workspace.json": "", "deep/ws2/y": "",
        "__pycache__/a.pyc": "", "deep/node_modules/m.js": "", "mine/x": "", "we[i]rd/pyvenv.cfg": "", "weird/b.py": "",
    }  # fmt: skip
    project = CodeProject(tmp_path / "p", inside)
    plain = listed(project.root, str(project.root / "mine")).paths
    assert plain == ["a.py", "weird/b.py"]
    project.git("init")
    assert listed(project.root, str(project.root / "mine")).paths == plain
    project.git("add", "-f", ".")
    assert listed(project.root, str(project.root / "mine")).paths == [
        "__pycache__/a.pyc", "a.py", "deep/node_modules/m.js", "weird/b.py"
    ]  # fmt: skip


def test_git_does_not_look_into_a_workspace_deep_in_the_project(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"a.py": "", "runs/my [ws]/jobs/x": "", "runs/b.txt": ""}).git("init")
    rules = walk.FolderRules(str(project.root), str(project.root / "runs" / "my [ws]"))
    found = files_of(str(project.root), 60, rules.foreign_folders(""))
    assert found.untracked == ["a.py", "runs/b.txt"]


def test_variables_that_name_another_repository_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = CodeProject(tmp_path / "p", FILES).commit()
    other = CodeProject(tmp_path / "other", {"x.py": ""}).commit()
    for name, value in (("GIT_DIR", ".git"), ("GIT_WORK_TREE", "."), ("GIT_INDEX_FILE", ".git/index")):
        monkeypatch.setenv(name, str(other.root / value))
    assert listed(project.root).paths == LISTED


def test_no_program_of_the_repository_is_started(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", FILES).commit()
    (project.root / "spy").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (project.root / "spy").chmod(0o755)
    project.git("config", "core.fsmonitor", str(project.root / "spy"))
    assert "a.py" in listed(project.root).paths
    assert not (tmp_path / "started").exists()


def test_without_git_and_when_git_refuses_all_files_are_walked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = CodeProject(tmp_path / "p", FILES)
    everything = sorted([*LISTED, "ignored.bin"])
    assert (listed(project.root).paths, listed(project.root).refused) == (everything, "")
    project.commit()
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = listed(project.root)
    assert (missing.paths, missing.refused) == (everything, "git cannot be started: no such file or directory")
    monkeypatch.undo()
    (project.root / ".git" / "HEAD").write_text("nonsense")
    broken = listed(project.root)
    assert broken.paths == everything
    assert "not a git repository" in broken.refused


def test_a_folder_of_somebody_else_is_refused_by_git_and_walked(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", FILES).commit()
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(project.root, 12345, 12345)
    os.chown(project.root / ".git", 12345, 12345)
    found = listed(project.root)
    assert "dubious ownership" in found.refused
    assert "ignored.bin" in found.paths


def test_when_git_is_slow_what_it_tracks_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = CodeProject(tmp_path / "p", FILES).commit().write({"new.py": ""})

    def slow(*_: object) -> None:
        raise GitSlowError("git did not answer within 4 s")

    monkeypatch.setattr(listing, "files_of", slow)
    found = listed(project.root)
    assert (found.paths, found.whole, found.refused) == (LISTED, False, "git did not answer within 4 s")


def test_a_program_that_does_not_answer_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = CodeProject(tmp_path / "p", FILES).commit()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("#!/bin/sh\nexec sleep 1000\n")
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(listing, "SECONDS", 0.1)
    found = listed(project.root)
    assert (found.whole, found.refused, found.paths) == (False, "git did not answer within 0.1 s", [])


def test_a_walk_ends_at_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = CodeProject(tmp_path / "p", {f"d{number}/a.py": "" for number in range(20)})
    assert listed(project.root).whole
    monkeypatch.setattr(walk, "MOST", 10)
    found = listed(project.root)
    assert not found.whole
    assert len(found.paths) < 20


def test_what_the_settings_exclude_is_not_listed(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"a.py": "", "data/x": "", "data/deep/y": ""})
    plain = listed(project.root, skip=lambda path: path.split("/")[0] == "data").paths
    project.commit()
    assert listed(project.root, skip=lambda path: path.split("/")[0] == "data").paths == plain == ["a.py"]


def test_closed_folders_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = CodeProject(tmp_path / "p", {"a.py": "", "closed/x": ""})
    real = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(walk.os, "scandir", closed)
    found = listed(project.root)
    assert (found.paths, found.closed) == (["a.py"], ["closed"])


OUTPUTS: dict[str, str | bytes] = {
    "a.py": "", "out.log": "", "out.log.1": "", "sub/nohup.out": "", "slurm-12.out": "", "slurm-12.err": "",
    "runs/events.out.tfevents.17.node": "", "mlruns/0/meta.yaml": "", "lightning_logs/v/hparams.yaml": "",
    "outputs/.hydra/config.yaml": "", "wandb/run-1/files/c.yaml": "", "wandb/latest-run": "", "log.py": "",
    "log/kept.csv": "", "mlruns.csv": "", "wandb/settings": "", "dialog": "",
}  # fmt: skip
NO_OUTPUTS = ["a.py", "dialog", "log.py", "log/kept.csv", "mlruns.csv", "wandb/settings"]
KINDS = {"*.log", "*.out", "*.err", "events.out.tfevents*", "mlruns", "lightning_logs", ".hydra", "wandb"}


def kinds(root: Path) -> set[str]:
    return set(map(output_kind, listed(root).outputs))


def test_what_programs_write_while_jobs_run_is_left_out_unless_git_tracks_it(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", OUTPUTS)
    assert (listed(project.root).paths, kinds(project.root)) == (NO_OUTPUTS, KINDS)
    project.git("init")
    assert (listed(project.root).paths, kinds(project.root)) == (NO_OUTPUTS, KINDS)
    project.commit()
    assert (listed(project.root).paths, kinds(project.root)) == (sorted(OUTPUTS), set())


@pytest.mark.parametrize("in_git", [False, True])
def test_copies_of_code_for_jobs_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_git: bool) -> None:
    project = CodeProject(tmp_path, {"a.py": "", "xpm-7/code/d/p/a.py": "", "host/code/d/p/a.py": "", "host/b.py": ""})
    if in_git:
        project.git("init")
    monkeypatch.setattr(walk, "MACHINE_FOLDER", str(tmp_path / "xpm-7"))
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))
    assert listed(tmp_path).paths == ["a.py", "host/b.py"]
