"""What a worker has claimed is checked before anything is done with it: it came from Redis, where others can write.

Owns: which words of a lease may be used as they are. What is in the payload is read in the job's own process
only (xpm_core.wire.payload).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from xpm_core.errors import PayloadError, WorkspacePathError
from xpm_core.limits import LARGEST_PAYLOAD
from xpm_core.store.records import Lease
from xpm_core.wire import signing
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace

REMEDY = "It was not written by this xpm: submit the job again."

_EXECUTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNITS = re.compile(r"[0-9,]*")
_LONGEST_NAME = 1000


def label(lease: Lease) -> str:
    """A job as logs and messages name it: `Train/3f9ac2e`."""
    name = lease.name if lease.name.isidentifier() else "job"
    return f"{name}/{''.join(filter(str.isalnum, lease.identity[:7]))}"


def vet(lease: Lease, workspace: Workspace, key: bytes | None) -> JobDirectory:
    """Make sure that a lease is of the form that xpm writes, and signed, if this worker has a key.

    Returns:
        The job's directory, which follows from its task and identity.

    Raises:
        PayloadError: Something in it is not of that form.
        SignatureError: The worker has a key, and the job is not signed with it.
        WorkspacePathError: Its identity is none, or its directory is not the one that belongs to it.
    """
    problem = next(_problems(lease), None)
    if problem is not None:
        raise PayloadError(label(lease), problem, REMEDY)
    directory = workspace.job(lease.task, lease.identity)
    if lease.directory != directory.relative:
        problem = f"its directory is {lease.directory!r}, expected {directory.relative}"
        raise WorkspacePathError(label(lease), problem, REMEDY)
    if key is not None:
        signed = signing.SignedJob(
            workspace=workspace.id,
            identity=lease.identity,
            task=lease.task,
            name=lease.name,
            directory=lease.directory,
            payload=lease.payload,
            options=lease.options,
        )
        signing.verify(key, signed, label(lease))
    return directory


def _problems(lease: Lease) -> Iterator[str]:
    """What is wrong with a lease, in words."""
    if not _EXECUTION.fullmatch(lease.execution):
        yield f"its execution's id is {lease.execution!r}, expected letters and digits"
    if "unreadable" in lease.options:
        yield f"its options are {str(lease.options['unreadable'])[:_LONGEST_NAME]!r}, expected a map as JSON"
    if not lease.name.isidentifier() or len(lease.name) > _LONGEST_NAME:
        yield f"its name is {lease.name[:_LONGEST_NAME]!r}, expected the name of a class"
    if not lease.task.isprintable() or len(lease.task) > _LONGEST_NAME:
        yield f"its task is {lease.task[:_LONGEST_NAME]!r}, expected module:Class"
    if len(lease.payload) > LARGEST_PAYLOAD:
        yield f"its payload has {len(lease.payload)} bytes, {LARGEST_PAYLOAD} are allowed"
    for token, (_, numbers) in lease.units.items():
        if not _UNITS.fullmatch(numbers):
            yield f"its units of token {token!r} are {numbers!r}, expected numbers"
    for variable in lease.variables:
        if not _VARIABLE.fullmatch(variable):
            yield f"a token names its units by {variable!r}, expected the name of a variable"
    for name, (right, wanted) in _OPTIONS.items():
        if not right(lease.options.get(name)):
            yield f"its option {name} is {lease.options[name]!r}, expected {wanted}"


def _is_env(value: Any) -> bool:
    if not isinstance(value, dict):
        return value is None
    names = all(isinstance(name, str) and name and "=" not in name and "\0" not in name for name in value)
    return names and all(isinstance(word, str) and "\0" not in word for word in value.values())


def _is_seconds(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None or (is_number and math.isfinite(value) and value > 0)


_OPTIONS = {
    "timeout_s": (_is_seconds, "a number of seconds above 0"),
    "env": (_is_env, "names and values as strings"),
    "resumable": (lambda value: value is None or isinstance(value, bool), "true or false"),
}
"""The options that a worker reads, and what each must be."""
