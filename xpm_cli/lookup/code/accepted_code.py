"""Done jobs whose results are to stand with today's code and data.

Owns: which of some jobs have anything to accept, what cannot be accepted and why, and the words for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xpm_cli.lookup.code.code_now import Code, code_now
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.sealed_job import imported_from
from xpm_core.errors import SettingsError, SnapshotError, WorkspaceError
from xpm_core.judging.acceptance import Acceptance, add
from xpm_core.judging.judge import Judge
from xpm_core.judging.judgement import Judgement
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.script.this_process import about
from xpm_core.states import State
from xpm_core.words.text import listed, plural

LISTED = 20
"""How many jobs are told one by one before they are accepted."""
NAMED = 5
"""How many jobs with nothing to accept are named."""
PLACES = 3
"""How many places of a job are named."""


class Candidate(NamedTuple):
    """A job that can be accepted.

    Attributes:
        row: The job.
        acceptance: What would be written.
        what: What has changed of it, for people.
    """

    row: JobRow
    acceptance: Acceptance
    what: str


class AcceptedCode:
    """Jobs whose results are to be accepted. Nothing is written before `accept`.

    Args:
        opened: The workspace.
        rows: The jobs.
        why: Why their results still stand.
        trusts: Whether to believe of imported jobs in which folders their code lies.

    Attributes:
        candidates: Those that have something to accept.
        refused: Those that cannot be accepted, and why.
        unchanged: Those that have nothing to accept.
    """

    def __init__(self, opened: OpenWorkspace, rows: Sequence[JobRow], why: str, *, trusts: bool = False) -> None:
        self._opened, self._why, self._trusts = opened, why, trusts
        self._about, self._now_s = about(), round(time.time(), 3)
        self._judges: dict[Code, Judge] = {}
        self.candidates: list[Candidate] = []
        self.refused: list[tuple[JobRow, str]] = []
        self.unchanged: list[JobRow] = []
        for row, code in code_now(opened, [row for row in rows if self._may_be_accepted(row)]):
            if isinstance(code, str):
                self.refused.append((row, code))
            else:
                self._judge(row, code)

    def lines(self) -> Iterator[str]:
        """Which jobs have nothing to accept, and which cannot be accepted."""
        if self.unchanged:
            names = listed([short(row.identity) for row in self.unchanged], NAMED)
            theirs = "its" if len(self.unchanged) == 1 else "their"
            same = f"{theirs} code and data are as they were, or as they were accepted"
            yield f"Nothing to accept of {plural(len(self.unchanged), 'job')} ({names}): {same}."
        for row, problem in self.refused:
            yield self._line(row, problem)

    def would(self) -> Iterator[str]:
        """What would be accepted, a line each."""
        yield f"This would accept {plural(len(self.candidates), 'job')} with the code and the data of now:"
        for row, _, what in self.candidates[:LISTED]:
            yield f"  {self._line(row, what)}"
        if len(self.candidates) > LISTED:
            yield f"  and {len(self.candidates) - LISTED} more"

    def accept(self) -> Iterator[tuple[bool, str]]:
        """Accept them; for each, whether it was done, and a line about it."""
        for row, acceptance, what in self.candidates:
            try:
                add(self._opened.directory(row), acceptance)
            except WorkspaceError as error:
                yield False, self._line(row, str(error))
            else:
                yield True, self._line(row, f"accepted with code {short(acceptance.snapshot)} ({what}).")

    def _may_be_accepted(self, row: JobRow) -> bool:
        if row.state is not State.DONE:
            state = row.state.value if row.state else "not known to be done"
            self.refused.append((row, f"it is {state}. Only the result of a done job can be accepted."))
            return False
        mark = None if self._trusts else self._opened.directory(row).imported()
        if mark is not None:
            whose = f"it was imported ({imported_from(mark)}), so somebody else says in which folders its code lies"
            self.refused.append((row, f"{whose}. If you trust that, give --trust."))
        return mark is None

    def _judge(self, row: JobRow, code: Code) -> None:
        if code not in self._judges:
            self._judges[code] = Judge(self._opened.workspace.path, *code)
        judge, directory, task = self._judges[code], self._opened.directory(row), row.task or ""
        found = judge.of(directory, task)
        if found.answer == "same":
            self.unchanged.append(row)
            return
        marker = directory.marker()
        if marker is None or marker.kind != "done":
            self.refused.append((row, f"its directory does not say that it is done: {directory.path}"))
            return
        try:
            files = judge.files_now(directory, task)
        except (SnapshotError, SettingsError) as error:
            self.refused.append((row, f"it cannot be accepted: {error.where}: {error.problem}. Run it again."))
            return
        user, host = str(self._about["user"]), str(self._about["host"])
        acceptance = Acceptance(marker.execution, *code, self._why, user, host, self._now_s, files)
        since = judge.since(directory, task, acceptance)
        if since is None or since.answer != "same":
            told = since or found
            problem = listed([*told.why, *told.places], PLACES)
            again = f"Run it again: {self._opened.commands.retry(row.identity)}"
            self.refused.append(
                (row, f"it cannot be accepted, because later changes could not be told: {problem}. {again}")
            )
            return
        self.candidates.append(Candidate(row, acceptance, _what(found)))

    def _line(self, row: JobRow, said: str) -> str:
        return f"{short(row.identity)}  {self._opened.title(row)}: {said}"


def _what(found: Judgement) -> str:
    """What has become of the code of a job, for people.

    Example:
        >>> _what(judge.of(directory, "train:Train"))
        'mlp.py MLP.forward'
    """
    if found.answer == "unknown":
        return f"it cannot be told whether its code has changed: {listed(found.why, PLACES)}"
    places = listed(found.places, PLACES)
    return f"changed: {places}" if found.answer == "ran" else f"changed, but it never ran that: {places}"
