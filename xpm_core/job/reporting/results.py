"""Results of a job, as its own code reports them: `result`, `output`, and what `execute` returns.

None of it fails the job. What cannot be kept is said in the job's log, in `results.json` and in the job's record.

Owns: the results of the job that runs in this process, and how often their file is written.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
import weakref
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from xpm_core.errors import ResultValueError, WorkspaceError
from xpm_core.job import running as job
from xpm_core.workspace.reported import results_file
from xpm_core.workspace.reported.results_file import LONGEST_PROBLEM, MOST_FILES, MOST_PROBLEMS, Reported
from xpm_core.workspace.reported.values import lacking, plain

WHOLE = "result"
"""The name of the result if `execute` returns a value that is no dict."""
MANY = 1000
"""From so many results on, the file is written once a second, and at the end of the job."""
PAUSE_S = 1.0
LARGEST_VALUE = 1_000_000
"""How large a result may be, about: characters of its text."""


class Results:
    """The results of the job that runs in this process.

    Args:
        running: The job.

    Attributes:
        running: The job. It is not kept alive, because it holds the task.
        pid: Its process.
    """

    def __init__(self, running: job.RunningJob) -> None:
        self._directory, self.running, self.pid = running.directory, weakref.ref(running), running.pid
        self._lock = threading.RLock()  # a signal handler of the job may report while something is written
        before = results_file.read(running.directory)  # of an earlier execution that a resumable task goes on from
        self.reported = before or Reported()
        self.reported.execution, self.reported.problems = running.execution, []
        self._count, self._due, self._changed = 0, 0.0, before is not None

    def add(self, name: str, value: Any) -> None:
        """Add a result, or put it in the place of an earlier one of this name."""
        marks: dict[str, str] = {}
        try:
            found = plain(value, name, marks)
            if (size := len(repr(found))) > LARGEST_VALUE:
                raise ResultValueError(
                    name, f"it takes {size} characters: expected at most {LARGEST_VALUE}; keep it in a file"
                )
        except ResultValueError as error:
            self.note(f"{error.where}: {error.problem}")
            return
        except Exception as error:  # a value whose own methods fail
            self.note(f"{name}: {type(error).__name__}: {error}")
            return
        with self._lock:
            kept = self.reported.not_finite
            for path in [path for path in kept if path == name or path.startswith(f"{name}.")]:
                del kept[path]
            kept.update(marks)
            self.reported.results[name] = found
            self._changed = True
            self._count += 1
            if self._count <= MANY or monotonic() >= self._due:
                self._write()

    def add_file(self, path: str) -> None:
        """Note a file that the job makes."""
        with self._lock:
            files = self.reported.files
            if path in files:
                return
            if len(files) >= MOST_FILES or len(path) > LONGEST_PROBLEM:
                limits = f"at most {MOST_FILES} files, of at most {LONGEST_PROBLEM} characters each"
                self.note(f"some announced files are not listed: expected {limits}")
                return
            files.append(path)
            self._changed = True
            self._write()

    def note(self, problem: str) -> None:
        """Note what could not be kept, in the log and for the job's record."""
        said = _sayable(problem)
        with self._lock:
            if said in self.reported.problems:
                return
            if len(self.reported.problems) < MOST_PROBLEMS:
                self.reported.problems.append(said)
                self._changed = True
                say(f"not kept as a result: {said}")

    def keep(self) -> None:
        """Write what was not written yet."""
        with self._lock:
            if self._changed:
                self._write()

    def end(self) -> dict[str, Any]:
        """Write what was not written yet; return the summary for the record."""
        if more := lacking(self.reported.results):
            self.note(f"too many results for tables: {results_file.NAME} alone has {more} of them")
        self.keep()
        return self.reported.summary()

    @property
    def folder(self) -> Path:
        """The job's directory."""
        return self._directory.path

    def _write(self) -> None:
        self._due = monotonic() + PAUSE_S
        try:
            self.reported.write(self._directory)
            self._changed = False
        except (WorkspaceError, ValueError) as error:
            problem = _sayable(f"{results_file.NAME}: {error}")
            if problem not in self.reported.problems and len(self.reported.problems) < MOST_PROBLEMS:
                self.reported.problems.append(problem)
                say(problem)


def result(name: str, value: Any) -> None:
    """Report a result of the job, such as its accuracy. Outside of a job, nothing happens.

    It never fails the job. A value that is no JSON is not kept, and the job's log and `xpm show` say so.

    Args:
        name: Its name, which becomes a column of tables. A later result of that name takes its place.
        value: A number, a text, a truth value, None, or lists and dicts of them. Scalars and small arrays of NumPy and
            torch are taken, too, and NaN and infinity are kept.

    Example:
        result("accuracy", correct / total)
        result("loss", {"train": 0.02, "test": 0.31})        # columns loss.train and loss.test
    """
    found = of_this_process("result")
    if found is None:
        return
    if not isinstance(name, str) or not name:
        found.note(f"{name!r}: expected a name for the result")
        return
    found.add(name, value)


def output(name: str | os.PathLike[str]) -> Path:
    """Announce a file that the job makes, so that it is listed with the job's results.

    Args:
        name: The file, relative to the job's directory: `model.bin`. Its folder is made.

    Returns:
        Its path. Outside of a job, the path is that of the name, and nothing is made or listed.

    Example:
        torch.save(model.state_dict(), output("model.bin"))
    """
    found = of_this_process("output")
    try:
        path = Path(name)
    except TypeError:
        if found is None:
            raise
        found.note(f"{name!r}: expected the name of a file")
        path = Path(str(name))
    if found is None:
        return path
    folder = found.folder
    place = Path(os.path.normpath(folder / path))
    if not place.is_relative_to(folder) or place == folder:
        found.note(f"{path}: expected a file in the job's directory")
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a zero byte
        found.note(f"{path}: {getattr(error, 'strerror', None) or error}")
    found.add_file(place.relative_to(folder).as_posix().encode("utf-8", "replace").decode())
    return place


def returned(value: Any) -> None:
    """Take what `execute` returned: the items of a dict, each as a result; any other value as the result `result`."""
    found = of_this_process("result")
    if found is None or value is None:
        return
    if isinstance(value, Mapping):
        try:
            items = list(value.items())
        except Exception as error:  # the user's class
            found.note(f"what execute returned: {type(error).__name__}: {error}")
            return
        for name, each in items:
            if isinstance(name, (str, int, float)) and str(name):
                found.add(str(name), each)
            else:
                found.note(f"what execute returned: the name {name!r} is a {type(name).__name__}: expected a text")
        return
    found.add(WHOLE, value)


def resume() -> None:
    """Take over what an earlier execution of a resumable task has reported, also if this one reports nothing."""
    try:
        if (found := of_this_process("result")) is not None:
            found.keep()  # at once, because this execution may be killed before it reports anything
    except Exception as error:  # the job goes on, whatever becomes of this
        say(f"its earlier results are not kept: {type(error).__name__}: {error}")


def summary() -> dict[str, Any]:
    """What the record of this execution says of its results; empty if nothing was reported.

    The job's objects may be gone by now (xpm_worker.job.leaving).
    """
    found = _latest
    if found is None or found.pid != os.getpid():
        return {}
    try:
        return found.end()
    except Exception as error:  # the job is done, whatever becomes of this
        say(f"its results are not kept: {type(error).__name__}: {error}")
        return {"result_problems": [_sayable(f"{type(error).__name__}: {error}")]}


def _sayable(problem: str) -> str:
    """A problem as messages and files take it: it may hold half a character, as paths may."""
    return problem[:LONGEST_PROBLEM].encode("utf-8", "replace").decode()


_making = threading.RLock()
_latest: Results | None = None
"""What the job of this process has reported; also when nothing else of the job is left."""
_warned: set[str] = set()


def of_this_process(what: str) -> Results | None:
    """The results of the job that runs in this process.

    Args:
        what: The function that asks, for the warning.

    Returns:
        None outside of a job, and, with a warning, in a process that the job has started.
    """
    running = job.current
    if running is None:
        warn_elsewhere(what)
        return None
    if running.pid != os.getpid():
        _warn(what)
        return None
    global _latest
    with _making:
        if _latest is None or _latest.running() is not running:
            _latest = Results(running)
        return _latest


def warn_elsewhere(what: str) -> None:
    """Warn if this process is not a job, but a job has started it, such as a worker process for one GPU.

    Args:
        what: The function that does nothing here.
    """
    if what not in _warned and job.JOB_VARIABLE in os.environ:
        _warn(what)


def _warn(what: str) -> None:
    """Warn once that a function does nothing in this process."""
    if what in _warned:
        return
    _warned.add(what)
    text = f"{what}() does nothing here: only the process of the job itself reports"
    try:
        warnings.warn(text, stacklevel=4)
    except Warning:  # the job's code makes errors of warnings, but nothing here fails it
        say(text)


def say(text: str) -> None:
    """Write a line into the job's log. The job's code may have closed it, or replaced it by anything."""
    try:
        print(f"xpm: {text}", file=sys.stderr, flush=True)
    except Exception:
        return
