"""Where the table of a run takes the end of a job from, as long as the index has not got it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from xpm_core.index.entries import Entry
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.run_results import _with_end
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

JOB = "0" * 64


def test_the_record_of_an_earlier_attempt_is_not_the_end(workspace: Workspace) -> None:
    """Its worker was lost in the second attempt, say, and nobody has written a marker yet."""
    directory = workspace.job("sweep:Train", JOB)
    job = cast(TrackedJob, SimpleNamespace(state=State.FAILED, directory=directory, tags={}))

    def results_after(reason: str, accuracy: float) -> Any:
        number = directory.prepare(1, resumable=True)
        record = {"reason": reason, "results": {"accuracy": accuracy}}
        directory.write_record(number, f"e{number}", record)
        found = _with_end(Entry(JOB, "sweep:Train"), job)
        return found.end and found.end.results

    assert results_after("released", 0.1) is None
    assert results_after("done", 0.2) is None
    assert results_after("failed", 0.3) == {"accuracy": 0.3}
