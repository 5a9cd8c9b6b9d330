"""The records in a job's directory, and which of them to believe.

Owns: their forms, and reading them without following a link or trusting what another user wrote.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from xpm_core.errors import WorkspacePathError

Kind = Literal["done", "failed"]
KINDS: tuple[Kind, Kind] = ("done", "failed")

_EXECUTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MARKER = re.compile(rb'\{"execution": "([A-Za-z0-9_-]{1,64})"\}\n')
_RECORD = re.compile(r"([0-9]{1,9})-([A-Za-z0-9_-]{1,64})\.json")


class Marker(NamedTuple):
    """What a job came to, and which execution says so."""

    kind: Kind
    execution: str


class Handed(NamedTuple):
    """What a job's worker was handed, beside task and identity: enough to run the job again."""

    name: str
    payload: bytes
    options: Mapping[str, Any]
    needs: Sequence[str]
    max_retries: int
    max_losses: int
    backoff_s: float

    @property
    def sound(self) -> bool:
        """Whether all is of the type that it has to be, but for the payload."""
        named = isinstance(self.name, str) and isinstance(self.options, dict)
        needs = isinstance(self.needs, list) and all(isinstance(need, str) and need for need in self.needs)
        counts = all(type(count) is int and count >= 0 for count in (self.max_retries, self.max_losses))
        return named and needs and counts and type(self.backoff_s) in (int, float) and 0 <= self.backoff_s < 1e9


def _read_small(path: str) -> bytes:
    """A file of a few bytes, at the least cost: there may be one for each of many thousand jobs."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def _read_whole(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _read_own(path: str) -> bytes:
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_uid != os.geteuid():
            raise PermissionError(errno.EACCES, "written by another user", path)
        return file.read()


def _object_in(content: bytes) -> dict[str, Any]:
    """The object in a file; an empty one when the file is damaged."""
    try:
        fields = json.loads(content)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _marker(execution: str) -> bytes:
    """The content of a marker."""
    return json.dumps({"execution": _checked(execution)}).encode() + b"\n"


def _checked(execution: str) -> str:
    if not _EXECUTION.fullmatch(execution):
        problem = f"expected letters, digits, '_' or '-' in an execution's id, got {execution!r}"
        raise WorkspacePathError("execution", problem, "Take the id that the claim was made with.")
    return execution
