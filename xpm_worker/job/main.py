"""A job in its own process: from its message to the call of `execute`, and the last message to the starter.

Owns: session, working directory and environment of the job, and what its exit code means. The starter sees itself how
the process ended; the last message adds what an exit code cannot say. Messages do not use the job's streams, because
the user's code may close those.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from xpm_core.errors import GracefulTimeout, TaskImportError
from xpm_core.job import running
from xpm_core.job.environment import job_variables, tracker_variables
from xpm_core.job.reporting import results
from xpm_core.job.running import RunningJob, TaskCancelled
from xpm_core.tracebacks.user_frames import traceback_text
from xpm_core.wire import live_task, payload
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace
from xpm_worker.job import failure, import_errors, kept_code, leaving, streams, user_code
from xpm_worker.job.interruption.handler import Interruption
from xpm_worker.job.reports import Reports
from xpm_worker.job.trace import tracing
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import ClosingFiles, ResultsReported, RunJob, TaskFinished, TaskLoaded, TaskRan
from xpm_worker.system import clock, kernel

HANDED_BACK = 75
"""Exit code of a job that hands itself back (EX_TEMPFAIL in sysexits.h)."""


def run(job: RunJob, channel: Channel) -> NoReturn:
    """Run a job in this process, and end the process with the job's exit code.

    Args:
        job: What to run.
        channel: The way to the starter.
    """
    code = 1
    try:
        kernel.set_name(kernel.JOB_NAME)
        code = perform(job, Reports(channel))
    except BaseException as error:  # the edge of the process: only its log is left to write to
        streams.write(2, traceback_text(error))
    finally:
        os._exit(code)


def perform(job: RunJob, reports: Reports) -> int:
    """Run a job, and send its last message.

    Args:
        job: What to run.
        reports: The way to the starter.

    Returns:
        The exit code that this process must end with.
    """
    error: BaseException | None = None
    interruption = Interruption(job.grace_s)
    directory = directory_of(job)
    last = next(reversed(sys.modules))
    trace = tracing.begin(job)
    try:
        _enter(job, directory, interruption)
        running.current = _running(job, directory, reports)
        if job.resumable and max(job.number, job.attempt) > 1:  # by its directory, or by the server
            results.resume()
        interruption.allow()
        results.returned(execute(job, directory, reports))
        interruption.deny()
    except BaseException as raised:  # whatever the user's code raises ends the job, and is reported
        error = raised
    interruption.deny()
    tracing.note_modules(trace, last)
    code, message = _exit_code(error), _last_message(job, directory, error)
    is_cancelled = isinstance(error, TaskCancelled)
    error = None  # its frames keep the job's objects alive, and `leave` has to end those
    problem = leaving.leave(last, lambda: reports.send(ClosingFiles()))
    if problem is not None and not code:
        code, message = _exit_code(problem), _last_message(job, directory, problem)
    if is_cancelled:
        interruption.end()
    if document := tracing.document(trace):
        reports.send(TaskRan(document))
    if reported := results.summary():
        reports.send(ResultsReported(reported))
    if message is not None:
        reports.send(message)
    return code


def directory_of(job: RunJob) -> JobDirectory:
    """Return the directory of a job."""
    return _workspace(job.workspace).job_at(job.directory)


@lru_cache(maxsize=1)
def _workspace(path: str) -> Workspace:
    return Workspace(Path(path), "")


# -- before ------------------------------------------------------------------------------------------------------------


def _running(job: RunJob, directory: JobDirectory, reports: Reports) -> RunningJob:
    """The job as its own code sees it."""
    began = clock.boot_time()
    own_end = None if job.timeout_s is None else began + job.timeout_s
    ends = [moment for moment in (job.ends_at, own_end) if moment is not None]
    return RunningJob(
        job.label,
        directory,
        job.execution,
        left_s=lambda: min(ends) - clock.boot_time() if ends else None,
        report=reports.update,
        output=reports.output,
    )


def _enter(job: RunJob, directory: JobDirectory, on_sigterm: Interruption) -> None:
    """Give this process the job's session, handler of SIGTERM, working directory, streams and environment.

    Everything else was prepared before there was a job.

    Args:
        job: The job.
        directory: Its directory, which exists.
        on_sigterm: The handler of SIGTERM.
    """
    os.setsid()
    signal.signal(signal.SIGTERM, on_sigterm)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    taskdir = str(directory.path)
    os.chdir(taskdir)
    streams.redirect(directory.out, directory.err)
    sys.argv = [job.task]
    os.environ.pop("OLDPWD", None)
    variables = job_variables(job.identity, job.execution, workspace=job.workspace, taskdir=taskdir)
    number = job.number or job.attempt
    trackers = tracker_variables(job.trackers, number, resumable=job.resumable, environment=os.environ)
    for name, value in (trackers | job.extra | job.env | variables).items():
        os.environ[name] = value


# -- the task ----------------------------------------------------------------------------------------------------------


def execute(job: RunJob, directory: JobDirectory, reports: Reports) -> Any:
    """Load the job's task, call its `execute`, and return what that returned.

    Args:
        job: The job.
        directory: Its directory, which exists.
        reports: The way to the starter.
    """
    last = next(reversed(sys.modules))
    task = payload.load(
        job.payload,
        workspace=directory.workspace,
        identity=job.identity,
        jobpath=directory.path,
        allow=job.allow,
        code=kept_code.code_of(job),
    )
    reports.send(TaskLoaded(user_code.shareable(user_code.imported_since(last)), live_task.seeds(task)))
    if not directory.params.exists():
        directory.write_params(live_task.params(task))
    if running.current is not None:
        running.current.task = task
    return live_task.execute(task)


# -- after -------------------------------------------------------------------------------------------------------------


def _last_message(job: RunJob, directory: JobDirectory, error: BaseException | None) -> TaskFinished | None:
    """The last message to the starter. An error is also written to the job's log."""
    code = _exit_code(error)
    if error is None:
        return TaskFinished(True, None)
    if not code:  # `sys.exit(0)`: the exit code says everything
        return None
    _log(job, directory, error)
    if isinstance(error, GracefulTimeout):
        return TaskFinished(False, None, handed_back=True)
    missing = import_errors.missing_module(job, error)
    looked = import_errors.looked_in(job) if missing else ""
    return TaskFinished(False, _summary(job, error, code), missing=missing, looked=looked)


def _exit_code(error: BaseException | None) -> int:
    """The exit code that Python gives to a program that ends with an exception."""
    if error is None:
        return 0
    if isinstance(error, GracefulTimeout):
        return HANDED_BACK
    if not isinstance(error, SystemExit):
        return 1
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def _summary(job: RunJob, error: BaseException, code: int) -> dict[str, Any]:
    summary = failure.from_error(error)
    if isinstance(error, TaskImportError):
        summary["message"] = import_errors.message(job, error)
        if not any(frame["own"] for frame in summary["frames"]):  # no line of the user's code asked for the import
            summary.update(file=None, line=None, function=None)
    elif isinstance(error, SystemExit):
        said = "" if isinstance(error.code, int) else f": {summary['message']}"
        summary.update(type="SystemExit", message=f"exit code {code}{said}")
    elif hint := kept_code.hint(job, error):
        summary["message"] = f"{summary['message']}: {hint}"
    return kept_code.placed(summary, kept_code.code_of(job))


def _log(job: RunJob, directory: JobDirectory, error: BaseException) -> None:
    """Write an error to the job's log, even if the job has closed its stderr."""
    place = kept_code.code_of(job).there
    if isinstance(error, (GracefulTimeout, TaskCancelled)):  # this is no failure, so its traceback is of no interest
        text = f"{type(error).__name__}: {error}\n"
    elif isinstance(error, SystemExit):
        text = "" if error.code is None or isinstance(error.code, int) else f"{error.code}\n"
    elif isinstance(error, TaskImportError):
        text = traceback_text(error.__cause__ or error, place) + "\n" + import_errors.message(job, error) + "\n"
    else:
        hint = kept_code.hint(job, error)
        text = traceback_text(error, place) + (f"\n{hint}\n" if hint else "")
    streams.append_to(directory.err, text)
