"""Jobs as a script knows them, without a server.

`from helpers.tracked_jobs import job`.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.states import State
from xpm_core.workspace.job_directory import JobDirectory

ERROR = {"type": "torch.cuda.OutOfMemoryError", "message": "no", "file": "/home/a/train.py", "line": 88}
_numbers = itertools.count(1)


def job(state: State, name: str = "Train", **more: Any) -> TrackedJob:
    """A job in a state; `more` are its attributes."""
    identity = f"{next(_numbers):07d}" + "0" * 57
    directory = JobDirectory(Path("/w"), f"jobs/t.train/{identity}")
    found = TrackedJob(
        tracker=None, identity=identity, name=name, directory=directory, place=("", 0), queue="default",  # type: ignore[arg-type]
    )  # fmt: skip
    fields = {"tags": {"lr": 0.01}, "worker": "gpu-a-0a1b2c3d.0", "since_s": time.time() - 3, "state": state}
    fields["error"] = ERROR if state is State.FAILED else {}
    for attribute, value in {**fields, **more}.items():
        setattr(found, attribute, value)
    return found


def everything(**more: Any) -> list[TrackedJob]:
    """Many jobs in each state."""
    return [job(state, **more) for state in State for _ in range(20)]
