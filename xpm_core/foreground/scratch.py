"""The scratch folder of a job in the foreground: where it works instead of in its directory.

    .xpm/job.json    what runs there
    .xpm/run         a script that runs it, in the environment of the job
    .xpm/code/       a copy of the job's snapshot, for this folder alone: its files may be changed
    .xpm/shared/     in place of the workspace's folders that jobs share, and of caches
    params.json, and the files that the task writes

Owns: these files. Nobody but the user can read the folder, because the environment of a job may hold secrets.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from xpm_core.labels import short
from xpm_core.workspace.job_spec import JobSpec

BOOT = (
    "import sys; getattr(sys.flags, 'safe_path', False) or sys.path.pop(0); "
    "from xpm_core.foreground.main import main; main(sys.argv[1:])"
)
"""Not `-m`: this would put the working directory in front of `sys.path`."""

RUN = "sh .xpm/run"
"""The command that runs the job, typed in its scratch folder."""


class ForegroundJob(NamedTuple):
    """What runs in a scratch folder.

    Attributes:
        label: The job as messages name it, `Train/3f2a91c`.
        identity: Its identity.
        workspace: The path of its workspace.
        payload: The task as bytes (xpm_core.wire.payload).
        again: The command that runs the job with a debugger, for messages.
        most_bytes: How much is copied at most of each folder that the job shares with others.
        code: Where each root of its script is (xpm_core.project.moved_code): a folder, absolute, or relative to the
            scratch folder. Empty for a job that uses the files as they are.
    """

    label: str
    identity: str
    workspace: str
    payload: bytes
    again: str
    most_bytes: int
    code: Mapping[str, str] = {}

    @classmethod
    def of(cls, spec: JobSpec, workspace: Path, again: str, most_bytes: int) -> ForegroundJob:
        """The same job, from its record."""
        return cls(spec.label, spec.identity, str(workspace), spec.payload, again, most_bytes)

    @classmethod
    def read(cls, folder: Path) -> ForegroundJob:
        """Read what runs in a scratch folder."""
        fields = json.loads((folder / ".xpm" / "job.json").read_bytes())
        code = {root: os.path.normpath(folder / place) for root, place in fields["code"].items()}
        return cls(**{**fields, "payload": a2b_base64(fields["payload"]), "code": code})

    def make_folder(self, name: str) -> Path:
        """Make a scratch folder for it, below the system's folder for temporary files.

        Args:
            name: The short name of its task, for the name of the folder.
        """
        folder = Path(tempfile.mkdtemp(prefix=f"xpm-{name}-{short(self.identity)}-")).resolve()
        self.fill(folder)
        return folder

    def fill(self, folder: Path) -> None:
        """Write into a folder what it needs to be the scratch folder of the job. It is made if it does not exist."""
        (folder / ".xpm" / "shared").mkdir(parents=True)
        self.write(folder)
        words = " ".join(map(shlex.quote, command()))
        (folder / ".xpm" / "run").write_text(f'#!/bin/sh\nexec {words} "$@"\n')

    def write(self, folder: Path) -> None:
        """Write what runs in a scratch folder."""
        fields = {**self._asdict(), "payload": b2a_base64(self.payload, newline=False).decode()}
        (folder / ".xpm" / "job.json").write_text(json.dumps(fields) + "\n")


def code_in(folder: Path) -> Path:
    """Where a scratch folder has the code of the job."""
    return folder / ".xpm" / "code"


def shared_in(folder: Path) -> Path:
    """Where a scratch folder has what the job shares with other jobs."""
    return folder / ".xpm" / "shared"


def command() -> list[str]:
    """The words that run the job whose folder the environment names, in a process of its own."""
    return [os.path.abspath(sys.executable), "-c", BOOT]
