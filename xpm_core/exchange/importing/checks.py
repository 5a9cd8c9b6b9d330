"""Whether all in the file of an experiment fits together: identities, records, code.

Nothing of the file is imported, and nothing is written.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from xpm_core.errors import ExchangeError, InvalidNameError, PayloadError, SnapshotError
from xpm_core.exchange.identities.descriptions import description_problem
from xpm_core.exchange.identities.verifier import Verifier
from xpm_core.exchange.importing.contents import Contents
from xpm_core.exchange.layout import JOBS, NOT_OURS, is_moment
from xpm_core.judging.acceptance import Acceptance
from xpm_core.labels import label
from xpm_core.snapshot.manifest import Manifest
from xpm_core.words.names import check_experiment_name
from xpm_core.workspace.job_records import ACCEPTED, EXECUTION, KINDS, RECORD, object_in
from xpm_core.workspace.kept_job import KeptJob
from xpm_core.workspace.workspace import task_folder

_IDENTITY = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that act on a terminal. No tag needs them."""
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")


@dataclass
class CheckedJob:
    """A job of the file.

    Attributes:
        directory: Its directory within a workspace.
        kept: What it runs; its signature holds in another workspace, so it has none.
        state: "done" or "failed".
        needs: The jobs that it needs.
        tags: Its tags.
        files: The names of its files.
    """

    directory: str
    kept: KeptJob
    state: str
    needs: set[str]
    tags: Mapping[str, Any]
    files: list[str]

    @property
    def identity(self) -> str:
        """Its identity."""
        return self.kept.spec.identity


@dataclass
class Checked:
    """A file that fits together.

    Attributes:
        contents: What it holds.
        jobs: Its jobs, each after those that it needs.
        manifests: Its snapshots, by their names.
        code: The names of the files in it that are code, each with its digest.
    """

    contents: Contents
    jobs: list[CheckedJob] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> set[str]:
        """The jobs that its jobs need, and that it does not have."""
        return {each for job in self.jobs for each in job.needs} - {job.identity for job in self.jobs}


def check(contents: Contents) -> Checked:
    """Check a file.

    Raises:
        ExchangeError: Something does not fit; it says what.
    """
    found = Checked(contents)
    record = contents.record
    try:
        check_experiment_name(record.experiment)
    except InvalidNameError as error:
        raise ExchangeError(contents.where, f"its experiment has no proper name ({error})", NOT_OURS) from None
    if not record.results:
        problem = "it has no results, so its jobs would count as done without what they have written"
        raise ExchangeError(contents.where, problem, "Read it as it is, or ask for an export without --no-results.")
    _check_digests(contents)
    _check_code(found)
    _check_runs(contents)
    _check_jobs(found)
    return found


def _check_digests(contents: Contents) -> None:
    for name, data in contents.kept.items():
        digest = name.rpartition("/")[2]
        if name.startswith(("documents/", "parts/", "arguments/")) and sha256(data).hexdigest() != digest:
            raise contents.refusal(name, "its content is not the one that it is named by")


def _check_code(found: Checked) -> None:
    contents = found.contents
    for snapshot, folder in contents.record.snapshots.items():
        data = contents.kept.get(f"documents/snapshots/{snapshot}")
        if data is None or "/" in folder or not folder:
            raise contents.refusal(f"snapshot {snapshot[:7]!r}", "its list of files is missing")
        try:
            manifest = found.manifests[snapshot] = Manifest.read(data, snapshot)
        except SnapshotError as error:
            raise contents.refusal(f"snapshot {snapshot[:7]}", error.problem) from None
        for file in manifest.files:
            name = f"code/{folder}/{manifest.trees[file.tree]}/{file.path}"
            facts = contents.files.get(name)
            if facts is None or (facts.size, facts.digest) != (file.size, file.digest):
                wrong = "is missing" if facts is None else "is not the file of that snapshot"
                raise contents.refusal(name, f"it {wrong}")
            found.code[name] = file.digest
    extra = next((name for name in contents.files if name.startswith("code/") and name not in found.code), "")
    if extra:
        raise contents.refusal(extra, "no snapshot has such a file")


def _check_runs(contents: Contents) -> None:
    names = {name.split("/")[1] for name in contents.files if name.startswith("runs/")}
    latest = contents.record.latest
    if wrong := next((each for each in sorted({*names, latest} - {""}) if not _RUN.fullmatch(each)), ""):
        raise contents.refusal(f"runs/{wrong}", "a run has no such name")


def _check_jobs(found: Checked) -> None:
    contents = found.contents
    if len(contents.jobs) != contents.record.jobs:
        problem = f"it has {len(contents.jobs)} jobs, and says {contents.record.jobs}"
        raise ExchangeError(contents.where, problem, NOT_OURS)
    tags = _tags(contents)
    verifier = Verifier(lambda digest: _part(contents, digest))
    jobs = {}
    for directory, files in contents.jobs.items():
        job = _JobCheck(found, verifier, directory, files).job(tags.get(directory.rpartition("/")[2], {}))
        if job.identity in jobs:
            raise contents.refusal(directory, "another directory in it has the same job")
        jobs[job.identity] = job
    found.jobs = _needed_first(jobs)


def _part(contents: Contents, digest: bytes) -> bytes:
    data = contents.kept.get(f"parts/{digest.hex()}")
    if data is None:
        raise PayloadError("payload", f"its part {digest.hex()[:7]} is missing", NOT_OURS)
    return data


class _JobCheck:
    def __init__(self, found: Checked, verifier: Verifier, directory: str, files: list[str]) -> None:
        self._found, self._contents, self._verifier = found, found.contents, verifier
        self._directory, self._files = directory, files
        self._identity = directory.rpartition("/")[2]
        self._what = label(directory.split("/")[1].rpartition(".")[2], self._identity)

    def job(self, tags: Mapping[str, Any]) -> CheckedJob:
        kept = KeptJob.read(self._content(".xpm/handed.json"), self._identity, "", self._directory)
        if kept is None:
            raise self._refusal("what it runs cannot be read")
        if problem := next(kept.spec.options.problems(), ""):
            raise self._refusal(problem)
        try:
            verified = self._verifier.verify(kept.spec.payload, self._identity)
        except PayloadError as error:
            raise self._refusal(f"its payload does not yield its identity ({error.problem})") from None
        task = verified.graph.task
        kept = kept._replace(spec=kept.spec._replace(task=task, signature=""))
        if self._directory != f"jobs/{task_folder(task)}/{self._identity}" or not kept.spec.name.isidentifier():
            raise self._refusal(f"a job of {task} lies in another folder, or has another name")
        if "params.json" in self._files:
            problem = description_problem(object_in(self._content("params.json")), verified)
            if problem:
                raise self._refusal(f"params.json and its payload do not agree: {problem}")
        if not all(map(_IDENTITY.fullmatch, kept.needs)):
            raise self._refusal("it needs a job that has no identity")
        self._check_references(kept, verified.graph.arguments)
        self._check_accepted()
        return CheckedJob(self._directory, kept, self._state(), {*kept.needs, *verified.jobs}, tags, self._files)

    def _check_references(self, kept: KeptJob, arguments: bytes) -> None:
        snapshot = kept.spec.options.snapshot
        if snapshot and snapshot not in self._found.manifests:
            raise self._refusal(f"its code is missing (snapshot {snapshot[:7]})")
        if arguments and f"arguments/{arguments.hex()}" not in self._contents.files:
            raise self._refusal("the arguments of its script are missing")

    def _check_accepted(self) -> None:
        name = f".xpm/{ACCEPTED}"
        for line in self._content(name).splitlines() if name in self._files else ():
            found = Acceptance.read(line)
            if found is None or not all(map(_is_line, (found.why, found.who, found.host, found.file))):
                raise self._refusal(f"{name} is malformed")
            if found.snapshot not in self._found.manifests:
                raise self._refusal(f"the code with which it was accepted is missing (snapshot {found.snapshot[:7]})")

    def _state(self) -> str:
        """Whether it is done or failed, by a marker that names its newest execution."""
        there = [kind for kind in KINDS if f".xpm/{kind}" in self._files]
        if len(there) != 1:
            raise self._refusal("it has no marker that says how it ended, or two")
        execution = object_in(self._content(f".xpm/{there[0]}")).get("execution")
        prefix = ".xpm/executions/"
        found = (RECORD.fullmatch(name[len(prefix) :]) for name in self._files if name.startswith(prefix))
        numbers = {match[2]: int(match[1]) for match in found if match}
        if not isinstance(execution, str) or not EXECUTION.fullmatch(execution):
            raise self._refusal("its marker is malformed")
        if there[0] == "done" and numbers.get(execution, -1) != max(numbers.values(), default=0):
            raise self._refusal("its marker does not name its newest attempt")
        for name in self._files:
            if name.startswith(prefix) and not _is_sound(object_in(self._content(name))):
                raise self._refusal(f"{name} is malformed")
        return there[0]

    def _content(self, name: str) -> bytes:
        data = self._contents.kept.get(f"{self._directory}/{name}")
        if data is None:
            raise self._refusal(f"{name} is missing")
        return data

    def _refusal(self, problem: str) -> ExchangeError:
        return self._contents.refusal(self._what, problem)


def _is_sound(record: Mapping[str, Any]) -> bool:
    """Whether a record of an execution can be read, and its facts are of the types that they must have."""
    return bool(record) and all(
        record.get(name) is None or fits(record[name]) for names, fits in _FACTS for name in names
    )


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_error(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name, ""), str) for name in ("type", "message"))


_FACTS: tuple[tuple[tuple[str, ...], Callable[[Any], bool]], ...] = (
    (("started_s", "ended_s"), is_moment),
    (("task", "host", "worker", "start", "end", "reason", "python", "packages"), _is_line),
    (("exit_code", "peak_memory_bytes", "cpu_s"), _is_number),
    (("signal",), lambda value: _is_line(value) or _is_number(value)),
    (("code", "git", "machine"), lambda value: isinstance(value, dict)),
    (("error",), _is_error),
    (("log_to",), lambda value: isinstance(value, list) and all(type(each) is int for each in value)),
)
"""Facts of a record, and what each of them is. Each may be missing, or null."""


def _tags(contents: Contents) -> dict[str, Mapping[str, Any]]:
    """The tags of each job, by identity, as the list of jobs has them."""
    try:
        rows = json.loads(contents.kept.get(JOBS, b""))["jobs"]
        return {str(row["identity"]): _plain(row["tags"]) for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ExchangeError(contents.where, f"its {JOBS} is malformed", NOT_OURS) from None


def _plain(tags: Any) -> Mapping[str, Any]:
    if not isinstance(tags, dict) or not all(type(value) in (str, int, float, bool) for value in tags.values()):
        raise TypeError
    if any(_CONTROL.search(text) for text in (*tags, *tags.values()) if isinstance(text, str)):
        raise TypeError
    return tags


def _needed_first(jobs: Mapping[str, CheckedJob]) -> list[CheckedJob]:
    """The jobs in an order in which each comes after those that it needs."""
    found: dict[str, CheckedJob] = {}
    for start in jobs:
        path = [(start, iter(jobs[start].needs))] if start not in found else []
        entered = {start}
        while path:
            identity, rest = path[-1]
            need = next((each for each in rest if each in jobs and each not in found and each not in entered), None)
            if need is None:
                found[identity] = jobs[identity]
                path.pop()
            else:
                entered.add(need)
                path.append((need, iter(jobs[need].needs)))
    return list(found.values())
