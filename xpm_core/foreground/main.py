"""The process of a job in the foreground: it makes the task from its payload, and calls `execute`.

It differs from the process of a job of a worker in this: the job works in a scratch folder, its streams are the
terminal's, nothing limits its time, and what it reports is printed. Owns: its exit code, and what is said of an error.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from time import monotonic

from xpm_core.config.base import Task
from xpm_core.config.decorators import CACHE
from xpm_core.errors import GracefulTimeout, PayloadError, TaskImportError, XpmError
from xpm_core.foreground import copies
from xpm_core.foreground.debugger import post_mortem
from xpm_core.foreground.reports import Reports
from xpm_core.foreground.scratch import ForegroundJob, shared_in
from xpm_core.job import running
from xpm_core.job.environment import TASKDIR_VARIABLE
from xpm_core.job.outputs import OBJECTS
from xpm_core.job.reporting import results
from xpm_core.job.running import RunningJob
from xpm_core.project.import_path import import_path
from xpm_core.project.moved_code import MovedCode
from xpm_core.tracebacks.user_frames import is_xpm_file, traceback_text, user_trace
from xpm_core.wire import live_task, payload
from xpm_core.words.text import say, span
from xpm_core.workspace.job_directory import JobDirectory

FAILED, INTERRUPTED = 1, 130


def main(words: Sequence[str]) -> None:
    """Run the job of the scratch folder that the environment names, and end this process with its exit code.

    Args:
        words: `--pdb` for a debugger at the error, `--quiet` for no messages.
    """
    folder = Path(os.environ[TASKDIR_VARIABLE])
    os.chdir(folder)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # as in a job of a worker
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    sys.exit(perform(ForegroundJob.read(folder), folder, debugs="--pdb" in words, quiet="--quiet" in words))


def perform(job: ForegroundJob, folder: Path, *, debugs: bool, quiet: bool) -> int:
    """Run a job.

    Args:
        job: The job.
        folder: Its scratch folder, which is the current directory.
        debugs: Whether to open a debugger at an error.
        quiet: Whether to print only what the job prints, and its error.

    Returns:
        The exit code of this process: 0 if a worker would call the job done.
    """
    began = monotonic()
    try:
        execute(job, folder, quiet)
    except BaseException as error:  # whatever the user's code raises ends the job
        if not isinstance(error, SystemExit) or error.code:
            return _ended(job, error, INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED, debugs)
    if not quiet:
        say(f"done        after {span(monotonic() - began)}")
    return 0


def execute(job: ForegroundJob, folder: Path, quiet: bool) -> None:
    """Load the task of a job, and call its `execute`.

    Args:
        job: The job.
        folder: Its scratch folder.
        quiet: Whether to print no messages.
    """
    directory = JobDirectory(folder.parent, folder.name)
    reports = Reports(directory, quiet=quiet)
    running.current = RunningJob(
        job.label, directory, left_s=lambda: None, report=reports.progress, output=reports.output
    )
    workspace = Path(job.workspace)
    task = payload.load(
        job.payload,
        workspace=workspace,
        identity=job.identity,
        jobpath=folder,
        shared=shared_in(folder),
        code=MovedCode(job.code),
    )
    if not directory.params.exists():  # else the job has run in this folder before, and finds what it has left
        _bring_shared(task, workspace, shared_in(folder), job)
        directory.write_params(live_task.params(task))
    running.current.task = task
    results.returned(live_task.execute(task))
    results.summary()


def _bring_shared(task: Task, workspace: Path, shared: Path, job: ForegroundJob) -> None:
    """Copy what the job would find in folders that it shares with other jobs, and in the caches of its objects."""
    caches = [found.__dict__.get(CACHE) for _, found in task.__dict__[OBJECTS].values()]
    for folder in dict.fromkeys([*live_task.shared_folders(task), *filter(None, caches)]):
        real = workspace / folder.relative_to(shared)
        size = copies.size_of(real)
        if size.files and size.bytes > job.most_bytes:
            remedy = "; --copy copies it" if job.again else ""
            say(f"not copied  {real}: {size}. Here it begins empty{remedy}.")
        elif size.files:
            copies.copy(real, folder)


# -- the end -----------------------------------------------------------------------------------------------------------


def _ended(job: ForegroundJob, error: BaseException, code: int, debugs: bool) -> int:
    """Say why the job has not ended well, open the debugger if it was asked for, and return the exit code."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    if type(error).__name__ == "BdbQuit":  # the user has left the debugger of `breakpoint()`
        return code
    origin = error.__cause__ if isinstance(error, TaskImportError) and error.__cause__ else error
    say(_said(job, error, origin).rstrip())
    if debugs and _has_user_frames(origin):
        with suppress(KeyboardInterrupt):
            post_mortem(user_trace(origin))
    elif code == FAILED and _has_user_frames(origin) and job.again:
        say(f"A debugger at this place: {job.again}")
    return code


def _said(job: ForegroundJob, error: BaseException, origin: BaseException) -> str:
    """What to print of an error: the traceback with the user's frames, and what it means for the job."""
    if isinstance(error, TaskImportError):
        trace = f"{traceback_text(origin)}\n" if origin is not error and _has_user_frames(origin) else ""
        return f"{trace}Error: {job.label}: {_import_problem(error, origin)}"
    if isinstance(error, GracefulTimeout):
        return f"{type(error).__name__}: {error}\nA worker would hand the job back, and run it again later."
    if isinstance(error, SystemExit):
        said = f"exit code {error.code}" if isinstance(error.code, int) else str(error.code)
        return f"{traceback_text(error)}Error: {job.label}: it left by sys.exit: {said}."
    if isinstance(error, PayloadError) or (isinstance(error, XpmError) and not _has_user_frames(error)):
        return f"Error: {job.label}: {error}"
    return traceback_text(error)


def _import_problem(error: TaskImportError, origin: BaseException) -> str:
    problem = f"cannot import {error.needed!r} ({error.reason})"
    if isinstance(origin, ModuleNotFoundError):
        looked = ", ".join([*import_path().own_folders, f"the packages of {sys.prefix}"])
        return f"{problem}: looked in {looked}. Install it, or add its folder to PYTHONPATH."
    if origin is not error:
        return f"{problem}. Its module raised that: mend it."
    return f"{problem}. Its code has changed since it was submitted: run its script again."


def _has_user_frames(error: BaseException) -> bool:
    """Whether a line of somebody else than xpm, and than Python's import system, led to an error."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(not is_xpm_file(file) and not file.startswith("<frozen") and "importlib" not in file for file in files)
