"""Build a tree: copy the files of a snapshot into a folder. Each content is checked while it is copied.

Owns: the modes and times of the copies, and what is left of a tree that cannot be built: nothing.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from xpm_core.errors import SnapshotError
from xpm_core.labels import short
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Manifest
from xpm_core.snapshot.trees.host_folder import Tick, explained, nothing

MTIME_NS = 946_684_800 * 10**9
"""When each file of a read-only tree was changed, as it says: 1 January 2000. So bytecode for it stays valid."""

CACHE = "__pycache__"
"""The folders in which Python keeps bytecode. They exist from the beginning, and jobs may write there."""

READ_ONLY_FOLDER = 0o500


def build(store: CodeStore, manifest: Manifest, into: Path, *, writable: bool = False, tick: Tick = nothing) -> None:
    """Copy the files of a snapshot into a folder: `<into>/<tree>/...`. Bytecode that it holds is left out.

    Args:
        store: Where the contents are.
        manifest: The snapshot.
        into: The folder. It is made if it does not exist; it must hold none of the trees.
        writable: Whether the copy is private, so that its files may be changed. Otherwise files and folders are
            read-only, except for folders of bytecode.
        tick: Called between files. If it raises, the copy is removed.

    Raises:
        SnapshotError: A content is missing or damaged. Nothing is left behind.
        SnapshotFolderError: The folder cannot be written to, as when the disk is full. Nothing is left behind.

    Example:
        >>> build(store, store.manifest(digest), Path("copy"), writable=True)
    """
    made: list[str] = []
    what = f"a copy of snapshot {short(manifest.digest)} cannot be written"
    with explained(str(into), what):
        if not os.path.isdir(into):
            os.makedirs(into, 0o700)
            made.append(str(into))
    try:
        for name in manifest.trees:
            with explained(f"{into}/{name}", what):
                os.mkdir(f"{into}/{name}", 0o700)
            made.append(f"{into}/{name}")
        folders = make_folders(manifest, str(into), what, with_caches=not writable)
        for entry in entries_of(manifest):
            tick()
            data = store.object(entry.digest) if isinstance(entry, KeptFile) else b""
            with explained(str(into), what):
                _put(entry, f"{into}/{manifest.trees[entry.tree]}/{entry.path}", data, writable)
        if not writable:
            with explained(str(into), what):
                for folder in [*reversed(folders), str(into)]:
                    os.chmod(folder, READ_ONLY_FOLDER)
    except BaseException:
        for path in reversed(made):
            remove(path)
        raise


def make_folders(manifest: Manifest, into: str, what: str, *, with_caches: bool) -> list[str]:
    """Make the folders that the files of a snapshot lie in.

    Args:
        manifest: The snapshot.
        into: Where its trees lie; the folders of the trees exist.
        what: What could not be done, for an error.
        with_caches: Whether to make a folder for bytecode beside Python files.

    Returns:
        Their paths, the outer ones first, without those for bytecode.
    """
    with explained(into, what):
        inner = folders_of(manifest)
        for path in inner:
            os.mkdir(f"{into}/{path}", 0o700)
        for path in caches_of(manifest) if with_caches else ():
            os.mkdir(f"{into}/{path}", 0o700)
    return [f"{into}/{path}" for path in (*manifest.trees, *inner)]


def folders_of(manifest: Manifest) -> list[str]:
    """The folders in a snapshot, as `tree/folder`, the outer ones first; without the trees themselves."""
    found: set[tuple[int, str]] = set()
    for each in entries_of(manifest):
        above = os.path.dirname(each.path)
        while above and (each.tree, above) not in found:
            found.add((each.tree, above))
            above = os.path.dirname(above)
    return [f"{manifest.trees[tree]}/{path}" for tree, path in sorted(found)]


def caches_of(manifest: Manifest) -> list[str]:
    """The folders for bytecode beside the Python files of a snapshot, as `tree/folder/__pycache__`."""
    return sorted({f"{os.path.dirname(place(manifest, each))}/{CACHE}" for each in python_files(manifest)})


def entries_of(manifest: Manifest) -> list[Entry]:
    """What a copy holds: all of a snapshot, except for what lies in a folder of bytecode."""
    return [each for each in manifest.entries if CACHE not in each.path.split("/")]


def python_files(manifest: Manifest) -> list[KeptFile]:
    """The Python files of a snapshot, in the order of the manifest."""
    return [each for each in entries_of(manifest) if isinstance(each, KeptFile) and each.path.endswith(".py")]


def place(manifest: Manifest, entry: Entry) -> str:
    """Where an entry lies in a copy: `tree/folder/file`."""
    return f"{manifest.trees[entry.tree]}/{entry.path}"


def mode_of(entry: KeptFile, *, writable: bool = False) -> int:
    """The mode of the copy of a file: that of the original, which its owner can read, and nobody, or only he, write."""
    return (entry.mode & 0o777) | 0o600 if writable else (entry.mode & 0o555) | 0o400


def check_large_files(manifest: Manifest) -> None:
    """Make sure that the large files, which are not kept, are as they were when the snapshot was taken.

    Raises:
        SnapshotError: One was changed, or is gone, or is not on this machine.
    """
    for each in manifest.entries:
        if isinstance(each, LargeFile):
            problem = _large_problem(each)
            if problem:
                name = os.path.basename(each.path)
                remedy = f'Run the script again, or have it kept: [tool.xpm.snapshot] include = ["{name}"]'
                raise SnapshotError(each.target, problem, f"{remedy} in the pyproject.toml of its project.")


def _large_problem(entry: LargeFile) -> str:
    kept = "is not kept with the code of the job, because it is large"
    try:
        found = os.stat(entry.target)
    except OSError as error:
        gone = (
            "it is gone, or not on this machine"
            if isinstance(error, FileNotFoundError)
            else os.strerror(error.errno or 0)
        )
        return f"this file {kept}; {gone}"
    if stat.S_ISREG(found.st_mode) and found.st_size == entry.size and _same_time(found.st_mtime_ns, entry.mtime_ns):
        return ""
    return f"this file {kept}; it was changed after the job was submitted"


def _same_time(found_ns: int, noted_ns: int) -> bool:
    """Whether two times are equal, as far as both are exact: some file systems keep whole seconds."""
    second = 10**9
    rough = found_ns % second == 0 or noted_ns % second == 0
    return found_ns == noted_ns or (rough and found_ns // second == noted_ns // second)


def _put(entry: Entry, path: str, data: bytes, writable: bool) -> None:
    if not isinstance(entry, KeptFile):
        os.symlink(entry.target, path)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fchmod(descriptor, mode_of(entry, writable=writable))
        if not writable:
            os.utime(descriptor, ns=(MTIME_NS, MTIME_NS))
    finally:
        os.close(descriptor)


def remove(path: str) -> None:
    """Remove a folder with all that is in it, also if its folders are read-only. What cannot be removed stays."""
    with contextlib.suppress(OSError):
        os.chmod(path, 0o700)
        for entry in _listed(path):
            if entry.is_dir(follow_symlinks=False):
                remove(entry.path)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
        os.rmdir(path)


def _listed(path: str) -> Iterable[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        return list(entries)
