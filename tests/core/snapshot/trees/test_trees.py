"""Trees: a snapshot is copied once a machine, checked before each use, and never served in part."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.kept_code import Kept, keep

from xpm_core.errors import SnapshotError, SnapshotFolderError
from xpm_core.snapshot.manifest import LargeFile, Link, Manifest
from xpm_core.snapshot.provenance import Provenance, Tree
from xpm_core.snapshot.trees import checks, removal
from xpm_core.snapshot.trees.trees import Trees

FILES = {
    "train.py": "import lib.util\nLR = 0.1\n",
    "lib/__init__.py": "",
    "lib/util.py": "def f(): return 1\n",
    "data/points.csv": "1,2\n",
    "odd\nname.txt": "x",
}


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return keep(tmp_path / "workspace", tmp_path / "digits", FILES)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    return tmp_path / "host"


def trees(kept: Kept, host: Path) -> Trees:
    return Trees(kept.store.folder.parent, host)


def content(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {os.fspath(path.relative_to(folder)): path.read_text() for path in found}


def leftovers(kept: Kept, host: Path) -> set[str]:
    return set(os.listdir(host / "code")) - {kept.snapshot, f"{kept.snapshot}.json"}


def test_a_tree_holds_the_files_of_its_snapshot_and_says_where_the_root_is(kept: Kept, host: Path) -> None:
    with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
        assert content(tree.path / "digits") == FILES
        root = str(host.parent / "digits")
        assert tree.code.here(f"{root}/lib/util.py") == f"{tree.path}/digits/lib/util.py"
        assert tree.code.there(f"{tree.path}/digits/train.py") == f"{root}/train.py"


def test_files_and_folders_are_read_only_under_any_umask(kept: Kept, host: Path) -> None:
    before = os.umask(0o077)
    try:
        with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
            for path in tree.path.rglob("*"):
                mode = stat.S_IMODE(path.lstat().st_mode)
                if "__pycache__" in path.parts:
                    assert mode & 0o200
                else:
                    assert not mode & 0o222, path
            assert stat.S_IMODE(os.stat(host).st_mode) == 0o700
    finally:
        os.umask(before)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_nothing_can_be_written_into_a_tree_but_bytecode(kept: Kept, host: Path) -> None:
    with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
        for path in ("new.txt", "digits/new.txt", "digits/train.py", "digits/data/points.csv"):
            with pytest.raises(PermissionError):
                (tree.path / path).write_text("")
        (tree.path / "digits/__pycache__/other.pyc").write_text("")


def test_a_worker_under_another_umask_uses_the_same_tree(
    kept: Kept, host: Path, caplog: pytest.LogCaptureFixture
) -> None:
    places = []
    before = os.umask(0)
    try:
        for umask in (0, 0o077, 0o022):
            os.umask(umask)
            with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
                places.append(os.stat(tree.path).st_ino)
    finally:
        os.umask(before)
    assert len(set(places)) == 1
    assert not caplog.records


def test_bytecode_is_compiled_with_the_tree_and_names_its_files_there(kept: Kept, host: Path) -> None:
    with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
        found = sorted(path.name.partition(".")[0] for path in tree.path.rglob("*.pyc"))
        assert found == ["__init__", "train", "util"]
        code = "import sys, util; print(util.f.__code__.co_filename, util.__cached__); print('util' in sys.modules)"
        folder = f"{tree.path}/digits/lib"
        job = subprocess.run(
            [sys.executable, "-v", "-c", code],
            env={**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"{folder}/util.py" in job.stdout
        assert "matches" in next(line for line in job.stderr.splitlines() if "util.cpython" in line)


def test_a_file_that_is_no_python_does_not_prevent_the_tree(tmp_path: Path, host: Path) -> None:
    kept = keep(tmp_path / "workspace", tmp_path / "digits", {"bad.py": "def (", "null.py": b"a\0", "ok.py": "x = 1"})
    with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
        assert [path.name.partition(".")[0] for path in tree.path.rglob("*.pyc")] == ["ok"]


def _write(path: Path, text: str) -> None:
    os.chmod(path.parent, 0o700)
    if path.exists():
        os.chmod(path, 0o600)
    path.write_text(text)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "digits/lib/util.py was changed": lambda tree: _write(tree / "digits/lib/util.py", "def f(): return 2\n"),
    "digits/lib/util.py is missing": lambda tree: (
        os.chmod(tree / "digits/lib", 0o700),
        os.unlink(tree / "digits/lib/util.py"),
    ),
    "digits/lib/extra.py was added": lambda tree: _write(tree / "digits/lib/extra.py", ""),
    "digits/data was added": lambda tree: (
        os.chmod(tree / "digits", 0o700),
        shutil.rmtree(tree / "digits/data"),
        (tree / "digits/data").symlink_to("/"),
    ),
    "digits is missing": lambda tree: (os.chmod(tree, 0o700), os.rename(tree / "digits", tree.parent / "gone-x")),
}


@pytest.mark.parametrize("said", DAMAGES)
@pytest.mark.parametrize("seen_before", [True, False])
def test_a_tree_that_was_tampered_with_is_copied_anew_and_the_log_names_the_file(
    said: str, seen_before: bool, kept: Kept, host: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = trees(kept, host)
    with own.open(kept.snapshot, kept.provenance) as tree:
        path = tree.path
    DAMAGES[said](path)
    if said == "digits/data was added":
        said = "digits/data"
    with (own if seen_before else trees(kept, host)).open(kept.snapshot, kept.provenance) as tree:
        assert content(tree.path / "digits") == FILES
    assert len(caplog.records) == 1
    assert said in caplog.text
    assert not {name for name in leftovers(kept, host) if not name.startswith("aside-")}


def test_a_file_that_was_changed_back_is_believed_after_its_content_was_read(
    kept: Kept, host: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = trees(kept, host)
    with own.open(kept.snapshot, kept.provenance) as tree:
        file = tree.path / "digits/train.py"
        inode = os.stat(tree.path).st_ino
    os.link(file, host / "a-backup")
    with own.open(kept.snapshot, kept.provenance) as tree:
        assert os.stat(tree.path).st_ino == inode
    assert not caplog.records


def test_notes_of_another_process_save_reading_and_those_of_an_earlier_boot_do_not(
    kept: Kept, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trees(kept, host).open(kept.snapshot, kept.provenance):
        pass
    read: list[str] = []
    real = checks.damage
    monkeypatch.setattr(checks, "damage", lambda folder, *more, **named: read.append(folder) or real(folder, *more))
    monkeypatch.setattr(checks, "boot_id", lambda: "now")
    with trees(kept, host).open(kept.snapshot, kept.provenance):
        assert len(read) == 1
    with trees(kept, host).open(kept.snapshot, kept.provenance):
        assert len(read) == 1
    (host / "code" / f"{kept.snapshot}.json").write_text("{")
    with trees(kept, host).open(kept.snapshot, kept.provenance):
        assert len(read) == 2
    assert json.loads((host / "code" / f"{kept.snapshot}.json").read_text())["boot"] == "now"


def test_a_half_cleaned_tmp_is_mended_while_another_job_holds_the_tree(kept: Kept, host: Path) -> None:
    own = trees(kept, host)
    with own.open(kept.snapshot, kept.provenance) as first:
        shutil.rmtree(host / "code" / kept.snapshot / "digits" / "lib")
        with trees(kept, host).open(kept.snapshot, kept.provenance) as second:
            assert content(second.path / "digits") == FILES
        assert first.path == second.path
        removal.remove_unused(host, unused_s=-1)  # the first one still holds what was moved aside
        assert content(first.path / "digits") == FILES
    removal.remove_unused(host, unused_s=-1)
    assert not [name for name in os.listdir(host / "code") if not name.endswith(".json")]


def test_all_of_tmp_cleaned_is_made_again(kept: Kept, host: Path) -> None:
    own = trees(kept, host)
    with own.open(kept.snapshot, kept.provenance):
        shutil.rmtree(host)
    with own.open(kept.snapshot, kept.provenance) as tree:
        assert content(tree.path / "digits") == FILES


def test_a_folder_that_is_removed_while_it_is_built_is_built_again(kept: Kept, host: Path) -> None:
    left = [1]

    def tick() -> None:
        if left and list(host.glob("code/building-*/digits/lib")):
            left.pop()
            shutil.rmtree(host)

    with trees(kept, host).open(kept.snapshot, kept.provenance, tick) as tree:
        assert content(tree.path / "digits") == FILES
    assert not left


def test_a_folder_that_is_removed_again_and_again_is_one_error(kept: Kept, host: Path) -> None:
    with pytest.raises(SnapshotFolderError, match="no such file"):
        trees(kept, host).open(kept.snapshot, kept.provenance, lambda: shutil.rmtree(host, ignore_errors=True))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_build_that_is_stopped_leaves_nothing(error: type[BaseException], kept: Kept, host: Path) -> None:
    def tick() -> None:
        if list(host.glob("code/building-*/digits/train.py")):
            raise error

    with pytest.raises(error):
        trees(kept, host).open(kept.snapshot, kept.provenance, tick)
    assert os.listdir(host / "code") == []
    assert not os.path.exists(f"/proc/self/fd/{_lock_of(host)}")


def _lock_of(host: Path) -> str:
    folders = {name: os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if _is_link(name)}
    return next((name for name, path in folders.items() if path.startswith(str(host))), "none")


def _is_link(name: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{name}")


def test_a_missing_or_damaged_content_is_an_error_and_nothing_is_left(kept: Kept, host: Path) -> None:
    victim = next(each for each in kept.manifest.files if each.path == "train.py")
    path = kept.store.object_path(victim.digest)
    os.chmod(path, 0o600)
    Path(path).write_text("import lib.util\nLR = 0.9\n")
    with pytest.raises(SnapshotError, match="was damaged"):
        trees(kept, host).open(kept.snapshot, kept.provenance)
    with pytest.raises(SnapshotError, match="is missing"):
        trees(kept, host).open(kept.snapshot, kept.provenance)
    assert os.listdir(host / "code") == []


def test_a_missing_manifest_or_a_provenance_of_another_snapshot_is_an_error(kept: Kept, host: Path) -> None:
    with pytest.raises(SnapshotError, match="is missing"):
        trees(kept, host).open("0" * 64, kept.provenance)
    with pytest.raises(SnapshotError, match="does not say where"):
        trees(kept, host).open(kept.snapshot, "")
    other = kept.store.put("provenance", Provenance("0" * 64, [Tree("digits", ["/x"])]).written())
    with pytest.raises(SnapshotError, match="another snapshot"):
        trees(kept, host).open(kept.snapshot, other)


def test_a_folder_of_another_kind_or_of_others_is_refused(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotFolderError, match="XPM_SNAPSHOT_FOLDER"):
        trees(kept, tmp_path / "file").open(kept.snapshot, kept.provenance)
    (tmp_path / "open").mkdir()
    os.chmod(tmp_path / "open", 0o777)
    with pytest.raises(SnapshotFolderError, match="nobody else can write"):
        trees(kept, tmp_path / "open").open(kept.snapshot, kept.provenance)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a file system to fill")
def test_a_full_disk_is_one_error_and_nothing_is_left(kept: Kept, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("train.py"):
            with open("/dev/full", "wb", buffering=0) as file:
                file.write(data)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SnapshotFolderError, match=r"no space left on device. Free some space there, or name a folder"):
        trees(kept, host).open(kept.snapshot, kept.provenance)
    assert os.listdir(host / "code") == []


def test_a_large_file_is_a_link_and_is_compared_before_each_use(tmp_path: Path, host: Path) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"12345")
    found = model.stat()
    large = LargeFile(0, "model.bin", str(model), found.st_size, found.st_mtime_ns)
    kept = keep(tmp_path / "workspace", tmp_path / "digits", {"a.py": ""}, large, Link(0, "shared", "/usr"))
    own = trees(kept, host)
    with own.open(kept.snapshot, kept.provenance) as tree:
        assert (tree.path / "digits/model.bin").read_bytes() == b"12345"
        assert os.readlink(tree.path / "digits/shared") == "/usr"
    model.write_bytes(b"54321!")
    with pytest.raises(SnapshotError, match=r"model.bin: .*changed after the job was submitted.*include"):
        own.open(kept.snapshot, kept.provenance)
    model.unlink()
    with pytest.raises(SnapshotError, match="is gone, or not on this machine"):
        own.open(kept.snapshot, kept.provenance)


def test_bytecode_in_a_snapshot_is_left_out(tmp_path: Path, host: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = {"a.py": "", "__pycache__/a.cpython-311.pyc": b"old"}
    kept = keep(tmp_path / "workspace", tmp_path / "digits", files)
    for _ in range(2):
        with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
            (tree.path / "digits/__pycache__/b.pyc").write_text("a job compiles")
    assert not caplog.records


def test_an_unused_tree_goes_when_another_is_built_and_a_held_or_a_used_one_stays(tmp_path: Path, host: Path) -> None:
    old, held, new, last = (keep(tmp_path / "w", tmp_path / "digits", {"a.py": f"x = {n}"}) for n in range(4))
    own = trees(old, host)
    own.open(old.snapshot, old.provenance).close()
    with own.open(held.snapshot, held.provenance):
        own.open(new.snapshot, new.provenance).close()
        for each in (old, held):
            os.utime(host / "code" / f"{each.snapshot}.json", (1, 1))
        removal.remove_unused(host)
        assert (host / "code" / old.snapshot).exists()  # it was made just now
        os.utime(host / "code" / f"{new.snapshot}.json", (2**32, 2**32))  # by a clock that was wrong
        removal.remove_unused(host, unused_s=1e8)
        assert {each.snapshot for each in (old, held)} <= set(os.listdir(host / "code"))
        assert new.snapshot not in os.listdir(host / "code")
        removal.remove_unused(host, unused_s=-1)
        found = set(os.listdir(host / "code"))
        assert held.snapshot in found
        assert old.snapshot not in found
    own.open(last.snapshot, last.provenance).close()


BUILDER = """
import sys, time
from pathlib import Path
from xpm_core.snapshot.trees.trees import Trees
snapshot, provenance, workspace, host, pause = sys.argv[1:]
def tick():
    if float(pause) and list(Path(host).glob("code/building-*/digits/lib")):
        print("half", flush=True)
        time.sleep(float(pause))
tree = Trees(Path(workspace), Path(host)).open(snapshot, provenance, tick)
print("opened", flush=True)
print(sum(1 for path in tree.path.rglob("*") if path.is_file() and "__pycache__" not in path.parts), flush=True)
"""


def builder(kept: Kept, host: Path, pause_s: float = 0.0) -> subprocess.Popen[str]:
    words = [kept.snapshot, kept.provenance, str(kept.store.folder.parent), str(host), str(pause_s)]
    command = [sys.executable, "-c", textwrap.dedent(BUILDER), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.faults
def test_a_killed_builder_leaves_nothing_that_is_used(kept: Kept, host: Path) -> None:
    with builder(kept, host, 60.0) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert list(host.glob("code/building-*"))
    with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
        assert content(tree.path / "digits") == FILES
    assert not leftovers(kept, host)


@pytest.mark.faults
def test_of_builders_at_once_one_builds_and_the_others_wait_with_ticks(kept: Kept, host: Path) -> None:
    first = builder(kept, host, 0.05)
    with first:
        assert first.stdout is not None
        assert first.stdout.readline() == "half\n"
        ticks: list[int] = []
        with trees(kept, host).open(kept.snapshot, kept.provenance, lambda: ticks.append(1)) as tree:
            assert content(tree.path / "digits") == FILES
        assert ticks
        assert first.stdout.read().endswith(f"opened\n{len(FILES)}\n")
    processes = [builder(keep(kept.store.folder.parent, host.parent / "digits", FILES), host) for _ in range(3)]
    assert [process.communicate()[0] for process in processes] == [f"opened\n{len(FILES)}\n"] * 3
    assert not leftovers(kept, host)


def test_a_file_that_is_changed_while_its_tree_is_built_is_noticed(
    kept: Kept, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, calls = checks.take_notes, list[str]()

    def changed(folder: str, manifest: Manifest) -> list[checks.Noted]:
        if not calls:
            calls.append(folder)
            file = Path(folder, "digits", "train.py")
            file.chmod(0o600)
            file.write_text("raise SystemExit")
        return noted(folder, manifest)

    monkeypatch.setattr(checks, "take_notes", changed)
    with trees(kept, host).open(kept.snapshot, kept.provenance) as tree:
        assert content(tree.path / "digits") == FILES
    assert calls
