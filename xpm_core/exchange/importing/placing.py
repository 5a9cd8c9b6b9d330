"""Bringing a checked file into a workspace.

Everything is first written into a folder of its own, `.xpm/importing/<name>/`. Then code and parts come to their
places, then each job by one renaming, those first that others need, and the experiment last. So a job is there with all
its files or not at all, and an import that was killed can be repeated.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from xpm_core.cleaning.trees import remove_tree
from xpm_core.errors import ExchangeError
from xpm_core.exchange.importing.archive import MemberContent
from xpm_core.exchange.importing.checks import Checked, CheckedJob
from xpm_core.exchange.importing.contents import PIECE, FileFacts, Tick
from xpm_core.index.rebuild import Addition, add
from xpm_core.job import script_arguments
from xpm_core.judging.acceptance import LONGEST_WHY, acceptances, content_of
from xpm_core.language.graph.tags import name_from_tags
from xpm_core.snapshot.code_store import CodeStore, Kind
from xpm_core.words.text import amount
from xpm_core.workspace.experiment_directory import SAMPLED, ExperimentDirectory
from xpm_core.workspace.files import append_line, explained, link_atomic, write_atomic, write_once
from xpm_core.workspace.job_links import JobLinks
from xpm_core.workspace.job_records import ACCEPTED, IMPORTED, IMPORTS
from xpm_core.workspace.payload_parts import Parts
from xpm_core.workspace.workspace import Workspace

STAGING = ".xpm/importing"
SPARE = 64 << 20
"""Bytes that stay free on the disk, for the index and the folders."""

YOUNG_S = 60
"""A folder that was made within so many seconds may not be locked yet."""


@dataclass
class Standing:
    """How the jobs of a file stand in a workspace already.

    Attributes:
        new: Those that are not there.
        here: How many are done there.
        other: The identities of those that are there, and not done. They stay as they are.
        missing: Jobs that others need, and that are neither in the file nor done there.
    """

    new: list[CheckedJob] = field(default_factory=list)
    here: int = 0
    other: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Who:
    """Who imports.

    Attributes:
        user: The user.
        host: The machine.
    """

    user: str
    host: str


def standing(checked: Checked, path: Path, experiment: str) -> Standing:
    """Compare a file with a workspace, which need not exist.

    Args:
        checked: The file.
        path: The workspace's directory.
        experiment: The name that the experiment gets.

    Raises:
        ExchangeError: An experiment of that name is there, or the disk has too little space.
    """
    found = Standing()
    workspace = Workspace.open(path, create=False) if (path / ".xpm" / "workspace.json").exists() else None
    if os.path.lexists(path / "experiments" / experiment):
        problem = f"the workspace {path} has an experiment {experiment!r} already"
        raise ExchangeError(checked.contents.where, problem, "Give it another name: --as NAME.")
    for job in checked.jobs:
        directory = workspace.job_at(job.directory) if workspace else None
        if directory is None or not os.path.lexists(directory.path):
            found.new.append(job)
        elif directory.is_marked():
            found.here += 1
        else:
            found.other.append(job.identity)
    known = {job.identity for job in checked.jobs}
    found.missing = sorted(each for each in checked.missing - known if not _is_here(workspace, each))
    _refuse_full(checked, path)
    return found


def _is_here(workspace: Workspace | None, identity: str) -> bool:
    return workspace is not None and any((workspace.path / "jobs").glob(f"*/{identity}"))


def _refuse_full(checked: Checked, path: Path) -> None:
    place = path
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < checked.contents.size + SPARE:
        problem = f"it holds {amount(checked.contents.size)}, and {place} has {amount(free)} free"
        raise ExchangeError(checked.contents.where, problem, "Free some space there, or use another workspace.")


class Placing:
    """Brings a file into a workspace.

    Args:
        checked: The file.
        workspace: The workspace.
        experiment: The name that the experiment gets.
        who: Who imports.
    """

    def __init__(self, checked: Checked, workspace: Workspace, experiment: str, who: Who) -> None:
        self._checked, self._contents, self._workspace = checked, checked.contents, workspace
        self._experiment, self._who = experiment, who
        self._now_s = time.time()

    def place(self, found: Standing, tick: Tick = lambda size: None) -> int:
        """Write all that is new.

        Returns:
            How many jobs have come.

        Raises:
            ExchangeError: The file was changed meanwhile.
            WorkspaceError: Something cannot be written. Jobs that are there by then are whole.
        """
        with _staging(self._workspace.path) as stage:
            new = {job.directory: job for job in found.new}
            self._unpack(stage, new, tick)
            for job in found.new:
                self._finish(stage, job)
            os.sync()  # after a power cut, a job has all its files, or is not there
            self._place_documents()
            append_line(self._workspace.path / IMPORTS, json.dumps(self._mark([])))
            come = [job for job in found.new if self._moved(stage, job)]
            self._enter(stage)
        return len(come)

    def _unpack(self, stage: Path, new: dict[str, CheckedJob], tick: Tick) -> None:
        """Write the files that are needed, each compared with what the first reading has found."""
        store = CodeStore(self._workspace.path)
        for name, _, content in self._contents.archive.members():
            facts = self._contents.files.get(name)
            if facts is None:
                raise self._changed()
            directory = "/".join(name.split("/")[:3])
            if name in self._checked.code:
                data = content.read()
                self._compare(facts, sha256(data).hexdigest())
                store.put_object(data)
            elif directory in new:
                self._write(stage / name, content, facts)
            elif name.startswith("runs/") or name == SAMPLED:
                self._write(stage / "experiments" / self._experiment / name, content, facts)
            tick(facts.size)

    def _write(self, path: Path, content: MemberContent, facts: FileFacts) -> None:
        digest = sha256()
        with explained(path, "cannot be written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, facts.mode | 0o600)
            with os.fdopen(descriptor, "wb") as file:
                while piece := content.read(PIECE):
                    digest.update(piece)
                    file.write(piece)
            os.utime(path, (facts.mtime, facts.mtime))
        self._compare(facts, digest.hexdigest())

    def _compare(self, facts: FileFacts, digest: str) -> None:
        if facts.digest != digest:
            raise self._changed()

    def _changed(self) -> ExchangeError:
        return ExchangeError(self._contents.where, "it was changed while it was imported", "Import it again.")

    def _finish(self, stage: Path, job: CheckedJob) -> None:
        """Write in our own form what a job runs and what was accepted of it, and the mark of an imported job."""
        records = stage / job.directory / ".xpm"
        handed = records / "handed.json"
        handed.unlink()
        mode = 0o600 if job.kept.spec.options.env else 0o666
        write_atomic(handed, job.kept.written(), durable=False, mode=mode)
        if accepted := acceptances(records):
            ours = [replace(each, file=self._contents.archive.path.name[:LONGEST_WHY]) for each in accepted]
            write_atomic(records / ACCEPTED, content_of(ours), durable=False)
        hidden = self._contents.record.hidden.get(job.identity, [])
        write_atomic(records / IMPORTED, json.dumps(self._mark(hidden)).encode() + b"\n", durable=False)

    def _mark(self, hidden: list[str]) -> dict[str, Any]:
        record = self._contents.record
        return {
            "schema": 1,
            "file": self._contents.archive.path.name,
            "experiment": record.experiment,
            "exported_s": record.exported_s,
            "exported_by": record.user,
            "exported_on": record.host,
            "imported_s": round(self._now_s, 3),
            "imported_by": self._who.user,
            "imported_on": self._who.host,
            "hidden": hidden,
        }

    def _place_documents(self) -> None:
        store, parts = CodeStore(self._workspace.path), Parts(self._workspace.path)
        arguments = self._workspace.path / script_arguments.FOLDER
        for name, data in self._contents.kept.items():
            folder, _, digest = name.partition("/")
            if folder == "documents":
                kind: Kind = digest.partition("/")[0]  # type: ignore[assignment]  # it was checked
                store.put(kind, data)
            elif folder == "parts":
                parts.put(data)
            elif folder == "arguments":
                with explained(arguments, "cannot be made"):
                    arguments.mkdir(parents=True, exist_ok=True)
                write_once(arguments / digest, data)

    def _moved(self, stage: Path, job: CheckedJob) -> bool:
        """Let a job appear at its place, unless another one has come there meanwhile."""
        target = self._workspace.path / job.directory
        with explained(target, "cannot be made"):
            target.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(target):  # renaming would replace an empty folder, which a worker has just made
                return False
            try:
                os.rename(stage / job.directory, target)
            except (FileExistsError, IsADirectoryError, NotADirectoryError):
                return False
            except OSError as error:
                if os.path.lexists(target):
                    return False
                raise error
        return True

    def _enter(self, stage: Path) -> None:
        """Write links and index of the experiment, and let it appear."""
        staged = ExperimentDirectory(stage, self._experiment)
        links = JobLinks(staged)
        additions = []
        for job in self._checked.jobs:
            directory = self._workspace.job_at(job.directory)
            if os.path.lexists(directory.path):
                links.add(directory, name_from_tags(dict(sorted(job.tags.items()))))
                additions.append(Addition(directory, job.kept.spec.task, job.tags, directory.is_imported()))
        add(self._workspace, staged, additions)
        if self._contents.record.latest and (staged.path / "runs" / self._contents.record.latest).is_dir():
            link_atomic(staged.latest, f"runs/{self._contents.record.latest}")
        target = self._workspace.path / "experiments" / self._experiment
        with explained(target, "cannot be made"):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(staged.path, target)


@contextlib.contextmanager
def _staging(workspace: Path) -> Iterator[Path]:
    """A folder for what is not at its place yet. It is removed at the end, with those of imports that were killed."""
    folder = workspace / STAGING
    name = folder / f"{int(time.time())}-{os.urandom(4).hex()}"
    with explained(folder, "cannot be made"):
        name.mkdir(parents=True)
        lock = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_abandoned(folder, name)
        yield name
    finally:
        remove_tree(str(name))
        os.close(lock)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _remove_abandoned(folder: Path, own: Path) -> None:
    """Remove the folders of imports that were killed: nobody holds their locks."""
    for each in folder.iterdir():
        begun = each.name.partition("-")[0]
        if each == own or (begun.isdigit() and time.time() - int(begun) < YOUNG_S):
            continue
        with contextlib.suppress(OSError):
            lock = os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(str(each))
            finally:
                os.close(lock)
