"""What runs in a job's own process: from the clean fork to the user's `execute`, and its last word.

Owns: session, working directory, streams and environment of the job. How the process ended is seen by its
starter; from here it only hears what an exit code does not tell. Nothing of this touches the job's own
streams, which user code may close.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Mapping
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

from xpm_core.errors import GracefulTimeout, TaskImportError
from xpm_core.job import running
from xpm_core.job.running import RunningJob, TaskCancelled
from xpm_core.project.import_path import STANDARD_NAMES, import_path, in_library
from xpm_core.wire import live_task, payload
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace
from xpm_worker.job import failure, leaving
from xpm_worker.job.interruption import Interruption
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import Finished, Leaving, Loaded, Message, Output, Relay, Run
from xpm_worker.system import clock, kernel

LONGEST_NAME, LONGEST_LOOKED = 200, 500
"""Characters of the name of a module that is missing, and of where it was looked for."""

HANDED_BACK = 75
"""Exit code of a job that hands itself back (EX_TEMPFAIL in sysexits.h)."""


class Reports:
    """The job's way to its starter. It never blocks the job: what does not go at once goes later, or is dropped.

    The job's code may close descriptors and reuse their numbers, so each word is sent only after a look at whether the
    descriptor still is the one that was handed over.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._fd = channel.fileno()
        self._inode, self._pid = os.fstat(self._fd).st_ino, os.getpid()

    def say(self, message: Message) -> None:
        """Tell something that must arrive; waits a little for the starter to listen."""
        with self._lock:
            self._send(message)
            self._push()

    def relay(self, kind: str, data: dict[str, Any]) -> bool:
        """Tell something while the job runs. Returns whether it went out."""
        with self._lock:
            if self._channel.pending:
                self._flush()
            return not self._channel.pending and self._send(Relay(kind, data))

    def output(self, data: dict[str, Any]) -> None:
        """Tell of an output; what does not go out now goes with the next word."""
        with self._lock:
            self._send(Output(data))

    def _push(self) -> None:
        while self._channel.pending and self._intact():
            os.set_blocking(self._fd, True)
            self._channel.flush()

    def _send(self, message: Message) -> bool:
        if not self._intact():
            return False
        self._channel.send(message)
        return not self._channel.closed

    def _flush(self) -> None:
        if self._intact():
            self._channel.flush()

    def _intact(self) -> bool:
        """Whether this still is the job's process, and not one that it forked, and the descriptor what it was."""
        try:
            return not self._channel.closed and os.getpid() == self._pid and os.fstat(self._fd).st_ino == self._inode
        except OSError:
            return False


reports: Reports | None = None
"""The way to the starter, in a job's process; None elsewhere."""


def run(job: Run, channel: Channel) -> NoReturn:
    """Be the job's process, and end with it.

    Args:
        job: What to run.
        channel: The way to the starter.
    """
    global reports
    code = 1
    try:
        kernel.set_name(kernel.JOB_NAME)
        reports = Reports(channel)
        code = perform(job, reports)
    except BaseException as error:  # the edge of the process: its log is the only place left
        _append(2, failure.text(error))
    finally:
        os._exit(code)


def perform(job: Run, reports: Reports) -> int:
    """Run the job, up to its last word. Returns the exit code of its process."""
    error: BaseException | None = None
    interruption = Interruption(job.grace_s)
    directory = directory_of(job)
    last = next(reversed(sys.modules))
    try:
        _enter(job, directory, interruption)
        running.current = _running(job, directory, reports)
        interruption.allow()
        execute(job, directory, reports)
        interruption.deny()
    except BaseException as raised:  # whatever the user's code raises ends the job, and is told
        error = raised
    interruption.deny()
    code, word, is_cancelled = _exit_code(error), _last_word(job, directory, error), isinstance(error, TaskCancelled)
    error = None  # with the objects in its frames
    problem = leaving.leave(last, lambda: reports.say(Leaving()))
    if problem is not None and not code:
        code, word = _exit_code(problem), _last_word(job, directory, problem)
    if is_cancelled:
        interruption.end()
    if word is not None:
        reports.say(word)
    return code


def _last_word(job: Run, directory: JobDirectory, error: BaseException | None) -> Finished | None:
    """What the job's process says last. What was raised is written to the job's log."""
    code = _exit_code(error)
    if error is None:
        return Finished(True, None)
    if not code:  # `sys.exit(0)`: its exit code says it all
        return None
    _log(job, directory, error)
    if isinstance(error, GracefulTimeout):
        return Finished(False, None, handed_back=True)
    missing = _missing(error)
    return Finished(False, _summary(job, error, code), missing=missing, looked=_looked_in(job) if missing else "")


def directory_of(job: Run) -> JobDirectory:
    """The directory of a job."""
    return _workspace(job.workspace).job_at(job.directory)


@lru_cache(maxsize=1)
def _workspace(path: str) -> Workspace:
    return Workspace(Path(path), "")


def _running(job: Run, directory: JobDirectory, reports: Reports) -> RunningJob:
    """The job as its own code sees it."""
    began = clock.boot_time()
    own_end = None if job.timeout_s is None else began + job.timeout_s
    ends = [moment for moment in (job.ends_at, own_end) if moment is not None]
    return RunningJob(
        job.label,
        directory,
        left_s=lambda: min(ends) - clock.boot_time() if ends else None,
        report=reports.relay,
        output=reports.output,
    )


def _enter(job: Run, directory: JobDirectory, heed: Interruption) -> None:
    """Set the process up for its job: session, SIGTERM, directory, streams, environment. The rest was done before.

    Args:
        job: The job.
        directory: Its directory, which is there.
        heed: Called when SIGTERM comes.
    """
    os.setsid()
    signal.signal(signal.SIGTERM, heed)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    taskdir = str(directory.path)
    os.chdir(taskdir)
    redirect(directory.out, directory.err)
    sys.argv = [job.task]
    os.environ.pop("OLDPWD", None)
    for name, value in (job.env | _facts(job, taskdir)).items():
        os.environ[name] = value


def open_streams() -> None:
    """Let `sys.stdin`, `sys.stdout` and `sys.stderr` be what jobs have: made once, in the starter, for all of them.

    They show each line at once to whoever follows the log, and no character can break them.
    """
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        mode, errors = ("w", "backslashreplace") if fd else ("r", "replace")
        binary = open(fd, f"{mode}b", closefd=False)  # noqa: SIM115, it stays open
        stream = io.TextIOWrapper(binary, "utf-8", errors, line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def redirect(out: Path, err: Path) -> None:
    """Let standard output and error go into files, and standard input be empty."""
    for target, path in ((0, os.devnull), (1, out), (2, err)):
        flags = os.O_RDONLY if target == 0 else os.O_WRONLY | os.O_APPEND | os.O_CREAT
        opened = os.open(path, flags, 0o666)
        os.dup2(opened, target)
        os.close(opened)


def _facts(job: Run, taskdir: str) -> dict[str, str]:
    return {
        running.JOB_VARIABLE: job.identity,
        "PWD": taskdir,
        "XPM_EXECUTION": job.execution,
        "XPM_WORKSPACE": job.workspace,
        "XPM_TASKDIR": taskdir,
    }


def execute(job: Run, directory: JobDirectory, reports: Reports) -> None:
    """Load the job's task, and call its `execute`.

    Args:
        job: The job.
        directory: Its directory, which is there.
        reports: The way to the starter.
    """
    last = next(reversed(sys.modules))
    task = payload.load(
        job.payload, workspace=directory.workspace, identity=job.identity, jobpath=directory.path, allow=job.allow
    )
    reports.say(Loaded(shared(imported(last))))
    if not directory.params.exists():
        directory.write_params(live_task.params(task))
    if running.current is not None:
        running.current.task = task
    live_task.execute(task)


def imported(last: str) -> dict[str, str]:
    """The modules that this process has imported since the last one, in that order, each with its file.

    Only new modules are looked at: to touch those that were inherited would cost a copy of the memory they lie in.
    """
    names = list(takewhile(lambda name: name != last, reversed(sys.modules)))[::-1]
    modules = ((name, sys.modules[name]) for name in names)
    specified = (each for each in modules if getattr(each[1], "__spec__", None) is not None)
    return {name: getattr(module, "__file__", None) or "" for name, module in specified}


def installed(modules: Mapping[str, str]) -> list[str]:
    """Of modules with their files, those that belong to installed packages."""
    return [name for name, file in modules.items() if any(part in file for part in failure.INSTALLED)]


def shared(modules: Mapping[str, str]) -> list[str]:
    """Of modules with their files, those that a template may import in a job's place.

    None if the project has a module in place of one of the standard library: a template, which imports nothing of the
    project, would give packages the other one.
    """
    others = (file for name, file in modules.items() if name in STANDARD_NAMES and file and not in_library(file))
    return [] if any(map(failure.is_own, others)) else installed(modules)


def _exit_code(error: BaseException | None) -> int:
    """The exit code that Python gives to what ended a program."""
    if error is None:
        return 0
    if isinstance(error, GracefulTimeout):
        return HANDED_BACK
    if not isinstance(error, SystemExit):
        return 1
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def _summary(job: Run, error: BaseException, code: int) -> dict[str, Any]:
    summary = failure.summarize(error)
    if isinstance(error, TaskImportError):
        summary["message"] = _import_message(job, error)
        if not any(frame["own"] for frame in summary["frames"]):  # no line of the user's asked for it
            summary.update(file=None, line=None, function=None)
    elif isinstance(error, SystemExit):
        said = "" if isinstance(error.code, int) else f": {summary['message']}"
        summary.update(type="SystemExit", message=f"exit code {code}{said}")
    return summary


def _missing(error: BaseException | None) -> str:
    """The module that was not found when the job's code was imported: this worker lacks it. Empty for other errors."""
    if isinstance(error, TaskImportError) and isinstance(error.__cause__, ModuleNotFoundError):
        return (error.__cause__.name or error.module)[:LONGEST_NAME]
    return ""


def _looked_in(job: Run) -> str:
    """Where this process looks for modules, as messages tell it."""
    _, named = payload.first_module(job.payload)
    gone = [each for each in named.own_folders if not os.path.isdir(each)]
    away = [f"{folder} (named by the script; not on this machine)" for folder in gone]
    return ", ".join([*away, *import_path().own_folders, f"the packages of {sys.prefix}"])[:LONGEST_LOOKED]


def _import_message(job: Run, error: TaskImportError) -> str:
    remedy = error.remedy
    if error.__cause__ is not None and not isinstance(error.__cause__, ImportError):
        remedy = 'Its module raised that: mend it, or put what it runs under `if __name__ == "__main__":`.'
    where = f": looked in {_looked_in(job)}" if _missing(error) else ""
    daemon = re.sub(r"\.[0-9]+$", "", job.worker)  # all its slots import alike
    return (
        f"Worker {daemon} on {job.host}: cannot import {error.needed!r} ({error.reason}), needed by "
        f"{job.label}{where}. {remedy}"
    )


def _log(job: Run, directory: JobDirectory, error: BaseException) -> None:
    """Write what was raised to the job's log, whatever became of its stderr."""
    if isinstance(error, (GracefulTimeout, TaskCancelled)):  # no failure: where it was is of no interest
        shown = f"{type(error).__name__}: {error}\n"
    elif isinstance(error, SystemExit):
        shown = "" if error.code is None or isinstance(error.code, int) else f"{error.code}\n"
    elif isinstance(error, TaskImportError):
        shown = failure.text(error.__cause__ or error) + "\n" + _import_message(job, error) + "\n"
    else:
        shown = failure.text(error)
    with contextlib.suppress(OSError):
        opened = os.open(directory.err, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        _append(opened, shown)
        os.close(opened)


def _append(fd: int, shown: str) -> None:
    data = shown.encode("utf-8", "backslashreplace")
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(fd, data) :]
