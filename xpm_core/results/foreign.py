"""Foreign runs: rows of a table of results that no job of xpm has made, as of old experiments.

`xpm import` brings them.

    <workspace>/.xpm/foreign/<name>.jsonl     the first line says where they come from, each other line is a run

They are read only: they have no directory in the workspace, and their identities (`csv:3f2a91c…`) are none of jobs, so
that no command takes one for a job.

Owns: the form of these files, and how tables see a run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xpm_core.errors import ExchangeError, WorkspaceError
from xpm_core.labels import bare_class, title
from xpm_core.states import State
from xpm_core.words.text import listed, plural
from xpm_core.workspace.files import write_atomic
from xpm_core.workspace.reported.values import restored

if TYPE_CHECKING:
    from xpm_core.results.jobs import Job

SCHEMA = 1
"""The version of the form. A file with a later one is passed over, and a note says so."""

FOLDER = Path(".xpm", "foreign")
NAMED = 3
"""How many imports and runs a note names."""

_TEXTS = ("kind", "experiment", "task", "source", "digest", "by")
_NONE: Mapping[str, Any] = {}


class ForeignImport(NamedTuple):
    """What was imported at once.

    Attributes:
        name: Its name in the workspace, such as `runs.csv`.
        kind: What its runs come from: `csv`, `hydra` or `wandb`.
        experiment: The experiment that they belong to.
        task: The task that they count as: `Train`, or the name of the import.
        source: The file or folder that was read, an absolute path.
        digest: The SHA-256 of what was read.
        at_s: When, epoch seconds.
        by: Who has imported it.
        rows: How many runs it has.
    """

    name: str
    kind: str
    experiment: str
    task: str
    source: str
    digest: str
    at_s: float
    by: str
    rows: int

    def told(self) -> str:
        """Where its runs come from: `runs.csv, imported 2026-11-27 by ana`."""
        return f"{self.name}, imported {time.strftime('%Y-%m-%d', time.localtime(self.at_s))} by {self.by}"


class ForeignRun:
    """A run in a table (`xpm_core.results.jobs.Job`). What is not known of it is None, what it cannot have is empty.

    Args:
        source: The import that has brought it.
        kept: Its line in the file.
        tag_names: The names of tags that jobs in the same table have. A parameter of such a name counts as that tag.

    Attributes:
        source: The import that has brought it.
        kept: Its line in the file.
    """

    __slots__ = ("_tag_names", "kept", "source")

    def __init__(self, source: ForeignImport, kept: Mapping[str, Any], tag_names: Collection[str] = ()) -> None:
        self.source, self.kept, self._tag_names = source, kept, tag_names

    def beside(self, tag_names: Collection[str]) -> ForeignRun:
        """The same run in a table of jobs that have these tags."""
        return ForeignRun(self.source, self.kept, tag_names)

    def __repr__(self) -> str:
        return f"<{self.title} {self.source.name} {self.where}>"

    @property
    def identity(self) -> str:
        """The kind of its source, and 64 hexadecimal digits, which follow from its content."""
        return str(self.kept["id"])

    @property
    def where(self) -> str:
        """Where it stands in its source: `line 3`, or the folder of a run."""
        return str(self.kept.get("where", ""))

    @property
    def foreign(self) -> str:
        """The name of its import."""
        return self.source.name

    @property
    def folder(self) -> Path | None:
        """The folder that it was read from; None if it was read from a file."""
        found = self.kept.get("folder")
        return Path(self.source.source, found) if found is not None else None

    @property
    def task(self) -> str:
        """The task that it counts as."""
        return self.source.task

    @property
    def name(self) -> str:
        """The bare name of its class if the task is one, as `study:Train`; else the task."""
        task = self.source.task
        return bare_class(task) if ":" in task and task != self.source.name else task

    @property
    def title(self) -> str:
        """As people know it: `runs.csv model=mlp`."""
        return title(self.name, self.tags)

    @property
    def state(self) -> State:
        """Done or failed."""
        return State.FAILED if self.kept.get("failed") else State.DONE

    @property
    def tags(self) -> Mapping[str, Any]:
        """Its tags, and those of its parameters that are tags of jobs."""
        own: Mapping[str, Any] = self.kept.get("tags", _NONE)
        if not self._tag_names:
            return own
        params = self.params
        return {**{name: params[name] for name in self._tag_names if name in params}, **own}

    def _restored(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.kept.get(name, _NONE)
        if marks := self.kept.get("not_finite"):
            return {key: restored(value, f"{name}.{key}", marks) for key, value in found.items()}
        return found

    @property
    def params(self) -> Mapping[str, Any]:
        """Its parameters by path."""
        return self._restored("params")

    @property
    def results(self) -> Mapping[str, Any]:
        """Its results."""
        return self._restored("results")

    @property
    def experiments(self) -> Collection[str]:
        """The experiment that it was imported into."""
        return (self.source.experiment,)

    @property
    def host(self) -> str:
        """The machine that it ran on; empty if its source does not say it."""
        return str(self.kept.get("host", ""))

    @property
    def commit(self) -> str:
        """The git commit of its code; empty if its source does not say it."""
        return str(self.kept.get("commit", ""))

    @property
    def started_s(self) -> float | None:
        """When it began, epoch seconds."""
        return self.kept.get("started")

    @property
    def ended_s(self) -> float | None:
        """When it ended, epoch seconds."""
        return self.kept.get("ended")

    submitted_s = None
    attempts = None
    queue = worker = error_type = code = packages = ""

    @property
    def demand(self) -> Mapping[str, int]:
        """It asks for no tokens."""
        return {}


def beside(jobs: Iterable[Job], runs: Sequence[ForeignRun]) -> list[ForeignRun]:
    """The runs as rows of a table of these jobs: a parameter of a run that is a tag of jobs counts as that tag.

    So a column `model` has both, whether jobs are tagged with it or only have it as a parameter.
    """
    if not runs:
        return []
    tags = list(dict.fromkeys(name for job in jobs for name in job.tags or ()))
    return [run.beside(tags) for run in runs]


class ForeignNote(str):
    """A note on foreign rows. A table writes them anew, because it may have fewer of these rows than the one before."""

    __slots__ = ()


def foreign_notes(jobs: Iterable[object]) -> list[str]:
    """What the reader of a table should know of its foreign rows.

    Example:
        >>> foreign_notes(table_jobs)
        ['12 rows are foreign: runs.csv, imported 2026-11-27 by ana.']
    """
    counts: dict[ForeignImport, int] = {}
    for job in jobs:
        if isinstance(job, ForeignRun):
            counts[job.source] = counts.get(job.source, 0) + 1
    if not counts:
        return []
    told = [each.told() if len(counts) == 1 else f"{each.told()} ({counts[each]})" for each in counts]
    total = sum(counts.values())
    words = f"{plural(total, 'row')} {'is' if total == 1 else 'are'} foreign"
    return [ForeignNote(f"{words}: {'; '.join(told[:NAMED])}{_more(told)}.")]


def _more(told: Sequence[str]) -> str:
    return f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""


class Foreign(NamedTuple):
    """The foreign runs of an experiment.

    Attributes:
        runs: The runs, by their imports.
        notes: What one should know of them, each a sentence: files that cannot be read, runs that several imports have.
    """

    runs: list[ForeignRun]
    notes: list[str]


def file_of(workspace: Path, name: str) -> Path:
    """The file of an import."""
    return workspace / FOLDER / f"{name}.jsonl"


def imports(workspace: Path) -> list[ForeignImport]:
    """The imports of a workspace by name, without those that cannot be read.

    Raises:
        WorkspaceError: Their folder cannot be read.
    """
    found = []
    for name in names(workspace):
        with suppress(WorkspaceError), open_kept(file_of(workspace, name)) as lines:
            found.append(_head(lines, name))
    return found


def with_foreign(experiments: Iterable[str], workspace: Path) -> tuple[str, ...]:
    """The names of experiments, and of those that have foreign rows, sorted. A folder that cannot be read adds none."""
    found = set(experiments)
    with suppress(WorkspaceError):
        found.update(each.experiment for each in imports(workspace))
    return tuple(sorted(found))


def names(workspace: Path) -> list[str]:
    """The names of the imports of a workspace, sorted, also of those that cannot be read.

    Raises:
        WorkspaceError: Their folder cannot be read.
    """
    try:
        found = os.listdir(workspace / FOLDER)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise WorkspaceError(str(workspace / FOLDER), problem, "Make it readable for you.") from None
    return sorted(each.removesuffix(".jsonl") for each in found if each.endswith(".jsonl") and not each.startswith("."))


def foreign_runs(workspace: Path, experiment: str = "") -> Foreign:
    """The foreign runs of a workspace.

    Args:
        workspace: Its directory.
        experiment: Only those of this experiment; empty for all.

    Example:
        >>> [run.results for run in foreign_runs(workspace.path, "digits").runs]
        [{'accuracy': 0.91}, {'accuracy': 0.89}]
    """
    runs: dict[str, ForeignRun] = {}
    notes: list[str] = []
    twice: dict[str, int] = {}
    try:
        known = names(workspace)
    except WorkspaceError as error:
        return Foreign([], [f"Foreign rows are missing. {error}"])
    for name in known:
        try:
            found = read(file_of(workspace, name), experiment)
        except WorkspaceError as error:
            notes.append(f"Foreign rows are missing. {error}")
            continue
        for run in found:
            if (first := runs.setdefault(run.identity, run)) is not run:
                pair = f"{first.source.name} and {name}"
                twice[pair] = twice.get(pair, 0) + 1
    notes += [
        f"{plural(count, 'foreign row')} in both {pair} {'counts' if count == 1 else 'count'} once."
        for pair, count in twice.items()
    ]
    return Foreign(list(runs.values()), notes)


def read(path: Path, experiment: str = "") -> list[ForeignRun]:
    """The runs of a file; none if they belong to another experiment.

    Raises:
        WorkspaceError: It cannot be read, is damaged, or was written by a later xpm.
    """
    with open_kept(path) as lines:
        head = _head(lines, path.stem)
        if experiment and head.experiment != experiment:
            return []
        runs = []
        for number, line in enumerate(lines, start=2):
            try:
                kept = json.loads(line)
                kept["id"]
            except (ValueError, TypeError, KeyError):
                raise damaged(path, f"line {number} is no run") from None
            runs.append(ForeignRun(head, kept))
    if len(runs) != head.rows:
        raise damaged(path, f"expected {plural(head.rows, 'run')}, got {len(runs)}")
    return runs


def open_kept(path: Path) -> _Lines:
    """Open a file of foreign runs."""
    return _Lines(path)


class _Lines:
    """The lines of a file, with its errors explained."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> _Lines:
        try:
            self._file = open(self.path, encoding="utf-8")  # __exit__ closes it
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
            raise WorkspaceError(str(self.path), problem, "Make it readable for you.") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            return next(self._file)
        except (OSError, ValueError):
            raise damaged(self.path, "it is no text") from None


def _head(lines: _Lines, name: str) -> ForeignImport:
    try:
        kept = json.loads(next(lines, ""))
        if kept["schema"] > SCHEMA:
            raise WorkspaceError(str(lines.path), "was written by a later xpm", "Use that one.")
        kind, experiment, task, source, digest, by = (str(kept[key]) for key in _TEXTS)
        return ForeignImport(name, kind, experiment, task, source, digest, float(kept["at"]), by, int(kept["rows"]))
    except (ValueError, TypeError, KeyError):
        raise damaged(lines.path, "line 1 does not say what it is") from None


def damaged(path: Path, problem: str) -> WorkspaceError:
    """The error of a file that was changed by something else than xpm."""
    remedy = f"Import it again, or remove it: xpm import --forget {path.stem}."
    return WorkspaceError(str(path), problem, remedy)


def keep(workspace: Path, source: ForeignImport, runs: Iterable[Mapping[str, Any]]) -> None:
    """Write the file of an import, in one step. It replaces an earlier one of the same name.

    Args:
        workspace: The directory of the workspace.
        source: What is imported.
        runs: Its runs, each a strict JSON object with its `id`.

    Raises:
        WorkspaceError: It cannot be written. What was there stays.
    """
    head = {
        "schema": SCHEMA,
        "kind": source.kind,
        "experiment": source.experiment,
        "task": source.task,
        "source": source.source,
        "digest": source.digest,
        "at": source.at_s,
        "by": source.by,
        "rows": source.rows,
    }
    path = file_of(workspace, source.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(str(path.parent), f"cannot be made ({error.strerror})", "Make it writable.") from None
    lines = (json.dumps(each, allow_nan=False) for each in (head, *runs))
    write_atomic(path, "".join(f"{line}\n" for line in lines).encode(), durable=True)


def forget(workspace: Path, name: str) -> None:
    """Remove an import.

    Raises:
        ExchangeError: There is none of that name.
        WorkspaceError: It cannot be removed.
    """
    known = names(workspace)
    where = str(workspace)
    if name not in known:
        there = f"There are: {listed(known, 12)}." if known else "There are none at all."
        raise ExchangeError(where, f"has no foreign rows of the name {name!r}", there)
    try:
        file_of(workspace, name).unlink()
    except OSError as error:
        raise WorkspaceError(where, f"{name} cannot be removed ({error.strerror})", "Make it writable.") from None
