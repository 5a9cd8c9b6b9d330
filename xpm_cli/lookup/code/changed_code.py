"""Which done jobs ran code that has changed since, by the files as they lie in their folders now.

Owns: the choice of these jobs, and the words for them. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.judging.today import Today
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.words.text import listed, plural

LISTED = 20
"""How many jobs are told one by one."""
PLACES = 3
"""How many places of a job are named."""


class ChangedCode:
    """Done jobs, and what has become of their code.

    Args:
        opened: The workspace.
        rows: The jobs. Those that are not done are passed over.
        named: Whether each was named. Then also those are told of which nothing has changed.

    Attributes:
        rows: Those of them that ran what has changed.
    """

    def __init__(self, opened: OpenWorkspace, rows: Sequence[JobRow], *, named: bool = False) -> None:
        self._opened, self._named = opened, named
        self._others = [row for row in rows if row.state is not State.DONE]
        today = Today(opened.workspace.path)
        done = [row for row in rows if row.state is State.DONE]
        self._found = [(row, today.of(opened.directory(row), row.task or "").judgement) for row in done]
        self.rows = [row for row, found in self._found if found.answer == "ran"]

    def lines(self) -> Iterator[str]:
        """What has changed of which job, and of how many it cannot be told.

        Example:
            >>> list(changed.lines())
            ['3f9ac2e Train lr=0.1 ran older code: mlp.py MLP.forward', 'cannot tell of 2 jobs: getattr at a.py:14']
        """
        if self._others:
            yield f"{self._who(self._others)} not done: --changed takes done jobs only"
        for row, found in self._found if self._named else ():
            if found.answer == "same":
                yield f"{self._title(row)} ran no code that has changed"
            elif found.answer == "reached":
                yield f"{self._title(row)} never ran what has changed: {listed(found.places, PLACES)}"
        ran = [(row, found) for row, found in self._found if found.answer == "ran"]
        for row, found in ran[:LISTED]:
            yield f"{self._title(row)} ran older code: {listed(found.places, PLACES)}"
        if len(ran) > LISTED:
            yield f"and {len(ran) - LISTED} more"
        unknown = [(row, found) for row, found in self._found if found.answer == "unknown"]
        if unknown:
            why = dict.fromkeys(each for _, found in unknown for each in found.why)
            yield f"cannot tell of {self._who([row for row, _ in unknown], '')}: {listed(list(why), PLACES)}"

    def _who(self, rows: Sequence[JobRow], verb: str | None = None) -> str:
        """Some jobs as the subject of a sentence, with "is" or "are" behind it."""
        if len(rows) == 1:
            return self._title(rows[0]) + (" is" if verb is None else verb)
        return plural(len(rows), "job") + (" are" if verb is None else verb)

    def _title(self, row: JobRow) -> str:
        return f"{short(row.identity)} {self._opened.title(row)}"
