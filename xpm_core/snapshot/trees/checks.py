"""Check a tree before it is used: by the notes about its files, which is quick, or by all contents.

A file that is as its notes say was not changed, because a program can set back neither its `ctime` nor its inode. The
notes of another process are believed until the machine is started again: a crash may leave files without content.

Owns: the notes, and what counts as a change. Folders of bytecode are left out.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from xpm_core.errors import WorkspaceError
from xpm_core.snapshot.manifest import Entry, KeptFile, Manifest
from xpm_core.snapshot.trees.build import CACHE, MTIME_NS, READ_ONLY_FOLDER, entries_of, folders_of, mode_of, place
from xpm_core.snapshot.trees.host_folder import Tick, nothing
from xpm_core.workspace.files import write_atomic

VERSION = 1

Noted = tuple[str, int, int, int, int, int]
"""A file or folder: its path in the tree, and its mode, inode, size, mtime and ctime."""


class Notes(NamedTuple):
    """What was noted after all contents of a tree were checked.

    Attributes:
        entries: Its files and folders.
        compiled: The versions of Python for which its bytecode was compiled, by their cache tags.
    """

    entries: Sequence[Noted]
    compiled: Sequence[str]

    def write(self, file: str, snapshot: str) -> None:
        """Keep the notes in a file. If it cannot be written, the next process checks all contents."""
        fields = {"version": VERSION, "snapshot": snapshot, "boot": boot_id(), **self._asdict()}
        with suppress(WorkspaceError):
            write_atomic(file, json.dumps(fields).encode(), durable=False, mode=0o600)


def read_notes(file: str, snapshot: str) -> Notes | None:
    """The notes in a file; None if there are none, or if they are not to be believed."""
    try:
        with open(file, "rb") as opened:
            fields: dict[str, Any] = json.loads(opened.read())
        known = [fields[name] for name in ("version", "snapshot", "boot")]
        if known != [VERSION, snapshot, boot_id()] or not boot_id():
            return None
        return Notes([_noted(*each) for each in fields["entries"]], [str(each) for each in fields["compiled"]])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


@cache
def boot_id() -> str:
    """A word that differs each time that this machine is started; empty if it is not known."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""


def take_notes(folder: str, manifest: Manifest) -> list[Noted]:
    """Note how the files and folders of a tree are, whose contents are right.

    Raises:
        OSError: One of them is gone.
    """
    paths = [".", *manifest.trees, *folders_of(manifest), *(place(manifest, each) for each in entries_of(manifest))]
    return [_noted(path, *_facts(os.lstat(f"{folder}/{path}"))) for path in paths]


def differs(folder: str, entries: Sequence[Noted]) -> bool:
    """Whether a file or folder of a tree is not as it was noted."""
    try:
        return any(_facts(os.lstat(f"{folder}/{path}")) != tuple(facts) for path, *facts in entries)
    except OSError:
        return True


def damage(folder: str, manifest: Manifest, tick: Tick = nothing) -> str:
    """Compare all of a tree with its snapshot.

    Args:
        folder: The folder that holds the tree.
        manifest: The snapshot.
        tick: Called between files.

    Returns:
        What is wrong first: `digits/train.py was changed`; empty if nothing is.
    """
    try:
        return _damage(folder, manifest, tick)
    except FileNotFoundError as error:
        return f"{os.path.relpath(error.filename, folder)} is missing"
    except OSError as error:
        return f"{os.path.relpath(error.filename or folder, folder)} cannot be read"


def _damage(folder: str, manifest: Manifest, tick: Tick) -> str:
    expected = {place(manifest, each): each for each in entries_of(manifest)}
    folders = {*manifest.trees, *folders_of(manifest)}
    found: set[str] = set()
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        for path in (f"{inside}/{name}".lstrip("/") for name in sorted(os.listdir(f"{folder}/{inside}"))):
            if path not in expected and path not in folders and os.path.basename(path) != CACHE:
                return f"{path} was added"
            if path in folders:
                waiting.append(path)
            found.add(path)
    for path in sorted((folders | expected.keys()) - found):
        return f"{path} is missing"
    for path, entry in expected.items():
        tick()
        if not _is_right(f"{folder}/{path}", entry):
            return f"{path} was changed"
    for path in ("", *sorted(folders)):
        if os.lstat(f"{folder}/{path}").st_mode != stat.S_IFDIR | READ_ONLY_FOLDER:
            return f"{path or 'its folder'} has another mode"
    return ""


def _is_right(path: str, entry: Entry) -> bool:
    status = os.lstat(path)
    if not isinstance(entry, KeptFile):
        return stat.S_ISLNK(status.st_mode) and os.readlink(path) == entry.target
    expected = stat.S_IFREG | mode_of(entry), entry.size, MTIME_NS
    if (status.st_mode, status.st_size, status.st_mtime_ns) != expected:
        return False
    with open(path, "rb") as file:
        return sha256(file.read()).hexdigest() == entry.digest


def _facts(status: os.stat_result) -> tuple[int, int, int, int, int]:
    return status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _noted(path: str, mode: int, inode: int, size: int, mtime_ns: int, ctime_ns: int) -> Noted:
    return path, mode, inode, size, mtime_ns, ctime_ns
