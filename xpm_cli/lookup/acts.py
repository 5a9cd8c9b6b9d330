"""Cancel jobs, or run them again, and say what came of each.

Owns: the words for each result, and which results are alike. Whoever calls it has asked before, see `Targets`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from xpm_cli.app import say
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.sealed_job import distrust, vouched
from xpm_core.errors import XpmError
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.why.known import all_paused, unserved
from xpm_core.server.connection import ServerError
from xpm_core.server.faults import fault_of
from xpm_core.states import State
from xpm_core.store.jobs import Cancelled, Retried, Retrying
from xpm_core.store.records import CancelCode, RetryCode

if TYPE_CHECKING:
    from xpm_cli.lookup.code.retried_code import Recoded

BATCH = 100
"""How many jobs are acted on in one round trip. Between two of these, the server has time for others."""
_NONE: Mapping[str, Recoded] = MappingProxyType({})


class Result(NamedTuple):
    """What came of acting on a job.

    Attributes:
        done: Whether it was done.
        line: A line about it, which begins with the job.
        said: The same without the job.
        kind: One word for results that are alike: "cancelled", "asked", "spared", "settled", "refused", …
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


def cancel(
    opened: OpenWorkspace, rows: Sequence[JobRow], *, spares_running: Callable[[JobRow], bool], again: str
) -> Iterator[Result]:
    """Cancel jobs, `BATCH` in one round trip.

    Args:
        opened: The workspace.
        rows: The jobs.
        spares_running: Whether to leave a job as it is if it runs by now.
        again: What to do if it was left.

    Returns:
        What came of each, in order. An error of the server leaves open what came of the jobs of its batch.
    """
    for batch in _batches(rows):
        asked_s = time.time()
        answers = opened.store.cancel_each((row.identity, spares_running(row)) for row in batch)
        results = [_cancelled(opened, row, answer, again) for row, answer in zip(batch, answers, strict=True)]
        opened.ends.cancelled((row.identity for row in _of_kind(batch, results, CancelCode.CANCELLED)), asked_s)
        yield from results


def _cancelled(opened: OpenWorkspace, row: JobRow, answer: Cancelled | XpmError | ServerError, again: str) -> Result:
    if isinstance(answer, (XpmError, ServerError)):
        return _refused(opened, row, answer)
    code, state, worker = answer
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


def retry(
    opened: OpenWorkspace, rows: Sequence[JobRow], recoded: Mapping[str, Recoded] = _NONE, *, trusts: bool = False
) -> Iterator[Result]:
    """Run jobs again that have ended, `BATCH` in one round trip.

    Args:
        opened: The workspace.
        rows: The jobs.
        recoded: Jobs with the code that they are to use; the others use their own.
        trusts: Whether to run what imported jobs run.

    Returns:
        As for `cancel`.
    """
    for batch in _batches(rows):
        asked = [_retrying(opened, row, recoded.get(row.identity), trusts) for row in batch]
        asked_s = time.time()
        answers = iter(opened.store.retry_each(each for each in asked if isinstance(each, Retrying)))
        results = [
            each if isinstance(each, Result) else _retried(opened, row, next(answers))
            for row, each in zip(batch, asked, strict=True)
        ]
        opened.ends.again((row.identity for row in _of_kind(batch, results, RetryCode.RETRIED)), asked_s)
        yield from results


def _retrying(opened: OpenWorkspace, row: JobRow, recoded: Recoded | None, trusts: bool) -> Retrying | Result:
    """What the server is asked about a job; or why it is not asked."""
    seen = row.job.execution if row.job is not None else ""
    try:
        if row.state is State.DONE and (problem := distrust(opened.directory(row), trusts=trusts)):
            return _result(opened, row, False, ". ".join(problem), "distrusted")
        if recoded is not None:
            return Retrying(row.identity, seen, recoded.kept, recoded[:2])
        return Retrying(row.identity, seen, vouched(opened, row, opened.kept(row)))
    except XpmError as error:  # of this job alone: its signature, its directory
        return _refused(opened, row, error)


def _retried(opened: OpenWorkspace, row: JobRow, answer: Retried | XpmError | ServerError) -> Result:
    if isinstance(answer, (XpmError, ServerError)):
        return _refused(opened, row, answer)
    code, state, other = answer
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


def said(results: Iterable[Result]) -> bool:
    """Print a line about each job, as soon as it is known. Returns whether it was done to all of them."""
    done = True
    for result in results:
        say(result.line)
        done = done and result.done
    return done


def obstacle_lines(opened: OpenWorkspace, rows: Sequence[JobRow]) -> Iterator[str]:
    """Which queues of jobs that were retried are paused, or served by no worker: the jobs are ready, and would wait."""
    found, queues = opened.store.look().queues, {row.queue for row in rows if row.queue}
    for reason in unserved(found, queues):
        yield reason.after_retry(opened.commands.start_worker(reason.queue))
    for pause in all_paused(found, opened.now_s, queues):
        yield pause.warning(opened.commands.resume_queue(pause.queue))


def _batches(rows: Sequence[JobRow]) -> Iterator[Sequence[JobRow]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def _of_kind(rows: Sequence[JobRow], results: Sequence[Result], code: IntEnum) -> Iterator[JobRow]:
    return (row for row, result in zip(rows, results, strict=True) if result.kind == code.name.lower())


def _refused(opened: OpenWorkspace, row: JobRow, error: XpmError | ServerError) -> Result:
    problem = str(error) if isinstance(error, XpmError) else f"{fault_of(error, opened.reader.client).problem}."
    return _result(opened, row, False, problem, "refused")


def _settled(state: str) -> str:
    return f"it is {state} already: nothing to cancel."


def _unsettled(opened: OpenWorkspace, row: JobRow, state: str) -> str:
    return f"it is {state}: it has not ended. Cancel it first: {opened.commands.cancel(row.identity)}"


def _result(opened: OpenWorkspace, row: JobRow, done: bool, said: str, kind: str) -> Result:
    return Result(done, _line(opened, row, said), said, kind.lower())


def _line(opened: OpenWorkspace, row: JobRow, result: str) -> str:
    return f"{short(row.identity)}  {opened.title(row)}: {result}"
