"""Where a number comes from, as plain data: the JSON form of `xpm cite`.

Owns: its fields (docs/reference/schemas/cite.json), and the comparison of the index with the files of the jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from xpm_cli.lookup.code.job_code import JobCode
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.publishing.attempts import Attempt, attempts_of
from xpm_cli.lookup.publishing.cited import Cited
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.publishing.result_lines import cell_data
from xpm_core.errors import SnapshotError
from xpm_core.fingerprints.ran import Ran
from xpm_core.labels import LIVE, short
from xpm_core.reading.listing.row import JobRow
from xpm_core.results.columns import key_of
from xpm_core.results.foreign import ForeignRun
from xpm_core.results.jobs import Known
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.states import State
from xpm_core.workspace.reported import results_file

Agreement = Literal["same", "differs", "missing"]


class _Codes:
    """The code of many jobs. Most have run the same one, so each is read and compared with today's files once."""

    def __init__(self) -> None:
        self._known: dict[JobCode, JobCode] = {}
        self._changed: dict[JobCode, list[str] | None] = {}

    def one(self, code: JobCode) -> JobCode:
        """The same code, as an earlier job had it."""
        return self._known.setdefault(code, code)

    def changed(self, code: JobCode) -> list[str] | None:
        """The files of its snapshot that differ now; None if that is not known."""
        if code not in self._changed:
            self._changed[code] = code.changed()
        return self._changed[code]


@dataclass(frozen=True)
class Source:
    """A job that a number comes from, or that such a job uses.

    Attributes:
        opened: The workspace.
        row: The job.
        codes: What is known of the code of all jobs.
    """

    opened: OpenWorkspace
    row: JobRow
    codes: _Codes = field(default_factory=_Codes, repr=False, compare=False)

    @cached_property
    def attempt(self) -> Attempt | None:
        """The attempt whose result counts; else the latest one; None if none has left a record."""
        found = list(attempts_of(self.opened, self.row))
        return next((each for each in found if each.counts), found[-1] if found else None)

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """Its record; empty if there is none."""
        return self.attempt.record if self.attempt else {}

    @cached_property
    def code(self) -> JobCode:
        """The code that it ran."""
        return self.codes.one(self.attempt.code if self.attempt else JobCode(self.opened.workspace.path))

    @property
    def changed(self) -> list[str] | None:
        """The files of its snapshot that differ now; None if that is not known."""
        return self.codes.changed(self.code)

    @cached_property
    def files(self) -> list[dict[str, Any]] | None:
        """The files of the project that it opened, beside its code; None if that was not seen."""
        digest = self.record.get("ran")
        try:
            data = CodeStore(self.opened.workspace.path).get("ran", digest) if isinstance(digest, str) else None
            found = None if data is None else Ran.read(data)
        except SnapshotError:
            return None
        if found is None:
            return None
        return [
            {"tree": each.tree, "path": each.path, "sha256": each.digest or None}
            for each in found.files
            if each.state != "absent"
        ]

    def value(self, name: str) -> Any:
        """The value of a result, by the index."""
        return (self.row.results or {}).get(name)

    def agreement(self, name: str, value: Any) -> Agreement:
        """Whether the file in its directory has the value of a result that the index has."""
        found = results_file.read(self.opened.directory(self.row)) if self.row.task else None
        values = results_file.results_in(found.summary()) if found is not None else {}
        if name not in values:
            return "missing"
        return "same" if key_of(values[name]) == key_of(value) else "differs"


@dataclass(frozen=True)
class CitationFacts:
    """All that is known of where a number comes from.

    Attributes:
        opened: The workspace.
        cited: The number.
        codes: What is known of the code of all jobs.
    """

    opened: OpenWorkspace
    cited: Cited
    codes: _Codes = field(default_factory=_Codes, repr=False, compare=False)

    @cached_property
    def sources(self) -> list[Source]:
        """The jobs that count in it."""
        rows = {row.identity: row for row in self.opened.view.rows([row.identity for row in self.cited.rows])}
        found = [rows[row.identity] for row in self.cited.rows if row.identity in rows]
        return [Source(self.opened, row, self.codes) for row in found]

    @cached_property
    def needs(self) -> dict[str, list[str]]:
        """The jobs that each of them needs, and that these need, and so on; by identity."""
        found: dict[str, list[str]] = {}
        waiting = [source.row for source in self.sources]
        while waiting:
            needed = self.opened.view.needs(waiting)
            found |= {identity: list(each or ()) for identity, each in needed.items()}
            wanted = {need for each in needed.values() for need in each or () if need not in found}
            waiting = self.opened.view.rows(sorted(wanted))
        return found

    @cached_property
    def used(self) -> list[Source]:
        """The jobs that those need, and that these need, and so on."""
        mine = {source.row.identity for source in self.sources}
        found = self.opened.view.rows(sorted(self.needs.keys() - mine))
        return [Source(self.opened, row, self.codes) for row in found]

    @cached_property
    def agreements(self) -> dict[str, Agreement]:
        """By job, whether its own file has the value of the index."""
        key = self.cited.column.key
        return {each.row.identity: each.agreement(key, each.value(key)) for each in self.sources}

    @property
    def notes(self) -> Iterable[str]:
        """What one should know of it, each a sentence."""
        yield from self.cited.notes
        words = {
            "differs": "has another value in results.json than in the index",
            "missing": "has no such value in results.json, and the index has one",
        }
        for source in self.sources:
            agreement = self.agreements[source.row.identity]
            if agreement != "same":
                there = self.opened.directory(source.row).path.is_dir()
                remedy = "the truth: look there" if there else "gone: run its script again"
                yield f"Job {source.row.identity[:7]} {words[agreement]}. Its directory is {remedy}."
        for source in self.sources:
            if source.row.state is None or source.row.state.value != "done":
                word = source.row.state.value if source.row.state else "in a state that is not known"
                yield f"Job {source.row.identity[:7]} is {word}: its value may not be the last one."
        for run in self.cited.foreign:
            if run.state is not State.DONE:
                yield f"Run {short(run.identity)} is {run.state.value}: its value may not be the last one."
        if self.cited.foreign:
            yield "A run of another program cannot be traced further than to the file that it was imported from."

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        cited = self.cited
        known = Known(self.opened.workspace.path, lambda: list(self.opened.view.jobs()))
        return {
            "schema": SCHEMA,
            "time": moment(self.opened.now_s),
            "source": self.opened.view.server,
            "cited": cited.text,
            "experiment": cited.experiment,
            "result": cited.column.key,
            "filter": cited.filter or None,
            "row": cited.name,
            "value": cell_data(cited.cell)["mean"] if cited.cell else cited.value,
            "cell": cell_data(cited.cell) if cited.cell else None,
            "jobs": [
                {
                    **self._job(each, known),
                    "value": each.value(cited.column.key),
                    "results_file": self.agreements[each.row.identity],
                }
                for each in self.sources
            ],
            "used": [self._job(each, known) for each in self.used],
            "foreign": [self._foreign(each) for each in cited.foreign],
            "packages": {
                code.packages_digest: dict(code.versions)
                for code in dict.fromkeys(each.code for each in [*self.sources, *self.used])
                if code.versions
            },
            "notes": list(self.notes),
        }

    def _foreign(self, run: ForeignRun) -> dict[str, Any]:
        return {
            "id": run.identity,
            "import": run.source.name,
            "kind": run.source.kind,
            "source": run.source.source,
            "sha256": run.source.digest,
            "where": run.where,
            "imported": moment(run.source.at_s),
            "by": run.source.by,
            "task": run.task,
            "state": run.state.value,
            "tags": dict(run.tags),
            "params": dict(run.params),
            "host": run.host or None,
            "commit": run.commit or None,
            "value": run.results.get(self.cited.column.key),
        }

    def _job(self, source: Source, known: Known) -> dict[str, Any]:
        row, code, record = source.row, source.code, source.record
        provenance, git = code.provenance, record.get("git")
        return {
            "id": row.identity,
            "task": row.task,
            "state": row.state.value if row.state else None,
            "tags": dict(row.tags or {}),
            "params": dict(known.parameters(row)),
            "directory": str(self.opened.directory(row).path) if row.task else None,
            "execution": record.get("execution"),
            "attempt": record.get("number"),
            "host": record.get("host"),
            "machine": record.get("machine"),
            "devices": record.get("devices"),
            "seeds": record.get("seeds"),
            "python": code.python or None,
            "packages": code.packages_digest or None,
            "code": {
                "snapshot": (code.snapshot or LIVE) if code.known else None,
                "commit": git.get("commit") if isinstance(git, dict) else None,
                "dirty": git.get("dirty") if isinstance(git, dict) else None,
                "changed_files": source.changed,
            },
            "command": None
            if provenance is None
            else {
                "script": provenance.script or None,
                "arguments": list(provenance.arguments),
                "folder": provenance.folder or None,
                "host": provenance.host or None,
                "user": provenance.user or None,
            },
            "paths": paths_of(known.parameters(row)),
            "files": source.files,
            "needs": self.needs.get(row.identity, []),
        }


def paths_of(params: Mapping[str, Any]) -> dict[str, str]:
    """The paths among parameters, by their names; those within the job's directory are left out."""
    return {
        name: str(value["path"])
        for name, value in params.items()
        if isinstance(value, dict) and "path" in value and "in" not in value
    }
