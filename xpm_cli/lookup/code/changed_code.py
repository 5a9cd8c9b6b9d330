"""Which done jobs ran code that has changed since, by today's files of the folders from which they were submitted.

Owns: the choice of these jobs, and the words for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xpm_cli.lookup.code.retried_code import Recoded
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


class ChangedCode:
    """Done jobs, and what has become of their code.

    Args:
        opened: The workspace.
        rows: The jobs.
        recoded: The jobs with today's code, by identity. Jobs without one use live code, or are not done.

    Attributes:
        rows: Those of them that ran what has changed.

    Raises:
        SnapshotError: The description of today's code is gone.
    """

    def __init__(self, opened: OpenWorkspace, rows: Sequence[JobRow], recoded: Mapping[str, Recoded]) -> None:
        self._opened = opened
        self._judges: dict[tuple[str, str], Judge] = {}
        self._found = [(row, self._judged(row, recoded.get(row.identity))) for row in rows if row.state is State.DONE]
        self.rows = [row for row, found in self._found if found.answer == "ran"]

    def lines(self) -> Iterator[str]:
        """What has changed of which job, and of how many it cannot be told.

        Example:
            >>> list(changed.lines())
            ['3f9ac2e Train lr=0.1: mlp.py MLP.forward', 'cannot tell of 2 jobs: getattr at registry.py:14']
        """
        ran = [(row, found) for row, found in self._found if found.answer == "ran"]
        for row, found in ran[:LISTED]:
            yield f"{short(row.identity)} {self._opened.title(row)}: {listed(found.places, PLACES)}"
        if len(ran) > LISTED:
            yield f"and {len(ran) - LISTED} more"
        unknown = [found for _, found in self._found if found.answer == "unknown"]
        if unknown:
            why = dict.fromkeys(each for found in unknown for each in found.why)
            yield f"cannot tell of {plural(len(unknown), 'job')}: {listed(list(why), PLACES)}"

    def _judged(self, row: JobRow, recoded: Recoded | None) -> Judgement:
        if recoded is None:
            return Judgement("unknown", why=("it ran with live code, or its directory does not tell how to run it",))
        options = recoded.after.options
        today = options.snapshot, options.provenance
        if today not in self._judges:
            self._judges[today] = Judge(self._opened.workspace.path, *today)
        return self._judges[today].of(self._opened.directory(row), row.task or "")
