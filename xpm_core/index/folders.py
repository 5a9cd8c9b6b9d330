"""Where the files of the index lie.

Each writer, a run of a script or a worker, has a file of its own. So no two processes write to one file, which file
systems of clusters do not order.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from xpm_core.workspace.experiment_directory import ExperimentDirectory

END = ".jsonl"


class IndexFile(NamedTuple):
    """A file of the index.

    Attributes:
        path: Where it is.
        experiment: The experiment whose submissions it has; empty for a worker's file.
    """

    path: str
    experiment: str


def submissions_folder(directory: ExperimentDirectory) -> Path:
    """The folder with the submissions of an experiment."""
    return directory.path / "index"


def ends_folder(workspace: Path) -> Path:
    """The folder with the ends of a workspace's jobs. A worker does not know to which experiments a job belongs."""
    return workspace / ".xpm" / "index"


def removals_folder(workspace: Path) -> Path:
    """The folder that says which jobs were removed. It is apart, because it has to be read first."""
    return workspace / ".xpm" / "removed"


def removal_files(workspace: Path) -> list[str]:
    """The files of that folder."""
    folder = removals_folder(workspace)
    try:
        return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if name.endswith(END)]
    except OSError:
        return []


def removals_size(workspace: Path) -> int:
    """How many bytes these files have. They only grow, so that another number means that jobs were removed."""
    size = 0
    for path in removal_files(workspace):
        with contextlib.suppress(OSError):
            size += os.stat(path).st_size
    return size


def submissions_size(workspace: Path) -> int:
    """How many bytes the files of submissions have. Another number means that scripts have submitted jobs."""
    size = 0
    for file in index_files(workspace):
        if file.experiment:
            with contextlib.suppress(OSError):
                size += os.stat(file.path).st_size
    return size


def memory_file(workspace: Path) -> Path:
    """The file in which this machine remembers the index of a workspace (memory.py)."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:16]
    return Path(home, "xpm", "index", f"{name}.msgpack")


def index_files(workspace: Path) -> Iterator[IndexFile]:
    """All files of a workspace's index, those of submissions first, in the order of their names."""
    experiments = workspace / "experiments"
    for name in _listed(experiments):
        for file in _listed(experiments / name / "index"):
            yield IndexFile(f"{experiments}/{name}/index/{file}", name)
    ends = ends_folder(workspace)
    for file in _listed(ends):
        yield IndexFile(f"{ends}/{file}", "")


def _listed(folder: Path) -> list[str]:
    index = folder.name == "index"
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(END) or not index)
    except OSError:
        return []
