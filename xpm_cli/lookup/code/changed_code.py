"""Which done jobs ran code that has changed since, by today's files of the folders from which they were submitted.

Owns: the choice of these jobs, and the words for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xpm_cli.lookup.code.retried_code import Recoded, RetriedCode
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.judging.judge import Judge
from xpm_core.judging.judgement import Judgement
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.words.text import listed, plural

LISTED = 20
"""How many jobs are told one by one."""
PLACES = 3
"""How many places of a job are named."""

_LIVE = "it runs live code, which is not kept"
_UNTOLD = "its directory does not say how to run it, or it was imported, and only --trust runs it"


class ChangedCode:
    """Done jobs, and what has become of their code.

    Args:
        opened: The workspace.
        rows: The jobs. Those that are not done are passed over.
        recoded: Jobs with today's code, by identity. Of others, it cannot be told.
        code: Says why the others have none.
        named: Whether each was named. Then also those are told of which nothing has changed.

    Attributes:
        rows: Those of them that ran what has changed.
        fails: Whether a job was named that is not done, or cannot run with today's code.
    """

    def __init__(
        self,
        opened: OpenWorkspace,
        rows: Sequence[JobRow],
        recoded: Mapping[str, Recoded],
        code: RetriedCode,
        *,
        named: bool = False,
    ) -> None:
        self._opened, self._named, self._code = opened, named, code
        self._judges: dict[tuple[str, str], Judge] = {}
        self._others = [row for row in rows if row.state is not State.DONE]
        self._found = [(row, self._judged(row, recoded.get(row.identity))) for row in rows if row.state is State.DONE]
        self.rows = [row for row, found in self._found if found.answer == "ran"]
        self.fails = named and any(row.state is not State.DONE or row.identity not in recoded for row in rows)

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

    def _judged(self, row: JobRow, recoded: Recoded | None) -> Judgement:
        if recoded is None:
            return Judgement("unknown", why=(self._untold(row.identity),))
        options = recoded.after.options
        today = options.snapshot, options.provenance
        if today not in self._judges:
            self._judges[today] = Judge(self._opened.workspace.path, *today)
        return self._judges[today].of(self._opened.directory(row), row.task or "")

    def _untold(self, identity: str) -> str:
        """Why it cannot be told of a job that has no code of today."""
        if identity in self._code.refused:
            return str(self._code.refused[identity])
        return _LIVE if identity in self._code.ended else _UNTOLD

    def _who(self, rows: Sequence[JobRow], verb: str | None = None) -> str:
        """Some jobs as the subject of a sentence, with "is" or "are" behind it."""
        if len(rows) == 1:
            return self._title(rows[0]) + (" is" if verb is None else verb)
        return plural(len(rows), "job") + (" are" if verb is None else verb)

    def _title(self, row: JobRow) -> str:
        return f"{short(row.identity)} {self._opened.title(row)}"
