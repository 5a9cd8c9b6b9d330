"""Check a lease before the worker uses it, because it comes from Redis, where others can write.

Owns: which facts of a lease a worker accepts. Only the job's own process reads the payload (xpm_core.wire.payload).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpm_core.errors import PayloadError, WorkspacePathError
from xpm_core.limits import LARGEST_PAYLOAD
from xpm_core.store.records import Lease
from xpm_core.wire import signing
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import EXECUTION
from xpm_core.workspace.workspace import Workspace

REMEDY = "It was not written by this xpm: submit the job again."

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNITS = re.compile(r"[0-9,]*")
_LONGEST_NAME = 1000


def check(lease: Lease, workspace: Workspace, key: bytes | None) -> JobDirectory:
    """Make sure that a lease has the form that xpm writes, and that the job is signed, if this worker has a key.

    Args:
        lease: The lease.
        workspace: The worker's workspace.
        key: The worker's signing key; None if it has none.

    Returns:
        The job's directory, which follows from its task and identity.

    Raises:
        PayloadError: A fact has not that form.
        SignatureError: The worker has a key, and the job is not signed with it.
        WorkspacePathError: The identity is malformed, or the directory is not that of the job.
    """
    spec = lease.spec
    problem = next(_problems(lease), None)
    if problem is not None:
        raise PayloadError(spec.label, problem, REMEDY)
    directory = workspace.job(spec.task, spec.identity)
    if spec.directory != directory.relative:
        problem = f"its directory is {spec.directory!r}, expected {directory.relative}"
        raise WorkspacePathError(spec.label, problem, REMEDY)
    if key is not None:
        signing.verify(key, workspace.id, spec)
    return directory


def _problems(lease: Lease) -> Iterator[str]:
    """Say what is wrong with a lease."""
    spec = lease.spec
    if not EXECUTION.fullmatch(lease.execution):
        yield f"its execution's id is {lease.execution!r}, expected letters and digits"
    if not spec.name.isidentifier() or len(spec.name) > _LONGEST_NAME:
        yield f"its name is {spec.name[:_LONGEST_NAME]!r}, expected the name of a class"
    if not spec.task.isprintable() or len(spec.task) > _LONGEST_NAME:
        yield f"its task is {spec.task[:_LONGEST_NAME]!r}, expected module:Class"
    if len(spec.payload) > LARGEST_PAYLOAD:
        yield f"its payload has {len(spec.payload)} bytes, {LARGEST_PAYLOAD} are allowed"
    for token, (_, numbers) in lease.units.items():
        if not _UNITS.fullmatch(numbers):
            yield f"its units of token {token!r} are {numbers!r}, expected numbers"
    for variable in lease.variables:
        if not _VARIABLE.fullmatch(variable):
            yield f"a token names its units by {variable!r}, expected the name of a variable"
    yield from spec.options.problems()
