"""A list of jobs as a table: what differs among them as columns, what all have in common below.

Owns: the columns, and which of them go if the terminal is narrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_cli.output.json_form import moment
from xpm_cli.output.tables.cells import differences, text_of
from xpm_cli.output.terminal import Terminal, state
from xpm_core.filters import Column
from xpm_core.labels import bare_class, short
from xpm_core.reading.listing.listing import Listing
from xpm_core.reading.listing.row import JobRow
from xpm_core.results.digits import fixed
from xpm_core.states import State
from xpm_core.words.text import ago, line, meter, span

METER = 10
WIDEST_VALUE = 24
"""Characters of a parameter's value in a table on a terminal."""
COMMON = 12
"""How many common values stand below a table on a terminal."""
LONGEST_WHY = 60
LEAST_WHY = 20
"""Characters to which a reason is cut before a column is left out."""
DIGESTS = ("code", "commit", "packages")
TIMES = ("since", "submitted", "started", "ended")

Cells = tuple[str, list[str]]
"""A column of the table: its name, and a cell for each job."""


@dataclass(frozen=True)
class JobTable:
    """The table of a list.

    Attributes:
        listing: The jobs.
        now_s: The time of the list, epoch seconds.
        reasons: Why jobs do not run, in a few words, by identity.
        columns: The columns that were asked for; None for the usual ones.
        wide: Whether to show more of each job, and to cut nothing.
        hidden_done: How many of the jobs that are left out are done, as far as that is known.
    """

    listing: Listing
    now_s: float
    reasons: Mapping[str, str]
    columns: Sequence[Column] | None = None
    wide: bool = False
    hidden_done: int = 0

    def lines(self, terminal: Terminal) -> Iterator[str]:
        """The lines to print."""
        rows = self.listing.rows
        if not rows:
            yield self._nothing()
            return
        if self.columns is not None:
            asked = [
                (column.name, [cell_text(column, row, self.now_s, wide=self.wide) for row in rows])
                for column in self.columns
            ]
            yield from terminal.table(_rows(asked))
            yield from self._footer({}, terminal)
            return
        differing, common = differences(rows)
        yield from self._usual(differing, terminal)
        yield from self._footer(common, terminal)

    def _usual(self, differing: Mapping[str, list[Any]], terminal: Terminal) -> Iterator[str]:
        """The usual columns.

        If the width is too small, the reasons are cut first. Then the columns of parameters go, from the right.
        """
        rows = self.listing.rows
        first: list[Cells] = [
            ("ID", [short(row.identity) for row in rows]),
            ("STATE", [state(row.state.value) if row.state else "unknown" for row in rows]),
            ("TASK", [row.name or "?" for row in rows]),
        ]
        values = [(name, [self._value(value, terminal) for value in found]) for name, found in differing.items()]
        last: list[Cells] = [
            ("TIME", [time_of(row, self.now_s) for row in rows]),
            ("WHERE", [where(row) for row in rows]),
            *(self._more() if self.wide else ()),
        ]
        why = [self._why(row) for row in rows]
        whole = self.wide or terminal.width is None
        hidden: list[str] = []
        while values and not (whole or terminal.fits(_rows([*first, *values, *last, _reasons(why, LEAST_WHY)]))):
            hidden.insert(0, values.pop()[0])
        columns = [*first, *values, *last]
        room = None if whole else max(terminal.room_beside(_rows(columns)), LEAST_WHY)
        yield from terminal.table(_rows([*columns, _reasons(why, room)]), hidden=hidden, whole=whole)

    def _more(self) -> list[Cells]:
        rows = self.listing.rows
        return [
            ("QUEUE", [row.queue or "-" for row in rows]),
            ("TOKENS", [" ".join(f"{name}={n}" for name, n in (row.demand or {}).items()) or "-" for row in rows]),
            ("ATTEMPTS", [str(row.attempts or "-") for row in rows]),
            ("SUBMITTED", [moment(row.submitted_s or 0) or "-" for row in rows]),
            ("EXPERIMENTS", [" ".join(sorted(row.experiments)) or "-" for row in rows]),
        ]

    def _value(self, value: Any, terminal: Terminal) -> str:
        text = text_of(value)
        return text if self.wide or terminal.width is None else line(text, WIDEST_VALUE)

    def _why(self, row: JobRow) -> str:
        progress = row.job.progress if row.job else {}
        if row.state is State.RUNNING and progress:
            fraction = progress.get("fraction")
            bar = f"{meter(fraction, METER)}  " if isinstance(fraction, (int, float)) else ""
            return f"{bar}{line(progress.get('desc', ''), LONGEST_WHY)}".rstrip()
        if row.state is State.FAILED:
            return failure(row)
        return self.reasons.get(row.identity, "-" if row.state else "its end is not known")

    def _nothing(self) -> str:
        if not self.listing.total:
            return "no jobs yet"
        return f"no job of {self.listing.total} matches"

    def _common(self, common: Mapping[str, Any], terminal: Terminal) -> str:
        """What all have in common; on a terminal, the first of it."""
        most = len(common) if self.wide or terminal.width is None else COMMON
        texts = [f"{name}={self._value(value, terminal)}" for name, value in common.items()]
        return " ".join(texts[:most]) + (f" and {len(texts) - most} more (-o wide)" if len(texts) > most else "")

    def _footer(self, common: Mapping[str, Any], terminal: Terminal) -> Iterator[str]:
        listing = self.listing
        hidden = f", {self.hidden_done} done ones are not" if self.hidden_done else ""
        cut = f"{len(listing)} of {listing.matched} shown{hidden} (--limit 0 shows all)"
        parts = [cut] if len(listing) < listing.matched else []
        if common:
            parts.append(f"the same in all: {self._common(common, terminal)}")
        if parts:
            yield from terminal.wrapped("", " · ".join(parts))


def cell_text(column: Column, row: JobRow, now_s: float, *, wide: bool = False) -> str:
    """A cell of a column that was asked for: identities are short, and times are relative.

    Args:
        column: The column.
        row: The job.
        now_s: The time of the list, epoch seconds.
        wide: Whether results have all their digits.
    """
    value = column.value(row)
    if column.name == "id":
        return short(row.identity)
    if column.name in DIGESTS and isinstance(value, str):
        return f"{short(value)}{'+' if value.endswith('+') else ''}"
    if column.name in TIMES and isinstance(value, float):
        return ago(now_s - value)
    if column.is_result and isinstance(value, float) and not wide:
        return fixed(value, None)
    return text_of(value)


def time_of(row: JobRow, now_s: float) -> str:
    """How long a job runs or waits, or how long ago it ended."""
    if row.state is State.RUNNING and row.started_s:
        return span(now_s - row.started_s)
    if row.ended_s and row.state in (State.DONE, State.FAILED, State.CANCELLED):
        return ago(now_s - row.ended_s)
    return span(now_s - row.submitted_s) if row.submitted_s else "-"


def where(row: JobRow) -> str:
    """Where a job runs or ran: the host and the number of the slot, `gpu-a:2`."""
    if not row.host:
        return "-"
    slot = (row.worker or "").rpartition(".")[2]
    return f"{row.host}:{slot}" if slot.isdigit() else row.host


def failure(row: JobRow) -> str:
    """What went wrong, in a few words: `MemoryError (train.py:88)`."""
    error = row.error
    file, number = str(error.get("file") or "").rpartition("/")[2], error.get("line")
    place = f" ({file}:{number})" if file and number else ""
    reason = row.job.reason if row.job else ""
    return f"{bare_class(line(error.get('type') or reason or 'unknown', LONGEST_WHY))}{place}"


def _reasons(why: Sequence[str], room: int | None) -> Cells:
    """The last column, cut to that many characters; None for no cut."""
    name = "WHY / PROGRESS"
    return name, [text if room is None else line(text, max(room, len(name))) for text in why]


def _rows(columns: Sequence[Cells]) -> list[list[str]]:
    return [[name for name, _ in columns], *map(list, zip(*(cells for _, cells in columns), strict=True))]
