"""How an attempt ended: the reason, the error, and the record of it.

Owns: what follows from the exit code, from the job's last message, and from what the starter itself did to the job.
"""

from __future__ import annotations

import os
import platform
import re
import signal
import socket
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from xpm_core.errors import SnapshotError, WorkspaceError
from xpm_core.fingerprints.ran import Ran
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.wire.live_task import LONGEST_SEED, MOST_SEEDS
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.reported import results_file
from xpm_worker.environment import END_TIMEOUT, IMPORT_TIMEOUT, timeout_s
from xpm_worker.job import failure, kept_code
from xpm_worker.protocol.messages import AttemptEnded, RunJob, TaskFinished
from xpm_worker.system.memory import PeakMemory

_LARGE_SEED = re.compile(f"-?[0-9]{{1,{LONGEST_SEED}}}")

PYTHON = platform.python_version()


@cache
def load_s() -> float:
    """How long a job may import its modules, seconds."""
    return timeout_s(os.environ, IMPORT_TIMEOUT)


@cache
def end_s() -> float:
    """How long the process of a job may take to write what its code has left open, seconds."""
    return timeout_s(os.environ, END_TIMEOUT)


class Ending(NamedTuple):
    """What the starter knows when the process of an attempt has ended.

    Attributes:
        job: What ran.
        stopped: Why the starter ended it; empty if it did not.
        finished: The last message of the job's process; None if there was none.
        overrun: What took too long, if the job was killed for this; else empty.
        stack: The frames of the job's main thread before it was killed; empty if they are not known.
        memory: The memory that the job had.
        status: The wait status of the job's process; None if there was no process.
        usage: The resources that it used, as `os.wait4` returns them; None if there was no process.
        seeds: The seeds that it has reported.
    """

    job: RunJob
    stopped: str
    finished: TaskFinished | None
    overrun: str
    stack: list[dict[str, Any]]
    memory: PeakMemory
    status: int | None
    usage: Any
    seeds: dict[str, Any] = {}  # noqa: RUF012, nobody adds to it

    @property
    def code(self) -> int | None:
        """The exit code of the job's process, or minus the number of the signal that ended it."""
        return None if self.status is None else os.waitstatus_to_exitcode(self.status)


def overrun(job: RunJob, stopped: str, since_sigterm_s: float | None = None) -> str:
    """Say what takes a job too long.

    Args:
        job: The job.
        stopped: Why the starter ended it.
        since_sigterm_s: How long ago it got SIGTERM, seconds; None if it did not get it.

    Returns:
        Words for the error's message; empty if nothing takes too long.

    Example:
        >>> overrun(job, "timeout")
        'ran longer than 20 s'
    """
    if stopped == "timeout":
        return f"ran longer than {job.timeout_s:g} s"
    if stopped == "import timeout":
        return f"its modules took longer than {load_s():g} s to import"
    if stopped == "end timeout":
        remedy = "A thread of its own may hold a file: end it, and close files, before `execute` returns."
        return f"what it left open was not written in {end_s():g} s. {remedy}"
    if stopped == "killed":
        return "killed by SIGKILL, because RQ's command kill-horse asked for it"
    if since_sigterm_s is not None:
        return f"had not ended {since_sigterm_s:.1f} s after SIGTERM"
    return ""


def ended(ending: Ending, seconds: float, *, began: bool) -> AttemptEnded:
    """Return the message to the slot about how an attempt ended.

    Args:
        ending: What is known.
        seconds: How long it took.
        began: Whether there was a process of the job.
    """
    reason, error = _reason(ending)
    error = None if error is None else kept_code.placed(error, kept_code.code_of(ending.job))
    code, finished = ending.code, ending.finished if reason == "refused" else None
    return AttemptEnded(
        execution=ending.job.execution,
        reason=reason,
        error=error,
        exit_code=code if code is not None and code >= 0 else None,
        signal=-code if code is not None and code < 0 else None,
        seconds=seconds,
        began=began,
        handed_back=reason == "released" and not ending.stopped,
        missing=finished.missing if finished is not None else "",
        looked=finished.looked if finished is not None else "",
    )


def record(ending: Ending, outcome: AttemptEnded, pid: int, started: datetime, end: datetime) -> dict[str, Any]:
    """Return the record of an attempt, for the job's directory.

    Args:
        ending: What is known.
        outcome: The message to the slot.
        pid: Process id of the job.
        started: When the attempt started.
        end: When it ended.
    """
    job, usage = ending.job, ending.usage
    return {
        "task": job.task,
        "host": job.host or socket.gethostname(),
        "pid": pid,
        "worker": job.worker,
        "start": started.isoformat(),
        "end": end.isoformat(),
        "started_s": started.timestamp(),
        "ended_s": end.timestamp(),
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "reason": outcome.reason,
        "error": outcome.error,
        "peak_memory_bytes": ending.memory.bytes(usage),
        "cpu_s": None if usage is None else round(usage.ru_utime + usage.ru_stime, 3),
        "python": PYTHON,
        **job.about,
        "code": {"snapshot": job.snapshot, "provenance": job.provenance},
        **({"seeds": seeds} if (seeds := checked_seeds(ending.seeds)) else {}),
    }


def kept_ran(job: RunJob, document: bytes) -> dict[str, Any]:
    """Keep what the process of a job has run in the workspace. The starter does so, whose state no job's code changes.

    Args:
        job: The job.
        document: What its process has sent; empty if that is nothing.

    Returns:
        Fields of the record: `ran`, the digest of the document, and `live_files` if it names some. None if there is no
        document, if it is malformed, or if the disk does not take it: what the job ran is then not known, and the job
        ends as it has ended.
    """
    if not document:
        return {}
    try:
        live = {"live_files": True} if Ran.read(document).has_live_files else {}
        return {"ran": CodeStore(Path(job.workspace)).put("ran", document), **live}
    except (SnapshotError, WorkspaceError):
        return {}


def kept_results(
    directory: JobDirectory, execution: str, reported: dict[str, Any] | None, finished: TaskFinished | None
) -> dict[str, Any]:
    """What the record says of the results of a job. A job that was killed cannot say it, but has left its file.

    Args:
        directory: The job's directory.
        execution: The execution.
        reported: What its process has sent; None if that is nothing.
        finished: The last message of the process; None if there was none.
    """
    if reported is not None:
        return results_file.checked(reported)
    if finished is not None:
        return {}
    return results_file.kept(directory, execution)


def checked_seeds(reported: dict[str, Any]) -> dict[str, Any]:
    """The seeds that a job has reported, without what can be none: its code may have sent anything."""
    fit = {path: value for path, value in reported.items() if len(path) <= LONGEST_SEED and _is_seed(value)}
    return dict(islice(fit.items(), MOST_SEEDS))


def _is_seed(value: Any) -> bool:
    return type(value) is int or (isinstance(value, str) and _LARGE_SEED.fullmatch(value) is not None)


def _reason(ending: Ending) -> tuple[str, dict[str, Any] | None]:
    """The reason and the error of an ended attempt."""
    stopped, finished, code, memory = ending.stopped, ending.finished, ending.code, ending.memory
    if code == 0 and stopped != "lost" and (stopped != "released" or (finished and finished.returned)):
        return "done", None
    if stopped in ("timeout", "import timeout"):
        kind = "Timeout" if stopped == "timeout" else "ImportTimeout"
        return "timeout", failure.from_stack(kind, overrun(ending.job, stopped), ending.stack)
    if stopped == "end timeout":
        return "failed", failure.from_text("EndTimeout", overrun(ending.job, stopped))
    if stopped and stopped != "killed":
        late = ending.overrun and code == -signal.SIGKILL
        return stopped, failure.from_stack("NotEnded", ending.overrun, ending.stack) if late else None
    if code is not None and code < 0:
        return "killed", failure.from_stack("Signal", _about_signal(ending, -code), ending.stack)
    if finished is not None and finished.handed_back:
        return "released", None
    if finished is not None and finished.error is not None:
        return "refused" if finished.missing else "failed", memory.with_kills(failure.checked(finished.error))
    return "failed", memory.with_kills(failure.from_text("ExitCode", f"exit code {code}"))


def _about_signal(ending: Ending, number: int) -> str:
    """Who or what ended the job's process by a signal."""
    killed = f"killed by {_signal_name(number)}"
    if number != signal.SIGKILL:
        return killed
    explanation = overrun(ending.job, ending.stopped)
    return explanation or f"{killed}, not by xpm: {ending.memory.explain_kill(ending.usage)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
