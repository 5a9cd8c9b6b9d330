"""What a job has printed, as its page and the script of its log ask for it: some lines, what came since, a search.

Owns: which of its two logs is shown first, which part of it an attempt has, and what is said if there is none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from xpm_cli.lookup.open_workspace import UNSTARTED
from xpm_cli.output.log_files import ERR, OUT, parts_of
from xpm_cli.page.log.log_file import LogFile, Part, Span
from xpm_cli.page.log.searching import LONGEST_WANTED, Found, search
from xpm_cli.page.log.styles import PLAIN, styled
from xpm_cli.page.log.tracebacks import FAR, last_traceback
from xpm_cli.page.safety.job_files import FileNotServedError, JobFile, open_job_file
from xpm_core.states import State
from xpm_core.words.text import amount

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from xpm_cli.lookup.open_workspace import OpenWorkspace
    from xpm_core.reading.listing.row import JobRow

STREAMS = {OUT: "output", ERR: "errors"}
"""The logs, and what people call them."""
LARGEST = 1 << 62
"""No log has more bytes."""
LONGEST_CODE = 60
"""Characters of the style that a script hands back."""


class Wanted(NamedTuple):
    """What of a log is asked for.

    Attributes:
        stream: `out` or `err`; empty for the one that says most.
        attempt: Only what this attempt has printed; None for all.
        at: Begin at the line here, bytes; None for the end of the log.
        before: End before the line here; None if that is not asked for.
        file: The log that `at` is of, as an earlier answer has named it; empty if it does not matter.
        style: The numbers of the style at `at`.
        traceback: Whether to begin at the last traceback.
        find: What to look for; empty for nothing.
        regex: Whether that is a regular expression.
        start: Where to begin to look for it.
        line: How many lines stand before that.
    """

    stream: str = ""
    attempt: int | None = None
    at: int | None = None
    before: int | None = None
    file: str = ""
    style: str = ""
    traceback: bool = False
    find: str = ""
    regex: bool = False
    start: int = 0
    line: int = 0

    @classmethod
    def of(cls, query: QueryParams) -> Wanted:
        """What a query asks for. What it says wrongly counts as not said."""
        stream = query.get("stream", "")
        return cls(
            stream if stream in STREAMS else "",
            _number(query.get("attempt")) or None,
            _number(query.get("at")),
            _number(query.get("before")),
            query.get("file", ""),
            query.get("style", "")[:LONGEST_CODE],
            query.get("to") == "traceback",
            query.get("find", "")[:LONGEST_WANTED],
            query.get("regex", "") in ("1", "on"),
            _number(query.get("from")) or 0,
            _number(query.get("line")) or 0,
        )


@dataclass(frozen=True)
class Printed:
    """A part of a log.

    Attributes:
        stream: Which log: `out` or `err`.
        streams: The logs that are there, with their sizes, bytes.
        attempt: The attempt that it is of; None for all.
        part: The lines.
        said: What there is to say in place of lines, or of these; else empty.
        follows: Whether the log may grow.
        first: Where the log begins: that of an attempt begins within the file.
        stop: Where it ends.
        found: What a search has found; None without one.
    """

    stream: str
    streams: dict[str, int] = field(default_factory=dict)
    attempt: int | None = None
    part: Part = field(default_factory=lambda: Part(0, 0, 0))
    said: str = ""
    follows: bool = False
    first: int = 0
    stop: int = 0
    found: Found | None = None


class PrintedLog:
    """The log of a job.

    Args:
        opened: The workspace.
        row: The job.
        wanted: What of it is asked for.

    Raises:
        UnknownAttemptError: It had no such attempt.
    """

    def __init__(self, opened: OpenWorkspace, row: JobRow, wanted: Wanted) -> None:
        self._row, self._wanted = row, wanted
        self._directory = opened.directory(row)
        self._names = {OUT: self._directory.out.name, ERR: self._directory.err.name}
        self._spans = {stream: Span(*part) for stream, part in parts_of(self._records(), wanted.attempt, row).items()}

    def _records(self) -> Sequence[dict[str, object]]:
        return [] if self._wanted.attempt is None else self._directory.records()

    @cached_property
    def streams(self) -> dict[str, int]:
        """The logs that are there, with the bytes that the attempt has."""
        sizes = dict(zip((OUT, ERR), self._directory.log_sizes(), strict=True))
        found = {}
        for stream, size in sizes.items():
            stop = self._spans[stream].stop
            found[stream] = max((size if stop is None else min(stop, size)) - self._spans[stream].start, 0)
        return found

    @property
    def stream(self) -> str:
        """The log that is asked for, else the one that says most: the errors of a job that failed, else the output."""
        if self._wanted.stream:
            return self._wanted.stream
        failed = self._row.state in (State.FAILED, State.DELAYED)
        return next((each for each in ((ERR, OUT) if failed else (OUT, ERR)) if self.streams[each]), OUT)

    @property
    def follows(self) -> bool:
        """Whether it may grow: the job runs, and this is the log of the attempt that runs, or of all."""
        return self._row.state is State.RUNNING and self._spans[self.stream].stop is None

    def read(self) -> Printed:
        """Return what is asked for. A log that is not there, or not for the page, is said."""
        stream = self.stream
        printed = Printed(stream, self.streams, self._wanted.attempt, follows=self.follows)
        try:
            with self._opened(stream) as file:
                log = LogFile(file, self._spans[stream])
                part, said = self._part(log, file)
                found = self._search(log, file) if self._wanted.find else None
        except FileNotServedError as error:
            is_there = os.path.lexists(self._directory.path / self._names[stream])
            return self._with(printed, Part(0, 0, 0), str(error) if is_there else self._missing())
        if not said and not part.lines and log.first == log.stop:
            said = "It has printed nothing here."
        return self._with(printed, part, said or part.fresh_note, log.first, log.stop, found)

    def _with(
        self, printed: Printed, part: Part, said: str, first: int = 0, stop: int = 0, found: Found | None = None
    ) -> Printed:
        return Printed(
            printed.stream, printed.streams, printed.attempt, part, said, printed.follows, first, stop, found
        )

    def _part(self, log: LogFile, file: BinaryIO) -> tuple[Part, str]:
        wanted = self._wanted
        if wanted.traceback:
            place = last_traceback(file, log.first, log.stop)
            if place is None:
                where = f" in its last {amount(FAR)}" if log.stop - log.first > FAR else ""
                return log.last(), f"There is no traceback{where}."
            return log.after(log.line_of(place)), ""
        if wanted.before is not None:
            return log.before(wanted.before), ""
        if wanted.at is None:
            return log.last(), ""
        if wanted.file:
            return log.news(wanted.at, wanted.file, styled(PLAIN, wanted.style) if wanted.style else PLAIN), ""
        return log.after(wanted.at), ""

    def _search(self, log: LogFile, file: BinaryIO) -> Found:
        start = max(self._wanted.start, log.first)
        return search(file, self._wanted.find, start, log.stop, regex=self._wanted.regex)

    @contextmanager
    def _opened(self, stream: str) -> Iterator[BinaryIO]:
        found: JobFile = open_job_file(self._directory.path, self._names[stream])
        with found.file as file:
            yield file

    def _missing(self) -> str:
        if self._row.state in UNSTARTED:
            return "It has not run, so there is no log yet."
        if self._row.state is State.RUNNING:
            return "It has printed nothing yet."
        if not self._directory.path.is_dir():
            return "Its directory is gone, and its logs with it."
        return "There is no such log."


def _number(text: str | None) -> int | None:
    """A number of a query; None if it is none, or none that a log can have."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    return min(int(text), LARGEST)
