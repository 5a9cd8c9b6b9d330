"""The records in a job's directory: their forms, and which of them to believe.

Owns: reading them so that damaged ones count as missing, and, where it matters, only what the same user wrote.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from typing import Any, Literal, NamedTuple

from xpm_core.errors import WorkspacePathError

Kind = Literal["done", "failed"]
KINDS: tuple[Kind, Kind] = ("done", "failed")

EXECUTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
MARKER = re.compile(rb'\{"execution": "([A-Za-z0-9_-]{1,64})"\}\n')
IMPORTED = "imported.json"
"""The name, in the folder `.xpm` of a job, of the mark of a job that came from somebody else's file (`xpm import`)."""
ACCEPTED = "accepted.jsonl"
"""The name, there, of what people have accepted of the job's result (xpm_core.judging.acceptance), one a line."""
IMPORTS = ".xpm/imports.jsonl"
"""The file of a workspace that has a line for each import. Without it, no job there is imported."""
RECORD = re.compile(r"([0-9]{1,9})-([A-Za-z0-9_-]{1,64})\.json")


class Marker(NamedTuple):
    """The outcome of a job, and the execution that had it."""

    kind: Kind
    execution: str


def read_small(path: str) -> bytes:
    """Read a file of a few bytes, at the least cost: many thousand jobs may have one each."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe in its place is read as empty
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def regular(path: str, flags: int) -> int:
    """Open a file, as the `opener` of `open`, only if it is a regular one.

    A job writes into its directory what it likes. Whoever reads a pipe there would wait forever, and a device may have
    no end.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)  # otherwise opening a pipe waits for its writer
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_whole(path: str) -> bytes:
    """Read a file of any size.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    with open(path, "rb", opener=regular) as file:
        return file.read()


def read_own(path: str) -> bytes:
    """Read a file that this user has written.

    Raises:
        PermissionError: Another user has.
    """
    with open(path, "rb", opener=regular) as file:
        if os.fstat(file.fileno()).st_uid != os.geteuid():
            raise PermissionError(errno.EACCES, "written by another user", path)
        return file.read()


def object_in(content: bytes) -> dict[str, Any]:
    """Return the object of JSON in a file; an empty one if the file is damaged."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def marker_text(execution: str) -> bytes:
    """Return the content of a marker."""
    return json.dumps({"execution": checked(execution)}).encode() + b"\n"


def checked(execution: str) -> str:
    """Return an execution's id, which becomes part of a file's name.

    Raises:
        WorkspacePathError: It has other characters than an id may have.
    """
    if not EXECUTION.fullmatch(execution):
        problem = f"expected letters, digits, '_' or '-' in an execution's id, got {execution!r}"
        raise WorkspacePathError("execution", problem, "Take the id that the claim was made with.")
    return execution
