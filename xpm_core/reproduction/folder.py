"""The folder in which a job is run again: all that is needed for it, for people and for programs.

    README.md           what this is, what is not pinned, and how to run it
    run                 a script that runs the job in `job/`
    requirements.txt    the packages that the execution had
    params.json         the parameters, as the job's directory has them
    code/<tree>/...     the files of the snapshot
    job/                where the job works; it begins empty

The folder can be moved: nothing in it names its own place. Nobody but the user can read it, because the environment of
a job may hold secrets. Owns: these files.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from xpm_core.errors import ReproduceError
from xpm_core.foreground.scratch import BOOT, ForegroundJob, command
from xpm_core.job.environment import TASKDIR_VARIABLE
from xpm_core.labels import short
from xpm_core.project.moved_code import UNMOVED, MovedCode
from xpm_core.reproduction.pinning import CODE, Note
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.private_copy import private_copy
from xpm_core.words.text import plural
from xpm_core.workspace.files import explained
from xpm_core.workspace.job_spec import JobSpec

JOB, RUN, README, REQUIREMENTS, PARAMS = "job", "run", "README.md", "requirements.txt", "params.json"

_RUN = """\
#!/bin/sh
# Run {label} again, in the folder job/. With another Python: PYTHON=venv/bin/python ./run
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 2
python=${{PYTHON:-{python}}}
case $python in
    */*) python=$(CDPATH= cd -- "$(dirname -- "$python")" && pwd)/${{python##*/}} ;;
esac
[ -n "$PYTHON" ] || [ -x "$python" ] || python=python3
{exports}
export {taskdir}="$here/job" PWD="$here/job"
cd "$here/job" || exit 2
exec "$python" -c {boot} "$@"
"""

_README = """\
# {title}

This folder has what is needed to run job {identity} again. `xpm reproduce` has made it from the workspace
{workspace}.

- `code/`: {code}
- `requirements.txt`: {packages}
- `params.json`: the parameters of the job.
- `run`: runs the job in `job/`. It reads what other jobs have made from the workspace, and writes nothing there.

In an environment of its own:

    python -m venv venv
    venv/bin/pip install -r requirements.txt
    PYTHON=venv/bin/python ./run

Compare what it has written with the job's directory, {directory}:

    xpm reproduce {short} --into . --compare --workspace {quoted}

## What is not pinned

{notes}
"""


class Contents(NamedTuple):
    """What comes into the folder.

    Attributes:
        spec: What the job runs.
        title: The job as people know it.
        workspace: The directory of its workspace.
        directory: The directory of the job.
        params: The content of its `params.json`; empty if it has none.
        snapshot: The snapshot to take, with its provenance; empty for the code as it is.
        requirements: The lines of `requirements.txt`; None if the packages are not known.
        variables: The environment that the job needs.
        notes: What is not pinned.
    """

    spec: JobSpec
    title: str
    workspace: Path
    directory: Path
    params: bytes
    snapshot: str
    requirements: Sequence[str] | None
    variables: Mapping[str, str]
    notes: Sequence[Note]


def check_empty(folder: Path) -> None:
    """Make sure that a folder can be filled.

    Raises:
        ReproduceError: It is a file, or something is in it.
        WorkspaceError: It cannot be read.
    """
    with explained(folder, "cannot be read"):
        if os.path.lexists(folder) and not folder.is_dir():
            raise ReproduceError(str(folder), "is not a folder", "Name another one: --into DIR")
        if folder.is_dir() and any(folder.iterdir()):
            raise ReproduceError(str(folder), "is not empty", "Remove it, or name another one: --into DIR")


def write(folder: Path, contents: Contents) -> None:
    """Fill a folder.

    Args:
        folder: The folder, an absolute path. It is made if it does not exist.
        contents: What comes into it.

    Raises:
        ReproduceError: It is not empty.
        SnapshotError: What is kept of the snapshot is missing or damaged.
        WorkspaceError: It cannot be written.
    """
    check_empty(folder)
    with explained(folder, "cannot be made"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    code = UNMOVED
    if contents.snapshot:
        store, provenance = CodeStore(contents.workspace), contents.spec.options.provenance
        code = private_copy(store, contents.snapshot, provenance, folder / CODE)
    with explained(folder, "cannot be written"):
        _write_job(folder, contents, code)
        (folder / REQUIREMENTS).write_text("\n".join(_requirements(contents)) + "\n", encoding="utf-8")
        (folder / README).write_text(_readme(contents), encoding="utf-8", errors="backslashreplace")
        if contents.params:
            (folder / PARAMS).write_bytes(contents.params)
        (folder / RUN).write_text(_script(contents), encoding="utf-8", errors="surrogateescape")
        (folder / RUN).chmod(0o700)


def _write_job(folder: Path, contents: Contents, code: MovedCode) -> None:
    """Write what `run` starts. The folders of the code are relative, so that all can be moved."""
    folders = {root: os.path.relpath(place, folder / JOB) for root, place in code.folders.items()}
    job = ForegroundJob.of(contents.spec, contents.workspace, "", -1)._replace(code=folders)
    job.fill(folder / JOB)


def _script(contents: Contents) -> str:
    variables = {name: value for name, value in contents.variables.items() if name not in (TASKDIR_VARIABLE, "PWD")}
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items()))
    python = shlex.quote(command()[0])
    return _RUN.format(
        label=contents.spec.label, python=python, exports=exports, taskdir=TASKDIR_VARIABLE, boot=shlex.quote(BOOT)
    )


def _requirements(contents: Contents) -> Sequence[str]:
    unknown = ["# Which packages were installed is not recorded."]
    return unknown if contents.requirements is None else contents.requirements


def _readme(contents: Contents) -> str:
    if contents.snapshot:
        code = f"the files of snapshot {contents.snapshot}, as they were when the job was submitted."
    else:
        code = "it is not there. The code is imported from where it is."
    known = contents.requirements is not None
    pinned = [each for each in contents.requirements or () if not each.startswith("#")]
    return _README.format(
        title=contents.title,
        identity=contents.spec.identity,
        short=short(contents.spec.identity),
        workspace=contents.workspace,
        quoted=shlex.quote(str(contents.workspace)),
        directory=contents.directory,
        code=code,
        packages=f"{plural(len(pinned), 'package')} with their versions." if known else "the packages are not known.",
        notes="\n".join(f"- {note.text}." for note in contents.notes) or "Nothing that is recorded.",
    )
