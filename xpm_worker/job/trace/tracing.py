"""The trace of a job's process, from before its first import until its code has ended.

It is only for jobs with a snapshot: without one, nothing could be compared with what ran. Forked children have a copy
of the trace, which ends with them. What they run is not seen, so the document says that they were started.

Owns: when it begins and ends, and what goes into the document. Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping

from xpm_core.fingerprints.ran import CODE, OpenedFile, Part, Place, Ran, RanModule
from xpm_worker.job import user_code
from xpm_worker.job.trace import unseen
from xpm_worker.job.trace.audit import Audit
from xpm_worker.job.trace.entries import Entries
from xpm_worker.job.trace.opened import Digests
from xpm_worker.job.trace.places import Places
from xpm_worker.protocol.messages import RunJob

VARIABLE = "XPM_TRACE"
"""In the environment of a worker, or among the variables of a job: if it is 0, nothing is traced."""


class Tracing:
    """What this process runs of the files of its job's snapshot.

    Args:
        places: The files of the job's code.

    Example:
        >>> tracing = begin(job)
        >>> tracing.note_modules(last)      # when `execute` has ended
        >>> reports.send(TaskRan(tracing.document()))
    """

    def __init__(self, places: Places) -> None:
        self._pid = os.getpid()
        self._places = places
        self._entries, self._audit = Entries(self._places.copies), Audit(self._places)
        self._modules: dict[str, str] = {}
        self._has_modules = False
        self._compilers: set[str] = set()
        self._why = self._entries.start()
        self._audit.start()

    def note_modules(self, last: str) -> None:
        """Note the modules that were imported, while they are still there.

        Args:
            last: Name of the last module that was imported before the job's own.
        """
        for name in user_code.names_since(last):
            file = _file_of(sys.modules[name])
            if self._places.is_copy(file):
                self._modules[name] = file
        self._note_compilers()
        self._has_modules = True

    def _note_compilers(self) -> None:
        self._compilers |= unseen.compilers(self._modules, self._places.is_copy)

    def document(self) -> bytes:
        """What was run, as a document (`Ran`). To be called when the job's code has ended; the trace ends here.

        Returns:
            The document; empty in a process that the job has forked.
        """
        if os.getpid() != self._pid:
            return b""
        is_seen, audit = self._entries.stop(), self._audit
        self._note_compilers()
        lacks: set[Part] = set() if self._has_modules else {"modules"}
        lacks |= {"functions"} if self._entries.is_full or not (is_seen or self._why) else set()
        lacks |= {part for part in ("files", "modules") if part in audit.full}
        ran = Ran(
            "imports" if self._why else "monitoring",
            self._why,
            self._functions(),
            modules := sorted(self._ran_modules()),
            self._files({module[:2] for module in modules}),
            sorted({*audit.started, *unseen.starters()}),
            sorted(self._compilers),
            sorted(lacks),
        )
        return ran.written()

    def _functions(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for file, name in list(self._entries.seen):
            if place := self._places.place(file):
                found.setdefault(place, []).append(name)
        return found

    def _ran_modules(self) -> Iterator[RanModule]:
        for name, file in self._modules.items():
            if place := self._places.place(file):
                yield RanModule(*place, name)
        known = set(self._modules.values())
        for file in list(self._audit.executed):
            if file not in known and (place := self._places.place(file)):
                yield RanModule(*place, "")

    def _files(self, code: Collection[Place]) -> list[OpenedFile]:
        """What was read. A file of code is no data if it was run: it was read for that, or to show or keep its text."""
        audit = self._audit
        opened = {
            path: stamp
            for path, stamp in list(audit.opened.items())
            if not path.endswith(CODE) or self._places.place(path) not in code
        }
        return Digests(self._places, list(audit.written)).of(opened)


def begin(job: RunJob, environment: Mapping[str, str] = os.environ) -> Tracing | None:
    """Begin to trace this process.

    Args:
        job: The job.
        environment: The environment of the worker.

    Returns:
        The trace; None if the job has no snapshot, if XPM_TRACE is 0, or if it cannot begin.
    """
    if not job.snapshot or not job.code or "0" in (environment.get(VARIABLE), job.env.get(VARIABLE)):
        return None
    try:
        places = Places(job)
        return Tracing(places) if places.copies else None
    except Exception:  # whatever it is: the job runs without it, and what it ran is not known
        return None


def document(tracing: Tracing | None) -> bytes:
    """The document of a trace; empty if there is none. The job's code has ended, so no error counts any more."""
    try:
        return b"" if tracing is None else tracing.document()
    except BaseException:  # also what a handler of a signal raises that the job's code has left behind
        return b""


def note_modules(tracing: Tracing | None, last: str) -> None:
    """Note the modules of a trace, if there is one."""
    try:
        if tracing is not None:
            tracing.note_modules(last)
    except BaseException:  # as in `document`
        return


def _file_of(module: object) -> str:
    """The file of a module; empty if it has none. The job's code can put any object in the place of a module."""
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except Exception:  # the object has no attributes, or they are no dict
        return ""
    return file if type(file) is str else ""
