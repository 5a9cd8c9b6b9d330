"""What a process does, by Python's audit events: files that it opens, code that it runs, processes that it starts.

An audit hook cannot be taken away, and Python calls it for each event. So it does as little as possible: it notes
paths. Whatever it raised would be raised by the job's own call, so nothing in it fails. It catches nothing either: a
handler of a signal may raise while the hook runs, and that belongs to the job's code. Only names are kept; no file is
held.

Owns: which events count. Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from xpm_core.fingerprints.ran import MOST_FILES, MOST_MODULES
from xpm_core.project import origin
from xpm_worker.job.trace.opened import Stamp, stamp
from xpm_worker.job.trace.places import Places, plain

STARTS = {
    "os.fork": "fork",
    "os.forkpty": "fork",
    "pty.spawn": "fork",
    "subprocess.Popen": "subprocess",
    "os.posix_spawn": "subprocess",
    "os.spawn": "subprocess",
    "os.system": "subprocess",
    "os.exec": "exec",
    "cpython.PyInterpreterState_New": "interpreter",
}
"""Events by which a process starts others, which run unseen."""

_MOST_NOTED = 4 * MOST_FILES
"""How many files are noted: some of them turn out to be folders, or to be written to."""

_OF_XPM = os.path.join(os.path.dirname(origin.__file__), "")
"""The modules of xpm that read files of projects."""
_MOST_FRAMES = 10


class Audit:
    """What audit events have said since `start`.

    Args:
        places: The files of the job's code.

    Attributes:
        opened: Absolute paths of the project's data that was opened for reading, each with its stamp then.
        written: Likewise of what was opened for writing.
        made: Those of these that the job has begun anew before it read them.
        executed: Files of the project whose code was run from its beginning.
        started: How other processes were started.
        full: What was more than a document can have: "files", "modules".
    """

    def __init__(self, places: Places) -> None:
        self.opened: dict[str, Stamp] = {}
        self.written: dict[str, Stamp] = {}
        self.made: dict[str, None] = {}
        self.executed: dict[str, None] = {}
        self.started: dict[str, None] = {}
        self.full: dict[str, None] = {}
        self._places = places
        self._handlers: dict[str, Callable[[Any], None]] = {
            "open": self._open,
            "sqlite3.connect": self._connect,
            "exec": self._execute,
            **{event: self._starting(word) for event, word in STARTS.items()},
        }

    def start(self) -> None:
        """Begin. It goes on until the process ends."""
        handlers = self._handlers

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in handlers:
                handlers[event](arguments)

        sys.addaudithook(hook)

    def _open(self, arguments: tuple[Any, ...]) -> None:
        if len(arguments) == 3 and isinstance(arguments[2], int):
            self._note(arguments[0], arguments[2])

    def _connect(self, arguments: tuple[Any, ...]) -> None:
        if arguments:
            self._note(arguments[0], os.O_RDWR)

    def _note(self, named: object, flags: int) -> None:
        """Note a file that is just being opened, if it is the project's. It may not exist."""
        if isinstance(named, bytes):
            named = os.fsdecode(named)
        if not isinstance(named, str):
            return
        path = _absolute(named)
        if not self._places.is_data(path) or "\0" in path:
            return
        is_new = flags & (os.O_TRUNC | os.O_EXCL)
        is_read = flags & os.O_ACCMODE != os.O_WRONLY and not is_new
        noted = self.opened if is_read else self.written
        if path in noted or (is_read and path in self.made) or self._is_for_xpm():
            return
        if len(noted) >= _MOST_NOTED:
            self.full["files"] = None
            return
        noted[path] = stamp(path)
        if is_new and path not in self.opened:
            self.made[path] = None

    def _is_for_xpm(self) -> bool:
        """Whether xpm opens the file, as it does to find out the name of the project; not the job's code."""
        frame = sys._getframe(3).f_back
        for _ in range(_MOST_FRAMES):
            if frame is None or frame.f_code.co_filename.startswith(self._places.copies):
                break
            if frame.f_code.co_filename.startswith(_OF_XPM):
                return True
            frame = frame.f_back
        return False

    def _execute(self, arguments: tuple[Any, ...]) -> None:
        code = arguments[0] if arguments else None
        if not isinstance(code, CodeType) or code.co_name != "<module>":
            return
        if not self._places.is_copy(file := code.co_filename):
            if self._places.is_data(file):  # the project's code, but not the snapshot's
                self._note(file, os.O_RDONLY)
        elif len(self.executed) < MOST_MODULES:
            self.executed[file] = None
        else:
            self.full["modules"] = None

    def _starting(self, word: str) -> Callable[[Any], None]:
        def note(_: Any) -> None:
            self.started[word] = None

        return note


def _absolute(path: str) -> str:
    """The absolute path of one that is just being opened; an empty one if its folder is gone."""
    if not path.startswith("/"):
        try:
            folder = os.getcwd()
        except (FileNotFoundError, PermissionError):  # only these: any other error is of a signal's handler
            return ""
        path = f"{folder}/{path}"
    return plain(path)
