"""The snapshots of a run: what the first one holds, when there is another one, and what is said."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from helpers.code_projects import TASK, CodeProject, believe_soon, kept_files
from hypothesis import given, settings
from hypothesis import strategies as st

from xpm_core.errors import SettingsError, SnapshotError, WorkspaceError
from xpm_core.snapshot import code_store
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import LargeFile, Link
from xpm_core.snapshot.taking import reading, snapshotter
from xpm_core.snapshot.taking.snapshotter import Snapshotter, Taken


def taken(workspace: Path, *classes: Any) -> Taken:
    found = Snapshotter(workspace).current(classes)
    assert found is not None
    return found


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at again in each call."""
    monkeypatch.setattr(snapshotter, "_IMPORTS_S", 0)
    monkeypatch.setattr(snapshotter, "_WHOLE_S", 0)
    monkeypatch.setattr(snapshotter, "_WHOLE_COSTS", 0)


def test_a_project_without_git_is_kept_whole(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "digits", {"train.py": TASK, "data.csv": "1,2", "lib/util.py": "x = 1"})
    found = taken(workspace, project.load().Learn)
    files = kept_files(workspace, found.snapshot)
    assert files == {"digits/train.py": TASK.encode(), "digits/data.csv": b"1,2", "digits/lib/util.py": b"x = 1"}
    assert (found.files, found.bytes, found.new) == (3, sum(map(len, files.values())), 3)
    assert found.lines == [f"code {found.snapshot[:7]}: 3 files, {found.bytes} B, 3 new"]
    (tree,) = found.trees
    assert (tree.name, tree.roots, tree.git) == ("digits", [str(project.root)], None)


def test_with_git_ignored_files_are_left_out_unless_they_were_imported(tmp_path: Path, workspace: Path) -> None:
    files = {".gitignore": "*.bin\n_version.py\n", "pkg/__init__.py": "from pkg import _version\n" + TASK}
    project = CodeProject(
        tmp_path / "p", {**files, "pkg/_version.py": "v = 1", "x.bin": "0", "note.txt": "new"}
    ).commit()
    project.write({"untracked.txt": "u"})
    found = taken(workspace, project.load("pkg").Learn)
    assert sorted(kept_files(workspace, found.snapshot)) == [
        f"p/{name}" for name in (".gitignore", "note.txt", "pkg/__init__.py", "pkg/_version.py", "untracked.txt")
    ]
    git = found.trees[0].git
    assert git is not None
    assert (git.branch, git.changed, git.is_dirty) == ("main", ["untracked.txt"], True)


def test_what_is_never_kept_does_not_make_a_checkout_dirty(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK}).commit()
    never = ("__pycache__/train.pyc", "ws/.xpm/workspace.json", "ws/jobs/learn/model.bin", "out.log", "mlruns/0/a.yaml")
    project.write(dict.fromkeys(never, "1"))
    found = taken(workspace, project.load("train").Learn)
    git = found.trees[0].git
    assert git is not None
    assert (list(git.changed), git.is_dirty) == ([], False)


def test_a_file_that_changed_makes_another_snapshot_and_one_line(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "util.py": "x = 1", "a.csv": ""})
    learn, snaps = project.load().Learn, Snapshotter(workspace)
    first = snaps.current([learn])
    again = snaps.current([learn])
    assert first is not None
    assert again is not None
    assert (again.snapshot, again.lines) == (first.snapshot, [])
    project.write({"train.py": TASK + "# 2", "util.py": "x = 2"})
    second = snaps.current([learn])
    assert second is not None
    name, before = second.snapshot[:7], first.snapshot[:7]
    said = f"code {name}: 2 files changed since {before} (train.py, util.py); jobs submitted from now on use it"
    assert second.lines == [said]
    assert kept_files(workspace, first.snapshot)["p/util.py"] == b"x = 1"
    assert kept_files(workspace, second.snapshot)["p/util.py"] == b"x = 2"


def test_an_imported_file_is_looked_at_before_the_others(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    monkeypatch.setattr(snapshotter, "_WHOLE_S", 1e6)
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "data.csv": "1"})
    learn, snaps = project.load().Learn, Snapshotter(workspace)
    snaps.current([learn])
    project.write({"data.csv": "2"})
    assert snaps.current([learn]).lines == []  # type: ignore[union-attr]
    project.write({"train.py": TASK.replace("pass", "more")})  # also of the same size
    assert "2 files changed" in snaps.current([learn]).lines[0]  # type: ignore[union-attr]


def test_nothing_is_looked_at_within_the_throttle(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshotter, "_IMPORTS_S", 1e6)
    project = CodeProject(tmp_path / "p", {"train.py": TASK})
    learn, snaps = project.load().Learn, Snapshotter(workspace)
    first = snaps.current([learn])
    shutil.rmtree(project.root)
    again = snaps.current([learn])
    assert first is not None
    assert again == first._replace(lines=[], new=0)


def test_a_touched_file_is_no_change(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)
    project = CodeProject(tmp_path / "p", {"train.py": TASK})
    learn, snaps = project.load().Learn, Snapshotter(workspace)
    snaps.current([learn])
    os.utime(project.root / "train.py")
    assert snaps.current([learn]).lines == []  # type: ignore[union-attr]


def test_a_second_root_joins(tmp_path: Path, workspace: Path) -> None:
    one = CodeProject(tmp_path / "one", {"first.py": TASK})
    two = CodeProject(tmp_path / "two", {"second.py": TASK})
    snaps = Snapshotter(workspace)
    before = snaps.current([one.load("first").Learn])
    both = snaps.current([two.load("second").Learn])
    assert before is not None
    assert both is not None
    assert [tree.name for tree in both.trees] == ["one", "two"]
    name = both.snapshot[:7]
    assert both.lines == [
        f"code {name}: two joined the code since {before.snapshot[:7]}; jobs submitted from now on use it"
    ]


def test_installed_classes_have_no_snapshot(workspace: Path) -> None:
    import click

    assert Snapshotter(workspace).current([click.Command, int, Snapshotter]) is None


def test_a_console_script_elsewhere_is_no_root(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = CodeProject(tmp_path / "p", {"pyproject.toml": "", "src/pkg/tasks.py": TASK, "src/pkg/__init__.py": ""})
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "bin" / "run"), raising=False)
    found = taken(workspace, project.load("pkg.tasks", "src").Learn)
    assert [tree.roots[0] for tree in found.trees] == [str(project.root)]
    assert "p/src/pkg/tasks.py" in kept_files(workspace, found.snapshot)
    assert len(found.lines) == 1


def test_an_editable_sibling_is_named_and_then_kept(tmp_path: Path, workspace: Path) -> None:
    mono = CodeProject(tmp_path / "mono", {"app/train.py": "import lib.util\n" + TASK, "app/pyproject.toml": ""})
    mono.write({"lib/pyproject.toml": "", "lib/lib/__init__.py": "", "lib/lib/util.py": "x = 1"}).commit()
    sys.path.insert(0, str(mono.root / "lib"))
    learn = mono.load("train", "app").Learn
    first, *others = taken(workspace, learn).lines
    assert ": 2 files" in first
    (line,) = others
    assert "jobs use" in line
    assert line.endswith(f'write into {mono.root}/app/pyproject.toml: [tool.xpm.snapshot] also = ["../lib"]')
    mono.write({"app/pyproject.toml": '[tool.xpm.snapshot]\nalso = ["../lib"]'})
    found = taken(workspace, learn)
    assert [tree.name for tree in found.trees] == ["app", "lib"]
    assert kept_files(workspace, found.snapshot)["lib/lib/util.py"] == b"x = 1"
    assert len(found.lines) == 1


def test_secrets_are_left_out_and_said_unless_included(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK, ".env": "KEY=1", "deploy/id_rsa": "k", "a.pem": "c"})
    found = taken(workspace, project.load().Learn)
    assert sorted(kept_files(workspace, found.snapshot)) == ["p/train.py"]
    assert found.lines[1:] == [
        "code: left out, because such names hold secrets: .env, a.pem, deploy/id_rsa. "
        'To keep one: [tool.xpm.snapshot] include = [".env"]'
    ]
    project.write({"pyproject.toml": '[tool.xpm.snapshot]\ninclude = [".env"]'})
    assert "p/.env" in kept_files(workspace, taken(workspace, project.load().Learn).snapshot)


def test_a_large_file_is_linked_and_said(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK + "#" * 1_100_000, "big.bin": b"\0" * 1_100_000})
    found = taken(workspace, project.load().Learn)
    large = [each for each in CodeStore(workspace).manifest(found.snapshot).entries if isinstance(each, LargeFile)]
    assert [(each.path, each.target, each.size) for each in large] == [
        ("big.bin", f"{project.root}/big.bin", 1_100_000)
    ]
    assert found.lines[1:] == ["code: files over 1.0 MB are linked to where they lie: big.bin (1.1 MB)"]
    assert "p/train.py" in kept_files(workspace, found.snapshot)


def test_the_workspace_in_the_project_is_left_out(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "runs/jobs/a.txt": "1"})
    project.write({"other/.xpm/workspace.json": "{}", "other/x.py": "1"}).git("init")
    found = taken(project.root / "runs", project.load().Learn)
    assert sorted(kept_files(project.root / "runs", found.snapshot)) == ["p/train.py"]
    again = taken(project.root / "runs", project.load().Learn)
    assert again.snapshot == found.snapshot


def test_the_project_can_be_the_workspace_itself(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "jobs/a.txt": "1", ".xpm/workspace.json": "{}"})
    found = taken(project.root, project.load().Learn)
    assert sorted(kept_files(project.root, found.snapshot)) == ["p/train.py"]
    assert taken(project.root, project.load().Learn).snapshot == found.snapshot


def test_tracked_files_count_also_where_xpm_writes(tmp_path: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "experiments/sweep.py": "", ".xpm/workspace.json": "{}"})
    project.git("init").git("add", "-f", "experiments").write({"experiments/digits/runs/log": ""})
    found = taken(project.root, project.load().Learn)
    assert sorted(kept_files(project.root, found.snapshot)) == ["p/experiments/sweep.py", "p/train.py"]


def test_an_unchanged_project_is_not_read_by_the_next_script(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    believe_soon(monkeypatch)
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "util.py": "x = 1"})
    first = taken(workspace, project.load().Learn)
    monkeypatch.setattr(reading, "read_stable", None)
    again = taken(workspace, project.load().Learn)
    assert (again.snapshot, again.new) == (first.snapshot, 0)


def test_contents_that_were_lost_are_written_anew(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    believe_soon(monkeypatch)
    at_once(monkeypatch)
    project = CodeProject(tmp_path / "p", {"train.py": TASK})
    learn, snaps = project.load().Learn, Snapshotter(workspace)
    first = snaps.current([learn])
    assert first is not None
    shutil.rmtree(workspace / "code" / "objects")
    assert taken(workspace, learn).new == 1
    shutil.rmtree(workspace / "code")
    snaps.current([learn])
    assert kept_files(workspace, first.snapshot) == {"p/train.py": TASK.encode()}


def test_a_full_disk_leaves_no_snapshot(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = CodeProject(
        tmp_path / "p", {f"m{number}.py": f"x = {number}" for number in range(9)} | {"train.py": TASK}
    )
    learn, left = project.load().Learn, [5]
    put = CodeStore.put_object

    def full(self: CodeStore, data: bytes) -> str:
        left[0] -= 1
        if left[0] < 0:
            raise WorkspaceError(str(workspace), "cannot be written: no space left on device", "Free some space there.")
        return put(self, data)

    monkeypatch.setattr(CodeStore, "put_object", full)
    snaps = Snapshotter(workspace)
    with pytest.raises(WorkspaceError, match="no space left"):
        snaps.current([learn])
    assert not (workspace / "code" / "snapshots").exists()
    left[0] = 100
    found = snaps.current([learn])
    assert found is not None
    assert len(kept_files(workspace, found.snapshot)) == 10


def test_errors_of_settings_are_raised_again_in_the_next_call(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "pyproject.toml": "[tool.xpm.snapshot]\nexclud = []"})
    learn, snaps = project.load().Learn, Snapshotter(workspace)
    for _ in range(2):
        with pytest.raises(SettingsError, match=r"pyproject.toml:2: unknown setting .*exclud'. Did you mean 'exclude'"):
            snaps.current([learn])


def test_what_is_no_file_is_left_out_and_never_opened(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK})
    os.mkfifo(project.root / "pipe")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(os.path.relpath(project.root / "socket"))
        found = taken(workspace, project.load().Learn)
    assert sorted(kept_files(workspace, found.snapshot)) == ["p/train.py"]


def test_the_file_that_the_output_goes_to_is_left_out(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK})
    with (project.root / "out.log").open("w") as log:
        log.write("line\n")
        log.flush()
        found = taken(workspace, project.load().Learn)
    assert sorted(kept_files(workspace, found.snapshot)) == ["p/train.py"]


def test_a_log_that_grows_in_the_project_makes_no_other_snapshot(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "out.log": "1"})
    learn, taker = project.load().Learn, Snapshotter(workspace)
    first = taker.current([learn])
    project.write({"out.log": "12", "slurm-7.log": "1"})
    second = taker.current([learn])
    assert first is not None
    assert second is not None
    assert (second.snapshot, second.lines) == (first.snapshot, [])
    assert first.lines[1].startswith("code: left out, because programs write them: *.log. ")


def test_files_that_change_together_while_they_are_read_are_kept_together(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = CodeProject(tmp_path / "p", {"a.py": "v = 1", "train.py": TASK, "z.py": "v = 1"})
    keep, edits = reading.Keeper.keep, iter([{"a.py": "v = 22", "z.py": "v = 22"}])

    def edited_after(self: Any, path: str, *others: Any) -> Any:
        kept = keep(self, path, *others)
        if path == "a.py":
            project.write(next(edits, {}))
        return kept

    monkeypatch.setattr(reading.Keeper, "keep", edited_after)
    taken = Snapshotter(workspace).current([project.load().Learn])
    assert taken is not None
    files = kept_files(workspace, taken.snapshot)
    assert (files["p/a.py"], files["p/z.py"]) == (b"v = 22", b"v = 22")
    assert taken.new == 3


def test_a_file_that_grows_all_the_time_is_no_error(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = CodeProject(tmp_path / "p", {"a.csv": "1", "train.py": TASK})
    keep = reading.Keeper.keep

    def grown_after(self: Any, path: str, *others: Any) -> Any:
        kept = keep(self, path, *others)
        with (project.root / "a.csv").open("a") as file:
            file.write("1")
        return kept

    monkeypatch.setattr(reading.Keeper, "keep", grown_after)
    taken = Snapshotter(workspace).current([project.load().Learn])
    assert taken is not None
    assert kept_files(workspace, taken.snapshot)["p/a.csv"].startswith(b"1")


def test_names_and_modes_of_every_kind_are_kept(tmp_path: Path, workspace: Path) -> None:
    odd = os.fsdecode(b"odd \xff.txt")
    for kind in ("plain", "git"):
        project = CodeProject(tmp_path / kind, {f"{kind}_t.py": TASK, "two\nlines.txt": "2", "run.sh": "#!"})
        (project.root / odd).write_text("odd")
        (project.root / "run.sh").chmod(0o755)
        (project.root / "own.txt").write_text("mine")
        (project.root / "own.txt").chmod(0o600)
        if kind == "git":
            project.commit()
        found = taken(workspace, project.load(f"{kind}_t").Learn)
        manifest = CodeStore(workspace).manifest(found.snapshot)
        modes = {each.path: each.mode for each in manifest.files}
        assert {"two\nlines.txt", odd, "run.sh", "own.txt"} <= set(modes)
        assert (modes["run.sh"], modes["own.txt"]) == (0o755, 0o600)


def test_scripts_at_once_make_one_snapshot(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(
        tmp_path / "p", {f"m{number}.py": f"x = {number}" for number in range(60)} | {"train.py": TASK}
    )
    program = (
        "import sys; from pathlib import Path; import train\n"
        "from xpm_core.snapshot.taking.snapshotter import Snapshotter\n"
        "sys.stdin.readline(); print(Snapshotter(Path(sys.argv[1])).current([train.Learn]).snapshot)"
    )
    env = {**os.environ, "PYTHONPATH": f"{project.root}:{Path(__file__).parents[4]}"}
    command = [sys.executable, "-c", program, str(workspace)]
    pipe = subprocess.PIPE
    options: dict[str, Any] = {"stdin": pipe, "stdout": pipe, "text": True, "env": env, "cwd": tmp_path}
    running = [subprocess.Popen(command, **options) for _ in range(3)]
    for each in running:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = {each.communicate()[0].strip() for each in running}
    assert len(said) == 1
    assert len(kept_files(workspace, said.pop())) == 61


def test_threads_share_it(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK})
    learn, snaps, found = project.load().Learn, Snapshotter(workspace), []
    threads = [threading.Thread(target=lambda: found.append(snaps.current([learn]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.snapshot for each in found if each is not None}) == 1
    assert sum(bool(each.lines) for each in found if each is not None) == 1


def test_an_unreadable_file_is_an_error_that_names_it(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "closed.txt": "1"})
    real = os.open

    def closed(path: Any, *others: Any, **named: Any) -> int:
        if str(path).endswith("closed.txt"):
            raise PermissionError(13, "Permission denied")
        return real(path, *others, **named)

    monkeypatch.setattr(reading.os, "open", closed)
    with pytest.raises(
        SnapshotError, match=r'closed.txt: cannot be read: permission denied.*exclude = \["closed.txt"\]'
    ):
        taken(workspace, project.load().Learn)


names = st.text(st.sampled_from("ab.é \n-"), min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
trees = st.recursive(st.binary(max_size=20), lambda inner: st.dictionaries(names, inner, max_size=4), max_leaves=12)


def lay(folder: Path, tree: dict[str, Any]) -> dict[str, bytes]:
    """Make a tree of files; returns the content of each."""
    folder.mkdir()
    found = {}
    for name, inner in tree.items():
        if isinstance(inner, bytes):
            (folder / name).write_bytes(inner)
            found[name] = inner
        else:
            found.update({f"{name}/{path}": data for path, data in lay(folder / name, inner).items()})
    return found


@settings(max_examples=40)
@given(tree=st.dictionaries(names, trees, max_size=4), with_git=st.booleans())
def test_whatever_the_tree_what_is_kept_equals_what_was_there(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any], with_git: bool
) -> None:
    from xpm_core.snapshot.taking.taker import Taker

    folder = tmp_path_factory.mktemp("tree")
    there = lay(folder / "root", tree)
    if with_git:
        CodeProject(folder / "root", {}).git("init")
    digests = []
    for copy in ("root", "copy/root"):
        if copy != "root":
            shutil.copytree(folder / "root", folder / copy)
        photo = Taker(folder / "ws").take([str(folder / copy)], [])
        kept = kept_files(folder / "ws", photo.snapshot)
        assert kept == {f"root/{path}": data for path, data in there.items()}
        digests.append(photo.snapshot)
    assert digests[0] == digests[1], "the place of a tree is no part of its snapshot"


def test_links_that_leave_stay_links_and_are_said(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "p", {"train.py": TASK, "data/a.txt": "1"})
    for name, target in (("all", "/"), ("gone", "nowhere"), ("same", "data/a.txt"), ("folder", "data")):
        (project.root / name).symlink_to(target)
    found = taken(workspace, project.load().Learn)
    links = {
        each.path: each.target
        for each in CodeStore(workspace).manifest(found.snapshot).entries
        if isinstance(each, Link)
    }
    assert links == {"all": "/", "gone": f"{project.root}/nowhere"}
    kept = kept_files(workspace, found.snapshot)
    assert kept["p/same"] == kept["p/folder/a.txt"] == kept["p/data/a.txt"] == b"1"
    assert found.lines[1:] == [f"code: links that leave {project.root}, or lead nowhere, stay links: all, gone"]


def test_the_seen_file_is_json_that_names_the_root(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    believe_soon(monkeypatch)
    project = CodeProject(tmp_path / "p", {"train.py": TASK})
    taken(workspace, project.load().Learn)
    (file,) = (workspace / "code" / "seen").iterdir()
    kept = json.loads(file.read_text())
    assert kept["root"] == str(project.root)
    assert stat.S_ISREG(kept["files"]["train.py"][4])


def test_a_damaged_manifest_is_written_anew_by_the_next_script(tmp_path: Path, workspace: Path) -> None:
    project = CodeProject(tmp_path / "digits", {"train.py": TASK})
    cls = project.load("train").Learn
    first = taken(workspace, cls)
    manifest = Path(CodeStore(workspace).document_path("snapshots", first.snapshot))
    manifest.write_bytes(b"")
    assert taken(workspace, cls).snapshot == first.snapshot
    assert CodeStore(workspace).manifest(first.snapshot).digest == first.snapshot


def test_a_script_that_runs_for_days_keeps_anew_what_was_removed_meanwhile(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `xpm gc` does with what nobody names, and nobody has used for a day."""
    at_once(monkeypatch)
    project = CodeProject(tmp_path / "digits", {"train.py": TASK, "lib.py": "VALUE = 1"})
    script = Snapshotter(workspace)
    cls = project.load("train").Learn
    assert script.current([cls]) is not None
    first = CodeStore(workspace).put_object(b"VALUE = 1")
    project.write({"lib.py": "VALUE = 22"})
    assert script.current([cls]) is not None
    os.unlink(CodeStore(workspace).object_path(first))
    monkeypatch.setattr(reading, "clock_s", lambda: code_store.clock_s() + 86400)
    project.write({"lib.py": "VALUE = 1"})
    again = script.current([cls])
    assert again is not None
    for file in CodeStore(workspace).manifest(again.snapshot).files:
        CodeStore(workspace).object(file.digest)
