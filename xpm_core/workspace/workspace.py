"""A workspace: a directory with an id, which holds the directories of jobs and experiments.

    <workspace>/.xpm/workspace.json     its id, and the version of this layout
    <workspace>/.xpm/settings.toml      its settings (settings.py)
    <workspace>/.xpm/parts/<digest>     parts that payloads share (payload_parts.py)
    <workspace>/.xpm/arguments/<digest>     long arguments of scripts (job/script_arguments.py)
    <workspace>/.xpm/index/, .xpm/removed/      how jobs have ended, and which were removed (index/)
    <workspace>/.xpm/redis/             the embedded server's data (server/embedded/)
    <workspace>/.xpm/imports.jsonl, .xpm/importing/     what `xpm import` has brought, and is bringing (exchange/)
    <workspace>/.xpm/foreign/           runs that xpm has not made, for tables (results/foreign)
    <workspace>/.xpm/workers/           logs of the workers that scripts have started
    <workspace>/jobs/<task>/<identity>/     each job's own directory (job_directory.py)
    <workspace>/experiments/<name>/     runs, and links to jobs (experiment_directory.py)
    <workspace>/old/<task>/…            directories of jobs that retries have set aside

Owns: where things lie, and which paths from outside may be followed. Does not touch Redis. Imports nothing heavy,
because job processes use it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from xpm_core.errors import WorkspaceError, WorkspacePathError
from xpm_core.words.names import check_experiment_name
from xpm_core.workspace.experiment_directory import ExperimentDirectory
from xpm_core.workspace.files import explained, write_once
from xpm_core.workspace.job_directory import JobDirectory

SCHEMA = 1
"""Version of the layout. A workspace with a later one is refused."""

LONGEST_TASK_FOLDER = 150

_ID = re.compile(r"[0-9a-f]{12}")
_IDENTITY = re.compile(r"[0-9a-f]{64}")
_JOB_PATH = re.compile(r"jobs/[a-z0-9_-][a-z0-9._-]*/[0-9a-f]{64}")
_UNSAFE = re.compile(r"[^a-z0-9._-]")


@dataclass(frozen=True)
class Workspace:
    """An open workspace.

    Example:
        >>> workspace = Workspace.open("/data/xpm")
        >>> workspace.job("sweep:Train", identity).path
        PosixPath('/data/xpm/jobs/sweep.train/3f9a…')
    """

    path: Path
    """Where it lies on this machine: an absolute path without symbolic links."""

    id: str
    """12 hexadecimal digits, drawn when the workspace was made. They stay when it is moved, or mounted elsewhere."""

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, create: bool = True, writable: bool = True) -> Workspace:
        """Open a workspace. It is made if it does not exist.

        Args:
            path: Its directory. A relative path starts from the working directory; `~` is the home directory.
            create: Whether to make what is missing: the directory, its parents, its id.
            writable: Whether it must be possible to write in it.

        Raises:
            WorkspaceError: It is no directory, not writable, does not exist (without `create`), or was written by a
                later xpm.
        """
        place = Path(os.path.realpath(os.path.expanduser(path)))
        with explained(place, "cannot be used as a workspace"):
            if create and not place.exists():
                place.mkdir(parents=True, exist_ok=True)
            try:
                is_directory = stat.S_ISDIR(place.stat().st_mode)
            except FileNotFoundError:
                raise WorkspaceError(
                    str(place), "there is no such directory", "Name a workspace's directory."
                ) from None
        if not is_directory:
            raise WorkspaceError(str(place), "is not a directory", "Name a workspace's directory.")
        if writable and not os.access(place, os.W_OK | os.X_OK):
            raise WorkspaceError(str(place), "is not writable", "Make it writable for you, or use another workspace.")
        return cls(place, _read_or_make_id(place, create))

    def directory_of(self, task_id: str, identity: str) -> str:
        """Path of a job's directory, relative to the workspace, as Redis and payloads hold it.

        Raises:
            WorkspacePathError: The identity is not 64 lower-case hexadecimal digits.
        """
        if not _IDENTITY.fullmatch(identity):
            problem = f"expected 64 lower-case hexadecimal digits as identity, got {identity!r}"
            raise WorkspacePathError(task_id, problem, "Take it from a sealed task.")
        return f"{self.folder_of(task_id)}/{identity}"

    def folder_of(self, task_id: str) -> str:
        """Path of the folder that holds the directories of a task's jobs, relative to the workspace."""
        return f"jobs/{task_folder(task_id)}"

    def job(self, task_id: str, identity: str) -> JobDirectory:
        """The directory of a job, which need not exist.

        Raises:
            WorkspacePathError: The identity is not 64 lower-case hexadecimal digits.
        """
        return JobDirectory(self.path, self.directory_of(task_id, identity))

    def job_at(self, relative: str) -> JobDirectory:
        """The directory of a job, by a relative path from Redis or a payload.

        Raises:
            WorkspacePathError: The path is not `jobs/<task>/<identity>`, and is not followed.
        """
        if not _JOB_PATH.fullmatch(relative):
            problem = f"expected jobs/<task>/<identity>, got {relative!r}"
            raise WorkspacePathError(str(self.path), problem, "It was not written by xpm: submit the job again.")
        return JobDirectory(self.path, relative)

    def experiment(self, name: str) -> ExperimentDirectory:
        """The directory of an experiment, which need not exist.

        Raises:
            InvalidNameError: The name has characters that an experiment's name may not have.
        """
        return ExperimentDirectory(self.path, check_experiment_name(name))


@lru_cache(maxsize=1024)
def task_folder(task_id: str) -> str:
    """Name of the folder that holds a task's jobs: lower case, `module.class`, safe on every file system.

    Two tasks may share a folder, because the identities of their jobs differ.
    """
    name = _UNSAFE.sub("_", task_id.lower().replace(":", "."))
    if name.startswith(".") or not name:
        name = "_" + name.lstrip(".")
    if len(name) > LONGEST_TASK_FOLDER:
        digest = hashlib.sha256(task_id.encode()).hexdigest()[:12]
        name = f"{digest}.{name[-(LONGEST_TASK_FOLDER - 13) :].lstrip('.')}"
    return name


def _read_or_make_id(place: Path, create: bool) -> str:
    """The id of the workspace at `place`. If several processes open a new one, the first one draws the id."""
    file = place / ".xpm" / "workspace.json"
    content = _read(file)
    if content is None and create:
        with explained(file.parent, "cannot be made"):
            file.parent.mkdir(exist_ok=True)
        made = datetime.now(timezone.utc).isoformat(timespec="seconds")
        write_once(file, json.dumps({"schema": SCHEMA, "id": os.urandom(6).hex(), "created": made}).encode() + b"\n")
        content = _read(file)
    if content is None:
        problem = "is not a workspace: it has no .xpm/workspace.json"
        raise WorkspaceError(str(place), problem, "Name a workspace's directory.")
    return _id_in(content, file)


def _read(file: Path) -> bytes | None:
    with explained(file, "cannot be read"):
        try:
            return file.read_bytes()
        except FileNotFoundError:
            return None


def _id_in(content: bytes, file: Path) -> str:
    try:
        fields: Any = json.loads(content)
        schema, workspace_id = fields["schema"], fields["id"]
    except (ValueError, TypeError, KeyError):
        schema = workspace_id = None
    if isinstance(schema, int) and schema > SCHEMA:
        problem = f"was written by a later xpm (layout {schema}, this one knows {SCHEMA})"
        raise WorkspaceError(str(file), problem, "Upgrade xpm.")
    if not isinstance(workspace_id, str) or not _ID.fullmatch(workspace_id):
        remedy = "Restore it, or delete it: then a new id is drawn, and done jobs are found by their directories."
        raise WorkspaceError(str(file), "is damaged: it names no workspace id", remedy)
    return workspace_id
