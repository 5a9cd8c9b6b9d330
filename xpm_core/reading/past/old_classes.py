"""Read payloads with the classes of a snapshot, in a process of its own.

The classes of a snapshot have the names of today's. In one process, one of the two would be hidden: by `sys.modules`,
by what a module registers when it is imported, or by an extension that cannot be loaded twice. Imports inside of
functions would find the wrong one even later. Therefore another process imports the snapshot's classes. It sends back
the parameters as plain values, and no module of this process changes.

Owns: this process, and what it sends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from xpm_core.errors import ShapedError, SnapshotError, TaskImportError
from xpm_core.job.environment import clean_environment
from xpm_core.language.identity.description import describe
from xpm_core.project.moved_code import MovedCode
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.private_copy import private_copy
from xpm_core.snapshot.trees.trees import Trees
from xpm_core.wire.signing import key_in
from xpm_core.wire.unpacker import Unpacker

BOOT = (
    "import sys; getattr(sys.flags, 'safe_path', False) or sys.path.pop(0); "
    "from xpm_core.reading.past.old_classes import main; main()"
)
"""Not `-m`: this would put the working directory in front of `sys.path`."""


class OldJob(NamedTuple):
    """A job whose configuration is to be read.

    Attributes:
        identity: Its identity.
        payload: The task as bytes.
        directory: The job's directory.
    """

    identity: str
    payload: bytes
    directory: Path


@contextmanager
def opened(workspace: Path, snapshot: str, provenance: str) -> Iterator[MovedCode]:
    """The files of a snapshot on this machine, while the block runs.

    No job runs in them. So they can be had also if a large file, which is not kept with the code, was changed since.

    Raises:
        SnapshotError: What the workspace keeps of it is missing or damaged.
    """
    try:
        tree = Trees(workspace).open(snapshot, provenance)
    except SnapshotError:
        with tempfile.TemporaryDirectory(prefix="xpm-") as folder:
            yield private_copy(CodeStore(workspace), snapshot, provenance, Path(folder) / "code")
        return
    with tree:
        yield tree.code


def read_old(jobs: Sequence[OldJob], workspace: Path, code: MovedCode) -> dict[str, dict[str, Any] | str]:
    """Read the configurations of jobs with the classes of their snapshot.

    Args:
        jobs: The jobs. They have one snapshot.
        workspace: The workspace.
        code: Where the files of the snapshot are.

    Returns:
        By identity: the description of the configuration, as `params.json` has it; or why it cannot be read.
    """
    written = [{**each._asdict(), "directory": str(each.directory), "payload": _text(each.payload)} for each in jobs]
    request = {"workspace": str(workspace), "folders": dict(code.folders), "jobs": written}
    environment = clean_environment(os.environ, "", key=key_in(os.environ))
    answer = subprocess.run(
        [sys.executable, "-c", BOOT],
        input=json.dumps(request).encode("utf-8", "surrogatepass"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    found: dict[str, dict[str, Any] | str] = {}
    for line in answer.stdout.splitlines():
        identity, described = json.loads(line)
        found[identity] = described
    for each in jobs:
        found.setdefault(
            each.identity, f"the process that imports its modules has ended, exit code {answer.returncode}"
        )
    return found


def main() -> None:
    """Read what `read_old` asks for, and write a line for each job."""
    request = json.loads(sys.stdin.buffer.read().decode("utf-8", "surrogatepass"))
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="surrogatepass")
    os.dup2(2, 1)  # what modules print is no answer
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    workspace, code = Path(request["workspace"]), MovedCode(request["folders"])
    for each in request["jobs"]:
        job = OldJob(each["identity"], a2b_base64(each["payload"]), Path(each["directory"]))
        answer.write(json.dumps([job.identity, _description(job, workspace, code)]) + "\n")
        answer.flush()
    os._exit(0)  # the modules of the snapshot may have started threads


def _description(job: OldJob, workspace: Path, code: MovedCode) -> dict[str, Any] | str:
    """The description of a job's configuration; or why it cannot be read."""
    try:
        config, _ = Unpacker(workspace, job.directory, (), code).configuration(job.payload, job.identity)
        return describe(config, job=job.directory, workspace=workspace)
    except Exception as error:  # the edge of this process: the user's modules can raise anything
        return said(error)


def said(error: Exception) -> str:
    """What is wrong, without what to do: that is for jobs that are to run."""
    if isinstance(error, TaskImportError):
        return f"cannot import {error.needed!r} ({error.reason})"
    return error.problem if isinstance(error, ShapedError) else str(error) or type(error).__name__


def _text(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()
