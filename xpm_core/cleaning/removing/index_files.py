"""Merge files of the index: each run and each worker has written one, and nobody writes them any more.

The merged file is there before the others go. In between, readers see lines twice, which changes nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from xpm_core.cleaning.places import listed
from xpm_core.index.folders import END
from xpm_core.workspace.files import explained, write_atomic

DAY_S = 86400.0


def merge(folder: Path, now_s: float) -> None:
    """Merge the files of a folder that were not written for a day.

    Raises:
        WorkspaceError: A file cannot be read or written.
    """
    with explained(folder, "cannot be merged"):
        _merge(folder, now_s)


def _merge(folder: Path, now_s: float) -> None:
    files = [each.path for each in listed(folder) if each.name.endswith(END) and _is_old(each, now_s)]
    merged = folder / f"merged-{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}{END}"
    streams = [open(path, "rb") for path in files]  # noqa: SIM115  # they are read once more after they are unlinked
    try:
        parts = [stream.read() for stream in streams]
        whole = b"".join(part if part.endswith(b"\n") or not part else part + b"\n" for part in parts)
        write_atomic(merged, whole, durable=True)
        for path in files:
            os.unlink(path)
        late = b"".join(stream.read() for stream in streams)  # a writer may have opened its file just before
        if late:
            with open(merged, "ab") as added:
                added.write(late if late.endswith(b"\n") else late + b"\n")
    finally:
        for stream in streams:
            stream.close()


def _is_old(entry: os.DirEntry[str], now_s: float) -> bool:
    return now_s - entry.stat(follow_symlinks=False).st_mtime >= DAY_S
