"""Notice new jobs that repeat done jobs of earlier runs, because a class was changed although no value was.

A new parameter counts with its default, and a class that was renamed or moved is another class. So done jobs run again,
unless the class says that it is the same.

Owns: finding such jobs, the warning at once, and the note at the end. Files are looked at only for the first new job of
a class, and only a bounded number of them.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from xpm_core.errors import ClassNameError
from xpm_core.language.identity.digest import task_id
from xpm_core.language.identity.former_identity import Change, former_identity
from xpm_core.language.parameters.schema import MISSING, Parameter, Schema, short_repr
from xpm_core.project.origin import class_id
from xpm_core.workspace.job_directory import JobDirectory

if TYPE_CHECKING:
    from xpm_core.config import Task
    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.workspace.experiment_directory import ExperimentDirectory
    from xpm_core.workspace.workspace import Workspace

log = logging.getLogger("xpm")

RECORDS = 20
"""How many jobs of a task's folder are read, to see which parameters were declared."""
FOLDERS = 50
"""How many folders of other tasks of the experiment are looked at."""
MISSES = 50
"""After so many new jobs of a class that repeat no job, no more jobs of it are looked at."""
LARGEST = 300
"""A task with more configurations is not looked at, because its identity would be computed anew for each change."""


class Possible(NamedTuple):
    """A change of a class that may be why its jobs are new, and the folder of the jobs from before it."""

    change: Change
    folder: str


class Lookalikes:
    """The done jobs that the new jobs of one run repeat.

    Args:
        workspace: The directories of the jobs lie there.
        directory: The directory of the experiment, which links to its jobs.
    """

    def __init__(self, workspace: Workspace, directory: ExperimentDirectory) -> None:
        self._workspace, self._links = workspace, directory.path / "jobs"
        self._possible: dict[type, list[Possible]] = {}
        self._misses: dict[type, int] = {}
        self._found: dict[Change, int] = {}
        self._known: dict[Change, dict[bytes, bytes]] = {}

    def look(self, job: TrackedJob, task: Task, below: Sequence[Any]) -> None:
        """Warn if a new job repeats one that is done, once for each change of a class.

        Args:
            job: The new job; its directory has no `done` marker.
            task: Its task, sealed.
            below: The configurations below it, and the task.
        """
        cls = type(task)
        if (possible := self._possible.get(cls)) is None:
            classes = {type(each) for each in below} if len(below) <= LARGEST else set()
            possible = self._possible[cls] = []
            with suppress(RecursionError):  # a file may be nested too deep
                possible += self._changes(cls, job.directory.relative, classes)
        if not possible:
            return
        for change, folder in possible:
            known = self._known.setdefault(change, {})
            with suppress(RecursionError):
                if self._done(f"{folder}/{former_identity(task, change, known)}"):
                    self._warn(job, change)
                    return
        misses = self._misses[cls] = self._misses.get(cls, 0) + 1
        if misses >= MISSES and not any(change in self._found for change, _ in possible):
            self._possible[cls] = []

    def _warn(self, job: TrackedJob, change: Change) -> None:
        count = self._found[change] = self._found.get(change, 0) + 1
        if count == 1:
            log.warning("%s", warning(job, change))

    def lines(self) -> list[str]:
        """The notes at the end, a line for each change."""
        return [ending(change, count) for change, count in self._found.items()]

    def _changes(self, cls: type, relative: str, classes: set[type]) -> Iterator[Possible]:
        """The changes that the classes of a task may have had since its jobs that are done."""
        own = os.path.dirname(relative)
        if known := declared(self._records(own)):
            gone = known.keys() - current(classes)
            for each in classes:
                yield from (Possible(change, own) for change in changes_of(each, known, gone))
            yield from (
                Possible(change, own) for change in self._found if change.cls not in classes
            )  # changes of classes of the tasks that it needs
        elif classes:
            yield from self._renamed(cls)

    def _renamed(self, cls: type) -> Iterator[Possible]:
        """Tasks of the experiment whose classes are gone, and that declared the same parameters."""
        parameters = frozenset(cls.__xpm_schema__.parameters)  # type: ignore[attr-defined]
        for folder in self._folders():
            for record in self._records(folder):
                name = record.get("task")
                if name not in current({cls}) and parameters == frozenset(record.get("parameters", ())):
                    yield Possible(Change(cls, name=str(name)), folder)
                break  # all jobs of a folder are of one class

    def _folders(self) -> Iterator[str]:
        """The folders, within the workspace, of the tasks that the experiment has links to."""
        seen: set[str] = set()
        for task in listed(str(self._links))[:FOLDERS]:
            for link in listed(f"{self._links}/{task}")[:RECORDS]:
                try:
                    target = os.readlink(f"{self._links}/{task}/{link}")
                except OSError:
                    continue
                folder = "/".join(target.split("/")[-3:-1])  # jobs/<task>
                if folder not in seen:
                    seen.add(folder)
                    yield folder

    def _records(self, folder: str) -> Iterator[dict[str, Any]]:
        """The parameters, as `params.json` has them, of some done jobs of a folder."""
        names = listed(f"{self._workspace.path}/{folder}")
        for name in names[:: max(1, -(-len(names) // RECORDS))]:
            if self._done(f"{folder}/{name}"):
                try:
                    found = json.loads(JobDirectory(self._workspace.path, f"{folder}/{name}").params.read_bytes())
                except (OSError, ValueError):
                    continue
                if isinstance(found, dict):
                    yield found

    def _done(self, relative: str) -> bool:
        return JobDirectory(self._workspace.path, relative).is_marked()


def listed(folder: str) -> list[str]:
    """Return the names in a folder, sorted; none if it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def declared(records: Iterator[dict[str, Any]]) -> dict[str, set[frozenset[str]]]:
    """Return the parameters that classes had, by their names in identities, as the jobs' parameters show."""
    found: dict[str, set[frozenset[str]]] = {}

    def take(value: Any) -> None:
        if isinstance(value, dict):
            name, parameters = value.get("task", value.get("class")), value.get("parameters")
            if isinstance(name, str) and isinstance(parameters, dict):
                found.setdefault(name, set()).add(frozenset(parameters))
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                take(item)

    for record in records:
        take(record)
    return found


def current(classes: set[type]) -> set[str]:
    """Return the names in identities of some classes, and of all other classes that exist now."""
    from xpm_core.config import Config
    from xpm_core.language.dict_form.class_names import derived

    found = set()
    for cls in {*derived([Config]), *classes}:
        with suppress(ClassNameError):  # a class of a notebook has no name in identities
            found.add(class_id(cls))
    return found


def changes_of(cls: type, known: dict[str, set[frozenset[str]]], gone: set[str]) -> Iterator[Change]:
    """Yield the changes that one class may have had: one new parameter, or another name."""
    schema: Schema = cls.__xpm_schema__  # type: ignore[attr-defined]
    parameters = frozenset(schema.parameters)
    for before in known.get(task_id(cls), ()):
        more = parameters - before
        if len(more) == 1 and before < parameters:
            parameter = schema.parameters[next(iter(more))]
            if parameter.counted and parameter.role == "param" and not (parameter.required or parameter.ignore_default):
                yield Change(cls, parameter)
    if task_id(cls) not in known:
        yield from (Change(cls, name=name) for name in sorted(gone) if parameters in known[name])


def warning(job: TrackedJob, change: Change) -> str:
    """Return the warning for the first job that repeats another one."""
    what = f"a done job differs from {job.label} only by {reason(change)}"
    return f"{job.where}: {what}. It runs anew; {remedy(change)} keeps what is done."


def ending(change: Change, count: int) -> str:
    """Return the note at the end for all jobs that repeat another one because of one change."""
    what = "1 done job differs" if count == 1 else f"{count} done jobs differ"
    return f"note    {what} only by {reason(change)}: {remedy(change)} keeps {'it' if count == 1 else 'them'}"


def reason(change: Change) -> str:
    """Say what has changed."""
    if change.parameter is None:
        return f"the name of class {task_id(change.cls)}, which was {change.name}"
    return f"the new parameter {change.cls.__name__}.{change.parameter.name}={default_of(change.parameter)}"


def remedy(change: Change) -> str:
    """Say how the class becomes the same as before."""
    if change.parameter is None:
        return f"`__xpmid__ = {change.name!r}`"
    if change.parameter.default is MISSING:
        return "`ignore_default=True` in its field"
    return f"`field(ignore_default={default_of(change.parameter)})`"


def default_of(parameter: Parameter) -> str:
    """Return the default of a parameter, as messages show it."""
    factory: Any = parameter.factory
    return short_repr(parameter.default if factory is None else factory())
