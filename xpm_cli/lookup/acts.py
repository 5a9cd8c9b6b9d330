"""Cancel a job, or run it again, and say what came of it.

Owns: the words for each result, and which results are alike. Whoever calls it has asked before, see `Targets`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.sealed_job import distrust, vouched
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.why.known import all_paused, unserved
from xpm_core.states import State
from xpm_core.store.records import CancelCode, RetryCode

if TYPE_CHECKING:
    from xpm_cli.lookup.code.retried_code import Recoded


class Result(NamedTuple):
    """What came of acting on a job.

    Attributes:
        done: Whether it was done.
        line: A line about it, which begins with the job.
        said: The same without the job.
        kind: One word for results that are alike: "cancelled", "asked", "spared", "settled", …
    """

    done: bool
    line: str
    said: str
    kind: str


def pointless(opened: OpenWorkspace, row: JobRow, verb: str) -> str:
    """Why it would do nothing to "cancel" or "retry" a job as it stands; empty if it may do something."""
    if row.state is None:
        return ""
    if verb == "cancel" and row.state.settled and row.state is not State.BLOCKED:
        return _line(opened, row, _settled(row.state.value))
    if verb == "retry" and not row.state.settled:
        return _line(opened, row, _unsettled(opened, row, row.state.value))
    return ""


def cancel(opened: OpenWorkspace, row: JobRow, *, spares_running: bool, again: str) -> Result:
    """Cancel a job.

    Args:
        opened: The workspace.
        row: The job.
        spares_running: Whether to leave it as it is if it runs by now.
        again: What to do if it was left.
    """
    code, state, worker = opened.store.cancel(row.identity, spares_running=spares_running)
    if code is CancelCode.CANCELLED:
        opened.ends.cancelled(row.identity)
    result = {
        CancelCode.CANCELLED: "cancelled.",
        CancelCode.ASKED: f"worker {worker} was told to stop it.",
        CancelCode.SPARED: f"it runs by now, on worker {worker}: not cancelled. {again}",
        CancelCode.SETTLED: _settled(state),
        CancelCode.UNKNOWN: "the server does not know it any more. Run its script again.",
    }
    return _result(opened, row, code in (CancelCode.CANCELLED, CancelCode.ASKED), result[code], code.name)


def may_run(opened: OpenWorkspace, row: JobRow, *, trusts: bool) -> bool:
    """Whether a job may run again, as far as trust decides. Else not even the folders are read that it names."""
    return row.state is not State.DONE or distrust(opened.directory(row), trusts=trusts) is None


def retry(opened: OpenWorkspace, row: JobRow, recoded: Recoded | None = None, *, trusts: bool = False) -> Result:
    """Run a job again that has ended.

    Args:
        opened: The workspace.
        row: The job.
        recoded: The job with the code that it is to use; None for its own.
        trusts: Whether to run what an imported job runs.
    """
    if row.state is State.DONE and (problem := distrust(opened.directory(row), trusts=trusts)):
        return _result(opened, row, False, ". ".join(problem), "distrusted")
    if recoded is None:
        code, state, other = opened.store.retry(row.identity, kept=vouched(opened, row, opened.kept(row)))
    else:
        code, state, other = opened.store.retry(row.identity, kept=recoded.kept, recoded=recoded[:2])
    if code is RetryCode.RETRIED:
        opened.ends.again(row.identity)
    commands, folder = opened.commands, opened.directory(row).path
    result = {
        RetryCode.RETRIED: f"{state} again.",
        RetryCode.UNSETTLED: _unsettled(opened, row, state),
        RetryCode.BLOCKED: f"it waits for {short(other)}, which did not succeed. Retry that: {commands.retry(other)}",
        RetryCode.STALE: f"it was run again meanwhile. Look: {commands.status()}",
        RetryCode.UNKNOWN: "the server does not know it any more. Run its script again.",
        RetryCode.BARE: f"its directory does not tell how to run it. Remove it, and run its script: {folder}",
        RetryCode.IN_USE: f"{short(other)} runs and uses its result. Wait, or cancel that: {commands.cancel(other)}",
    }
    return _result(opened, row, code is RetryCode.RETRIED, result[code], code.name)


def obstacle_lines(opened: OpenWorkspace, rows: Sequence[JobRow]) -> Iterator[str]:
    """Which queues of jobs that were retried are paused, or served by no worker: the jobs are ready, and would wait."""
    found, queues = opened.store.look().queues, {row.queue for row in rows if row.queue}
    for reason in unserved(found, queues):
        yield reason.after_retry(opened.commands.start_worker(reason.queue))
    for pause in all_paused(found, opened.now_s, queues):
        yield pause.warning(opened.commands.resume_queue(pause.queue))


def _settled(state: str) -> str:
    return f"it is {state} already: nothing to cancel."


def _unsettled(opened: OpenWorkspace, row: JobRow, state: str) -> str:
    return f"it is {state}: it has not ended. Cancel it first: {opened.commands.cancel(row.identity)}"


def _result(opened: OpenWorkspace, row: JobRow, done: bool, said: str, kind: str) -> Result:
    return Result(done, _line(opened, row, said), said, kind.lower())


def _line(opened: OpenWorkspace, row: JobRow, result: str) -> str:
    return f"{short(row.identity)}  {opened.title(row)}: {result}"
