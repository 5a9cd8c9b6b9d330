"""Results that a run reuses, and whether they are still those of today's code.

The index says which jobs ran another snapshot than today's, or with other packages. Only of these, the directories are
read, and each only once: this machine remembers what they say.

Owns: finding them, and the words for them. Only runs with a snapshot ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from xpm_core.errors import XpmError
from xpm_core.index.entries import Entry, code_name
from xpm_core.index.merged import MergedIndex
from xpm_core.judging.judgement import Judgement, is_as_today
from xpm_core.labels import label
from xpm_core.project.import_path import import_path
from xpm_core.script.code.choice import Code
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Provenance
from xpm_core.states import State
from xpm_core.words.text import listed, plural
from xpm_core.workspace.job_directory import JobDirectory

if TYPE_CHECKING:
    from xpm_core.fingerprints.comparison import Answer
    from xpm_core.judging.judge import Judge

MOST = 4
"""How many lines a report has of this at most."""
PLACES = 3
"""How many places of a line are named."""

_ORDER: Sequence[Answer] = ("ran", "unknown", "reached")
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
        store: What keeps today's code; None for the workspace.

    Example:
        >>> Reused(workspace.path, lambda: code.newest).of(job).answer
        'ran'
    """

    def __init__(self, workspace: Path, today: Callable[[], Code], store: CodeStore | None = None) -> None:
        self._workspace, self._today, self._store = workspace, today, store
        self.older: dict[str, str] = {}
        """For each class of which `lines` has told jobs that ran older code, the identity of one of them."""
        self._entries: Mapping[str, Entry] | None = None
        self._judge: tuple[Code, Judge] | None = None
        self._packages: tuple[Code, str] | None = None

    def of(self, job: Job) -> Judgement:
        """What has become of the code of a done job. If nothing can have changed by the index, it is the same.

        A job that ran today's snapshot has the same code. It can only have read files beside it that have changed.

        Raises:
            XpmError: The index, or the description of today's code, cannot be read.
        """
        today = self._today()
        if not today.snapshot:  # today's code is not kept: nothing can be said
            return SAME
        if self._entries is None:
            self._entries = MergedIndex(self._workspace, remembers=self._keeps).read()
        entry = self._entries.get(job.identity)
        end = entry.end if entry is not None and entry.end is not None and entry.end.state is State.DONE else None
        names = self._with_packages(today)
        if end is not None and not end.live_files and is_as_today(end.code, end.packages, today=names):
            return SAME
        task = entry.task if entry is not None and entry.task else job.name
        found = self._judge_of(today).of(job.directory, task, end.execution if end is not None else "")
        has_same_code = end is not None and end.code == code_name(today.snapshot)
        return SAME._replace(versions=found.versions) if has_same_code and found.answer != "ran" else found

    def _with_packages(self, today: Code) -> tuple[str, str]:
        """Today's snapshot and packages."""
        if self._packages is None or self._packages[0] != today:
            store = self._store or CodeStore(self._workspace)
            self._packages = today, Provenance.read(store.get("provenance", today.provenance)).packages
        return today.snapshot, self._packages[1]

    def _judge_of(self, today: Code) -> Judge:
        """Who compares jobs with today's code. Only a run that reuses what is not as today needs the comparison."""
        if self._judge is None or self._judge[0] != today:
            from xpm_core.judging.judge import Judge  # late, because it loads the comparison

            self._judge = today, Judge(self._workspace, *today, import_path(), self._store)
        return self._judge[1]

    def lines(self, jobs: Iterable[Job]) -> list[str]:
        """Lines for the report of the run, of the jobs that it has reused.

        Example:
            >>> reused.lines(jobs)
            ["note    41 reused jobs of Train ran older code: mlp.py MLP.forward", ...]
        """
        judged = []
        try:
            for job in jobs:
                judged.append((job, found := self.of(job)))
                if found.answer == "ran":
                    self.older.setdefault(job.name, job.identity)
        except XpmError as error:  # the report is worth more than this note
            self.older.clear()
            return [f"note    cannot tell whether the code of reused jobs has changed: {error}"]
        self._remember()
        return code_lines(judged)

    @property
    def _keeps(self) -> bool:
        """Whether anything may be written."""
        return self._store is None or self._store.keeps

    def _remember(self) -> None:
        if self._judge is not None and self._entries is not None and self._keeps:
            ends = (each.end for each in self._entries.values() if each.end is not None)
            self._judge[1].remember({end.execution for end in ends})


def code_lines(judged: Iterable[tuple[Job, Judgement]]) -> list[str]:
    """Lines about what has become of the code of some jobs, see `Reused.lines`."""
    groups: dict[tuple[Answer, str], _Group] = {}
    versions: dict[str, _Group] = {}
    for job, found in judged:
        if found.answer != "same":
            groups.setdefault((found.answer, job.name), _Group()).add(found)
        if found.versions:
            versions.setdefault(job.name, _Group()).add(found)
    ordered = sorted(groups.items(), key=lambda item: (_ORDER.index(item[0][0]), -item[1].jobs))
    told = [(_LINES[answer](name, group), group.jobs) for (answer, name), group in ordered]
    others = sorted(versions.items(), key=lambda item: -item[1].jobs)
    return [*_first(told), *_first([([_versions(name, group)], group.jobs) for name, group in others])]


def _first(groups: Sequence[tuple[Sequence[str], int]]) -> list[str]:
    """The lines of the first groups, and how many jobs the others have."""
    rest = sum(count for _, count in groups[MOST:])
    told = [line for lines, _ in groups[:MOST] for line in lines]
    return told + ([f"        and {plural(rest, 'reused job')} of other classes"] if rest else [])


@dataclass
class _Group:
    """The jobs of a class that have one kind of answer: how many, and which different answers."""

    jobs: int = 0
    found: dict[int, Judgement] = field(default_factory=dict)

    def add(self, found: Judgement) -> None:
        self.jobs += 1
        self.found[id(found)] = found  # jobs of equal code share one

    def told(self, what: Callable[[Judgement], Iterable[str]]) -> list[str]:
        """What all answers say, each word once."""
        return list(dict.fromkeys(word for each in self.found.values() for word in what(each)))

    @property
    def places(self) -> str:
        """What has changed."""
        return listed(self.told(lambda found: found.places), PLACES)


def changed_line(job: Job, found: Judgement) -> str:
    """How a job is told that ran code which has changed.

    Example:
        >>> changed_line(job, found)
        'Train/3f9ac2e is done, and ran older code: mlp.py MLP.forward'
    """
    return f"{label(job.name, job.identity)} is done, and ran older code: {listed(found.places, PLACES)}"


def _ran(name: str, group: _Group) -> list[str]:
    return [f"note    {plural(group.jobs, 'reused job')} of {name} ran older code: {group.places}"]


def _reached(name: str, group: _Group) -> list[str]:
    jobs, it = plural(group.jobs, "reused job"), "it" if group.jobs == 1 else "they"
    return [f"note    {jobs} of {name}: code has changed that {it} never ran: {group.places}"]


def _unknown(name: str, group: _Group) -> list[str]:
    jobs, it = plural(group.jobs, "reused job"), "its" if group.jobs == 1 else "their"
    why = listed(group.told(lambda found: found.why), PLACES)
    return [f"note    {jobs} of {name}: cannot tell whether {it} code has changed: {why}"]


_LINES: Mapping[Answer, Callable[[str, _Group], list[str]]] = {"ran": _ran, "reached": _reached, "unknown": _unknown}


def _versions(name: str, group: _Group) -> str:
    told = group.told(lambda found: found.versions)
    rest = f"; and {len(told) - PLACES} more" if len(told) > PLACES else ""
    return f"note    {plural(group.jobs, 'reused job')} of {name} ran with {'; '.join(told[:PLACES])}{rest}"
