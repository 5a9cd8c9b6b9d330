"""The code of jobs that are to run again: what differs now, and today's code in its place.

Owns: whom to believe of where the code came from, and the words. A signed job is signed anew, with XPM_SIGNING_KEY.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.errors import SettingsError, SignatureError, SnapshotError
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Provenance
from xpm_core.snapshot.taking.changes import changed_files, retaken
from xpm_core.states import State
from xpm_core.store.records import Submission
from xpm_core.wire import signing
from xpm_core.words.text import listed, plural
from xpm_core.workspace.job_spec import JobSpec

ENDED = (State.FAILED, State.CANCELLED, State.DONE)
"""Only such jobs can be retried."""
NotTaken = SnapshotError | SettingsError | SignatureError
"""Why today's code cannot be taken in place of that of a job."""
NO_SCRIPT = "Run its script again, which takes today's code."


class Ended(NamedTuple):
    """A job that has ended, and can run again.

    Attributes:
        spec: What it ran.
        kept: What its directory has kept, if it is done; the server has forgotten that.
    """

    spec: JobSpec
    kept: Submission | None


class Recoded(NamedTuple):
    """A job that gets today's code.

    Attributes:
        before: What it ran.
        after: The same with today's code.
        kept: As in `Ended`, with today's code.
    """

    before: JobSpec
    after: JobSpec
    kept: Submission | None


class Today(NamedTuple):
    """Today's code, in place of that of jobs.

    Attributes:
        snapshot: Its snapshot.
        provenance: How the jobs then came to be submitted.
        changed: The files that differ from their own code.
        notes: What else people should know of it, in lines.
    """

    snapshot: str
    provenance: str
    changed: list[str]
    notes: list[str]


@dataclass
class RetriedCode:
    """The code of some jobs of a workspace that are to run again.

    Args:
        opened: The workspace.
        rows: The jobs.
    """

    opened: OpenWorkspace
    rows: Sequence[JobRow]
    ended: dict[str, Ended] = field(default_factory=dict, init=False)
    """Those of the jobs that can run again, by identity."""
    refused: dict[str, NotTaken] = field(default_factory=dict, init=False)
    """Why `now` has left out jobs with a snapshot, by identity."""
    _taken: dict[tuple[str, str], Today] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._store = CodeStore(self.opened.workspace.path)
        sealed = [row.identity for row in self.rows if row.state in ENDED and row.state is not State.DONE]
        specs = self.opened.reader.jobs.specs(sealed) if sealed else {}  # without those done by now, or forgotten
        for row in self.rows:
            if row.state is State.DONE and (kept := self.opened.kept(row)):
                self.ended[row.identity] = Ended(kept.spec, kept)
            elif row.identity in specs:
                self.ended[row.identity] = Ended(specs[row.identity], None)

    # -- what differs ----------------------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """Which files differ now from the code of the jobs, a line for each snapshot of which any does."""
        counts: dict[tuple[str, str], int] = {}
        for spec, _ in self.ended.values():
            if any(spec.options.problems()):  # its worker says so
                continue
            which = _which(spec)
            counts[which] = counts.get(which, 0) + 1
        for (snapshot, provenance), count in counts.items():
            whose = "its code is" if len(self.rows) == 1 else f"the code of {plural(count, 'job')} is"
            if snapshot and (differs := self._differs(snapshot, provenance)):
                yield f"{whose} {short(snapshot)}; {differs}"

    def _differs(self, snapshot: str, provenance: str) -> str:
        try:
            trees = Provenance.read(self._store.get("provenance", provenance)).trees
            if not any(os.path.isdir(tree.roots[0]) for tree in trees if tree.roots):
                return "its files are not on this machine"
            files = changed_files(self._store.manifest(snapshot), trees)
        except (SnapshotError, SettingsError) as error:
            return f"what differs now is not known: {error.problem}"
        return f"{_differing(files)}: --code now takes today's" if files else ""

    # -- today's code ----------------------------------------------------------------------------------------------

    def now(self, *, skips: bool = False) -> dict[str, Recoded]:
        """Today's code for these jobs, by identity. Nothing is retried. Jobs that use live code are left out.

        Args:
            skips: Whether a job whose code cannot be taken is left out, too. `refused` then says why.

        Raises:
            SnapshotError: The code of a job is not here, or cannot be kept.
            SettingsError: A pyproject.toml is wrong.
            SignatureError: A job is signed, and cannot be signed anew; or its signature is wrong.
        """
        found: dict[str, Recoded] = {}
        for identity, ended in self.ended.items():
            if not ended.spec.options.snapshot:
                continue
            try:
                found[identity] = self._recoded(ended)
            except (SnapshotError, SettingsError, SignatureError) as error:
                if not skips:
                    raise
                self.refused[identity] = error
        return found

    def now_lines(self, jobs: Collection[str]) -> Iterator[str]:
        """What `now` has taken for some jobs, by their identities: a line or more for each snapshot."""
        specs = [ended.spec for identity, ended in self.ended.items() if identity in jobs]
        for (before, provenance), today in self._taken.items():
            count = sum(_which(spec) == (before, provenance) for spec in specs)
            if not count:
                continue
            whose = "its code" if len(jobs) == 1 else f"the code of {plural(count, 'job')}"
            if today.snapshot == before:
                yield f"{whose} is {short(before)}: no file differs now"
            else:
                yield f"{whose} is {short(today.snapshot)} now, not {short(before)}: {_differing(today.changed)}"
            yield from today.notes

    def _recoded(self, ended: Ended) -> Recoded:
        spec, key = ended.spec, signing.key_in(os.environ)
        if key is not None:
            signing.verify(key, self.opened.workspace.id, spec)
        elif spec.signature:
            problem = f"it is signed, and {signing.VARIABLE} is not set here: today's code cannot be signed"
            raise SignatureError(spec.label, problem, f"Set {signing.VARIABLE} to the key, or retry its own code.")
        unknown = (f"it has the option {name!r}, which this version does not know" for name in spec.options.unknown)
        for problem in (*unknown, *spec.options.problems()):
            raise SnapshotError(spec.label, problem, "Use the version with which it was submitted.")
        today = self._today(spec)
        after = spec._replace(options=replace(spec.options, snapshot=today.snapshot, provenance=today.provenance))
        if key is not None:
            after = signing.signed(key, self.opened.workspace.id, after)
        return Recoded(spec, after, ended.kept and ended.kept._replace(spec=after))

    def _today(self, spec: JobSpec) -> Today:
        """Take today's code in place of that of a job."""
        which = _which(spec)
        if which not in self._taken:
            provenance, manifest = self._believed(spec), self._store.manifest(spec.options.snapshot)
            changed = changed_files(manifest, provenance.trees)
            taken = retaken(self.opened.workspace.path, provenance, manifest)
            described = replace(provenance, snapshot=taken.snapshot, trees=taken.trees)
            digest = self._store.put("provenance", described.written())
            self._taken[which] = Today(taken.snapshot, digest, changed, taken.lines[1:])
        return self._taken[which]

    def _believed(self, spec: JobSpec) -> Provenance:
        """Where the code of a job came from. Without a signature, others may have written that."""
        digest = spec.options.provenance
        if not digest:
            raise SnapshotError(spec.label, "it does not say where its code came from", NO_SCRIPT)
        data = self._store.get("provenance", digest)
        if not spec.signature and os.stat(self._store.document_path("provenance", digest)).st_uid != os.geteuid():
            raise SnapshotError(spec.label, "another user has submitted it, from files of that user", NO_SCRIPT)
        return Provenance.read(data)


def _which(spec: JobSpec) -> tuple[str, str]:
    """The snapshot of a job, and how it came to be submitted."""
    return spec.options.snapshot, spec.options.provenance


def _differing(files: Sequence[str]) -> str:
    return f"{plural(len(files), 'file')} {'differs' if len(files) == 1 else 'differ'} now ({listed(files)})"
