"""The kind of the file system on which a directory lies."""

from __future__ import annotations

import os
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
IN_MEMORY = ("tmpfs", "ramfs")
SHARED = ("nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "fuse.sshfs", "9p", "afs", "glusterfs")
"""Kinds on which several machines can see the same files. One of them may see a new file some seconds late."""


def kind_of(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind, as the kernel calls it: `ext4`, `nfs4`; empty if it is not known.

    Args:
        path: A directory.
        mounts: The kernel's table of mounts.
    """
    try:
        place = os.path.realpath(path)
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    found, longest = "", -1
    for line in lines:
        mounted, _, about = line.partition(" - ")
        point = mounted.split(" ")[4].encode().decode("unicode_escape")  # a blank is written \\040
        if _lies_in(place, point) and len(point) >= longest:  # a later mount covers an earlier one
            found, longest = about.split(" ")[0], len(point)
    return found


def is_shared(path: Path) -> bool:
    """Whether other machines may see the directory, so that this one may see their files late."""
    return kind_of(path).startswith(SHARED)


def named(path: Path) -> str:
    """The kind in words, for a list of facts."""
    kind = kind_of(path)
    if kind.startswith(SHARED):
        return f"{kind} (new files of other machines may be seen late)"
    return kind or "file system unknown"


def _lies_in(place: str, point: str) -> bool:
    return place == point or place.startswith(point.rstrip("/") + "/")
