"""Tasks on their way to a job, with no worker between: loaded as a job loads them, or as if they were submitted.

`from helpers.payloads import loaded, submitted`.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from xpm_core.config import state_of
from xpm_core.identity import seal
from xpm_core.wire import payload


def loaded(task: Any, workspace: Path, data: bytes | None = None) -> Any:
    """What a job in `jobs/x` gets of a task, or of other data that stand for it."""
    packed = payload.pack(task, workspace) if data is None else data
    return payload.load(packed, workspace=workspace, identity=seal(task), jobpath=workspace / "jobs" / "x")


def submitted(task: Any, workspace: Path, name: str = "") -> Any:
    """A task as if it was submitted, with its directory at `jobs/NAME`, where the name is by default its identity."""
    identity = seal(task)
    state_of(task).submitted = SimpleNamespace(jobpath=workspace / "jobs" / (name or identity), where="here")
    return task
