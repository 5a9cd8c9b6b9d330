"""Results that a run reuses, and whether they are still those of today's code.

The index says which jobs ran another snapshot than today's. Only of these, the directories are read.

Owns: finding them, and the words for them. Only runs with a snapshot ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from xpm_core.errors import XpmError
from xpm_core.fingerprints.comparison import Answer
from xpm_core.index.entries import Entry, code_name
from xpm_core.index.merged import MergedIndex
from xpm_core.judging.judge import Judge, Judgement
from xpm_core.labels import label
from xpm_core.project.import_path import import_path
from xpm_core.script.code.choice import Code
from xpm_core.words.text import listed, plural
from xpm_core.workspace.job_directory import JobDirectory

MOST = 4
"""How many lines a report has of this at most."""
PLACES = 3
"""How many places of a line are named."""

_ORDER: tuple[Answer, ...] = ("ran", "unknown", "reached")
SAME = Judgement("same")


class Job(Protocol):
    """A job of the run."""

    @property
    def identity(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def directory(self) -> JobDirectory: ...


class Reused:
    """Says of done jobs what has become of their code. One thread at a time may use it.

    Args:
        workspace: The workspace's directory.
        today: Returns the code that the run submits now.

    Example:
        >>> Reused(workspace.path, lambda: code.newest).of(job).answer
        'ran'
    """

    def __init__(self, workspace: Path, today: Callable[[], Code]) -> None:
        self._workspace, self._today = workspace, today
        self.older: dict[str, str] = {}
        """For each class of which `lines` has told jobs that ran older code, the identity of one of them."""
        self._entries: Mapping[str, Entry] | None = None
        self._judge: tuple[Code, Judge] | None = None

    def of(self, job: Job) -> Judgement:
        """What has become of the code of a done job. A job that ran today's snapshot has the same code.

        Raises:
            XpmError: The index, or the description of today's code, cannot be read.
        """
        today = self._today()
        if not today.snapshot:  # today's code is not kept: nothing can be said
            return SAME
        if self._entries is None:
            self._entries = MergedIndex(self._workspace).read()
        entry = self._entries.get(job.identity)
        if entry is not None and entry.end is not None and entry.end.code == code_name(today.snapshot):
            return SAME
        if self._judge is None or self._judge[0] != today:
            self._judge = today, Judge(self._workspace, *today, import_path())
        return self._judge[1].of(job.directory, entry.task if entry is not None and entry.task else job.name)

    def lines(self, jobs: Iterable[Job]) -> list[str]:
        """Lines for the report of the run, of the jobs that it has reused.

        Example:
            >>> reused.lines(jobs)
            ["note    41 reused jobs of Train ran older code: mlp.py MLP.forward", ...]
        """
        groups: dict[tuple[Answer, str], _Group] = {}
        try:
            for job in jobs:
                found = self.of(job)
                if found.answer != "same":
                    groups.setdefault((found.answer, job.name), _Group([], {}, {})).add(found, job)
                if found.answer == "ran":
                    self.older.setdefault(job.name, job.identity)
        except XpmError:  # the report is worth more than this note
            self.older.clear()
            return []
        ordered = sorted(groups.items(), key=lambda item: (_ORDER.index(item[0][0]), -len(item[1].jobs)))
        told = [line for (answer, name), group in ordered[:MOST] for line in _LINES[answer](name, group)]
        rest = sum(len(group.jobs) for _, group in ordered[MOST:])
        return told + ([f"        and {plural(rest, 'reused job')} of other classes"] if rest else [])


class _Group(NamedTuple):
    """The jobs of a class that have one kind of answer; what has changed of them, and what cannot be told."""

    jobs: list[Job]
    places: dict[str, None]
    why: dict[str, None]

    def add(self, found: Judgement, job: Job) -> None:
        self.jobs.append(job)
        self.places.update(dict.fromkeys(found.places))
        self.why.update(dict.fromkeys(found.why))


def changed_line(job: Job, found: Judgement) -> str:
    """How a job is told that ran code which has changed.

    Example:
        >>> changed_line(job, found)
        'Train/3f9ac2e is done, and ran older code: mlp.py MLP.forward'
    """
    return f"{label(job.name, job.identity)} is done, and ran older code: {_places(found.places)}"


def _ran(name: str, group: _Group) -> list[str]:
    jobs = plural(len(group.jobs), "reused job")
    return [f"note    {jobs} of {name} ran older code: {_places(list(group.places))}"]


def _reached(name: str, group: _Group) -> list[str]:
    jobs, it = plural(len(group.jobs), "reused job"), "it" if len(group.jobs) == 1 else "they"
    return [f"note    {jobs} of {name}: code has changed that {it} never ran: {_places(list(group.places))}"]


def _unknown(name: str, group: _Group) -> list[str]:
    jobs, it = plural(len(group.jobs), "reused job"), "its" if len(group.jobs) == 1 else "their"
    return [f"note    {jobs} of {name}: cannot tell whether {it} code has changed: {_places(list(group.why))}"]


_LINES: Mapping[Answer, Callable[[str, _Group], list[str]]] = {"ran": _ran, "reached": _reached, "unknown": _unknown}


def _places(places: Sequence[str]) -> str:
    return listed(places, PLACES)
