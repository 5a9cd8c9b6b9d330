"""An export: what it holds, how large it is, and writing it."""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from xpm_core.errors import ExchangeError, PayloadError
from xpm_core.exchange.exporting.accepted import exported
from xpm_core.exchange.exporting.code import Code, code_of
from xpm_core.exchange.exporting.folders import Folder, FoundFile
from xpm_core.exchange.exporting.selection import Ask, ChosenJob, Selection, select
from xpm_core.exchange.exporting.tables import job_rows, readme, table
from xpm_core.exchange.exporting.tar_writer import TarWriter, Tick
from xpm_core.exchange.hidden import hide, scrubbed
from xpm_core.exchange.identities.verifier import Verifier
from xpm_core.exchange.layout import EXPORT, JOBS, README, TABLE, ExportRecord, is_record
from xpm_core.job import script_arguments
from xpm_core.judging.acceptance import content_of
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.wire.unpacker import opened
from xpm_core.workspace.experiment_directory import SAMPLED
from xpm_core.workspace.job_records import ACCEPTED, object_in, read_whole
from xpm_core.workspace.kept_job import KeptJob
from xpm_core.workspace.payload_parts import Parts
from xpm_core.workspace.reported.results_file import REPORTED
from xpm_core.workspace.workspace import Workspace

MOST_LEFT_OUT = 1000
"""How many files that were left out are named."""


@dataclass
class JobFiles:
    """What is exported of a job.

    Attributes:
        job: The job.
        kept: What it runs, without secrets.
        files: Its files, without handed.json.
        records: The contents of the records of its executions, and of what was accepted, by name, without passwords.
    """

    job: ChosenJob
    kept: KeptJob
    files: list[FoundFile]
    records: dict[str, bytes]


@dataclass
class Export:
    """An experiment that is about to be written into a file.

    Attributes:
        workspace: The workspace.
        selection: The jobs.
        record: What the file says of itself.
        jobs: What is exported of each job.
        runs: The files of the experiment's runs.
        code: The code.
        parts: Parts of payloads and arguments of scripts, by their path in the file.
        unverifiable: Jobs whose identity cannot be computed without their classes. Nobody can import the file.
    """

    workspace: Workspace
    selection: Selection
    record: ExportRecord
    jobs: list[JobFiles] = field(default_factory=list)
    runs: list[FoundFile] = field(default_factory=list)
    code: Code = field(init=False)
    parts: dict[str, bytes] = field(default_factory=dict)
    unverifiable: list[str] = field(default_factory=list)

    @cached_property
    def rows(self) -> list[Any]:
        """The content of jobs.json."""
        return job_rows(
            [each.job for each in self.jobs], self.record.snapshots, self.record.hidden, self.record.results
        )

    @property
    def size(self) -> int:
        """How large the files are that it holds, bytes."""
        jobs = sum(file.about.st_size for each in self.jobs for file in each.files)
        records = sum(len(data) for each in self.jobs for data in each.records.values())
        payloads = sum(len(each.kept.spec.payload) for each in self.jobs)
        runs = sum(file.about.st_size for file in self.runs)
        parts = sum(map(len, self.parts.values()))
        return jobs + records + payloads + runs + len(self.samplings) + self.code.size + parts

    @cached_property
    def samplings(self) -> bytes:
        """How samplings of the experiment have ended, as far as results are taken along: one a line."""
        found = self.workspace.experiment(self.record.experiment).samplings() if self.record.results else []
        return "".join(f"{each.written()}\n" for each in found).encode()

    def write(self, stream: IO[bytes], tick: Tick = lambda size: None) -> None:
        """Write it as a tar.

        Raises:
            ExchangeError: A file became shorter while it was read.
            SnapshotError: The code of a job is gone, or damaged.
            OSError: A file cannot be read.
        """
        tar = TarWriter(stream, self.record.experiment, tick)
        tar.add(README, readme(self.record).encode())
        tar.add(EXPORT, self.record.written())
        tar.add(JOBS, json.dumps({"schema": 1, "jobs": self.rows}, indent=1).encode() + b"\n")
        tar.add(TABLE, table(self.rows).encode("utf-8", "backslashreplace"))
        for each in self.jobs:
            _write_job(tar, each)
        for file in self.runs:
            tar.copy(f"runs/{file.name}", file.path)
        if samplings := self.samplings:
            tar.add(SAMPLED, samplings)
        for name, entry in self.code.files():
            tar.add(f"code/{name}", self.code.store.object(entry.digest), entry.mode)
        for (kind, digest), data in self.code.documents.items():
            tar.add(f"documents/{kind}/{digest}", data)
        for name, data in sorted(self.parts.items()):
            tar.add(name, data)
        tar.close()


def _write_job(tar: TarWriter, job: JobFiles) -> None:
    folder = job.job.directory.relative
    tar.add(f"{folder}/.xpm/handed.json", job.kept.written(), 0o600 if job.kept.spec.options.env else 0o644)
    for name, data in job.records.items():
        tar.add(f"{folder}/{name}", data)
    for file in job.files:
        tar.copy(f"{folder}/{file.name}", file.path)


def prepare(
    workspace: Workspace,
    experiment: str,
    *,
    version: str,
    results: bool = True,
    ask: Ask | None = None,
    tick: Callable[[str, int], None] = lambda what, count: None,
) -> Export:
    """Find out what an export of an experiment holds. Nothing is written.

    Args:
        workspace: The workspace.
        experiment: The name of the experiment.
        version: The version of xpm, which the file names.
        results: Whether to take along what jobs and scripts have written and printed.
        ask: For failed jobs, too: returns what they run, see `select`.
        tick: Called with what is being done, and how many were looked at.

    Raises:
        UnknownExperimentError: There is no such experiment.
        ExchangeError: It has no job that is done; or a job cannot be exported.
        SnapshotError: The code of a job is gone, or damaged.
        WorkspaceError: Something cannot be read.
    """
    selection = select(workspace, experiment, ask)
    if not selection.jobs:
        raise ExchangeError(f"Experiment {experiment!r}", "it has no job that is done", "See its jobs: xpm jobs.")
    made = ExportRecord(experiment, round(time.time(), 3), _user(), socket.gethostname(), version, results)
    return _Preparation(Export(workspace, selection, made), tick).export()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


class _Preparation:
    def __init__(self, export: Export, tick: Callable[[str, int], None]) -> None:
        self._export, self._tick = export, tick
        self._workspace, self._results = export.workspace, export.record.results
        self._parts = Parts(export.workspace.path)
        self._verifier = Verifier(self._parts.get)
        self._hidden: dict[str, list[str]] = {}
        self._left_out: list[str] = []
        self._facts: list[dict[str, Any]] = []

    def export(self) -> Export:
        export = self._export
        for job in sorted(export.selection.jobs.values(), key=lambda job: job.directory.relative):
            export.jobs.append(self._job(job))
            self._tick("jobs", len(export.jobs))
        self._runs()
        export.code = code_of(CodeStore(self._workspace.path), self._facts)
        export.record = replace(
            export.record,
            jobs=len(export.jobs),
            size=export.size,
            snapshots=export.code.folders,
            hidden=self._hidden,
            left_out=self._left_out[:MOST_LEFT_OUT],
        )
        return export

    def _job(self, job: ChosenJob) -> JobFiles:
        self._refuse_passwords(job)
        kept, names = hide(job.kept, self._arguments(job))
        if names:
            self._hidden[job.identity] = names
        self._references(kept, job)
        own = {".xpm/handed.json", f".xpm/{ACCEPTED}"}
        folder = Folder(job.directory.path, lambda name: name not in own and self._takes(name))
        files = list(folder.files())
        self._left_out += [f"{job.directory.relative}/{name}" for name in folder.left_out]
        records = {f.name: _record(f.path, self._results) for f in files if f.name.startswith(".xpm/executions/")}
        self._facts += [dict(kept.spec.options.written), *(object_in(data) for data in records.values())]
        files = [file for file in files if file.name not in records]
        if accepted := list(exported(job.directory, CodeStore(self._workspace.path))):
            self._facts += [dict(each.code) for each in accepted]
            records[f".xpm/{ACCEPTED}"] = content_of(accepted)
        return JobFiles(job, kept, files, records)

    def _takes(self, name: str) -> bool:
        if name in (".xpm", ".xpm/executions"):
            return True
        return is_record(name) if name.startswith(".xpm/") else self._results or name == "params.json"

    def _takes_of_runs(self, name: str) -> bool:
        within = name.partition("/")[2]
        return not name.startswith(".") and (self._results or within in ("", "jobs"))

    def _arguments(self, job: ChosenJob) -> list[bytes]:
        """The arguments of the script that has submitted a job."""
        argv = opened(job.kept.spec.payload).get("argv", [])
        return [word.encode("utf-8", "surrogatepass") for word in script_arguments.unpack(argv, self._workspace.path)]

    def _references(self, kept: KeptJob, job: ChosenJob) -> None:
        """Add the files that a payload refers to. A payload that cannot be verified is noted."""
        try:
            graph = self._verifier.verify(kept.spec.payload, job.identity).graph
        except PayloadError:
            self._export.unverifiable.append(job.identity)
            return
        for part in graph.parts:
            self._export.parts.setdefault(f"parts/{part.hex()}", self._parts.get(part))
        if graph.arguments:
            name = graph.arguments.hex()
            if f"arguments/{name}" not in self._export.parts:
                path = self._workspace.path / script_arguments.FOLDER / name
                self._export.parts[f"arguments/{name}"] = read_whole(str(path))

    def _refuse_passwords(self, job: ChosenJob) -> None:
        """Refuse a job with a parameter that holds a password in a URL. The parameter cannot be hidden."""
        for name, value in {**job.entry.tags, **job.entry.params}.items():
            if scrubbed(value) != value:
                problem = f"its parameter {name!r} holds a password in a URL, which would leave this workspace"
                remedy = "Keep passwords out of parameters: read them from the environment or a file in the job."
                raise ExchangeError(job.label, problem, remedy)

    def _runs(self) -> None:
        directory = self._workspace.experiment(self._export.record.experiment)
        runs = directory.path / "runs"
        if runs.is_dir():
            folder = Folder(runs, self._takes_of_runs)
            self._export.runs = list(folder.files())
            self._left_out += [f"runs/{name}" for name in folder.left_out]
        try:
            latest = os.path.basename(os.readlink(directory.latest))
        except OSError:
            latest = ""
        self._export.record = replace(self._export.record, latest=latest)


def _record(path: str, results: bool) -> bytes:
    """The record of an execution, without passwords in URLs.

    Args:
        path: The file.
        results: Whether it may have what the job has reported.
    """
    data = read_whole(path)
    said = object_in(data)
    clean = scrubbed(said)
    if not results:
        clean = {name: value for name, value in clean.items() if name not in REPORTED}
    return data if clean == said else json.dumps(clean, indent=1).encode() + b"\n"


def destination(name: str) -> Path:
    """The file that an export is written into.

    Raises:
        ExchangeError: Its name does not say which form it has.
    """
    path = Path(name).expanduser().absolute()
    if not path.name.endswith((".tar", ".tar.gz", ".tgz")):
        raise ExchangeError(name, "its form is not known by its name", "Name it .tar or .tar.gz.")
    return path
