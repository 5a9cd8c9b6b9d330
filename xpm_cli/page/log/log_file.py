"""Parts of a log file: its end, what came since, what stands before. A part has whole lines, and a bounded size.

A line begins at the start of the file, after an end of line, or, as progress bars mean it, after a carriage return. A
part that is asked for from somewhere within a line begins at the next line.

Owns: how many bytes are read for a part, and what becomes of lines that are longer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import BinaryIO, NamedTuple

from markupsafe import Markup

from xpm_cli.page.log.ansi import cut, html_of
from xpm_cli.page.log.styles import PLAIN, Style
from xpm_cli.page.log.visible import runs_of

PART = 1 << 18
"""How many bytes of the file a part covers at most, if no line is longer."""
LINES = 2000
"""How many lines a part has at most."""
LONGEST = 5000
"""How many characters of a line are shown."""
FAR = 1 << 26
"""How many bytes are read at most to find the end of a line that is longer than a part."""
_BLOCK = 1 << 20
_WIDEST = 4
"""Bytes of a character at most."""


class Line(NamedTuple):
    """A line of a log.

    Attributes:
        at: Where it begins, bytes.
        html: What is seen of it.
        size: How many bytes it has; if its end was not found, how many at least.
        cut: Whether only its first characters are in `html`.
        headless: Whether its beginning is missing, because it lies too far before.
    """

    at: int
    html: Markup
    size: int
    cut: bool = False
    headless: bool = False


@dataclass(frozen=True)
class Part:
    """Some lines of a log, one after another.

    Attributes:
        start: Where the first of them begins, bytes.
        end: Where to go on reading.
        size: How many bytes the file had.
        file: Which file it is: another file of the same name has another one.
        lines: The lines.
        open: Whether the last line has no end yet: `end` is its beginning, so it comes again with the next part.
        style: How characters look at `end`.
        fresh: Empty, or why it begins at the end of the file instead of where it was asked for.
    """

    start: int
    end: int
    size: int
    file: str = ""
    lines: list[Line] = field(default_factory=list)
    open: bool = False
    style: Style = PLAIN
    fresh: str = ""

    @property
    def fresh_note(self) -> str:
        """The same as a sentence; else empty."""
        return f"The log begins anew here: {self.fresh}." if self.fresh else ""


@dataclass(frozen=True)
class Span:
    """The part of a file that is looked at, such as what one attempt has printed, bytes."""

    start: int = 0
    stop: int | None = None


WHOLE = Span()


class LogFile:
    """A log file that is open for reading.

    Args:
        file: The file, opened without a buffer: a regular one.
        span: What of it is looked at.

    Example:
        >>> with open("train.err", "rb", buffering=0) as file:
        ...     log = LogFile(file)
        ...     end = log.last()
        ...     new = log.after(end.end, end.style)
    """

    def __init__(self, file: BinaryIO, span: Span = WHOLE) -> None:
        about = os.fstat(file.fileno())
        self._file, self.size = file, about.st_size
        self.file = f"{about.st_dev:x}-{about.st_ino:x}"
        self.first = min(span.start, self.size)
        self.stop = self.size if span.stop is None else min(span.stop, self.size)
        self._grows = span.stop is None or span.stop > self.size

    def last(self) -> Part:
        """Return the last lines."""
        return self.before(self.stop)

    def news(self, at: int, file: str, style: Style = PLAIN) -> Part:
        """Return the lines that came since an earlier part.

        Args:
            at: The `end` of that part.
            file: The `file` of that part.
            style: The `style` of that part.

        Returns:
            If the file is another one now, or shorter than it was, its last lines: `fresh` says why.
        """
        if file != self.file:
            return self._fresh("another file has taken its place")
        if at > self.size:
            return self._fresh("the file was cut shorter")
        return self.after(at, style)

    def after(self, at: int, style: Style = PLAIN) -> Part:
        """Return the lines from a place on. Within a line, it begins at the next one."""
        start = self._beginning(max(at, self.first))
        if start is None:
            scanned = min(max(at, self.first) + FAR, self.stop)
            return self._part(scanned, scanned, [], PLAIN)
        data = self._read(start, min(PART, self.stop - start))
        whole = data.rfind(b"\n") + 1
        reached = start + len(data) >= self.stop
        if not whole and not reached:
            return self._long(start, style if start == at else PLAIN)
        kept = data if reached else data[:whole]
        return self._cut_into_lines(kept, start, style if start == at else PLAIN)

    def before(self, stop: int) -> Part:
        """Return the lines that end at a place, which is the beginning of a line or the end of the file."""
        stop = max(min(stop, self.stop), self.first)
        low = max(stop - PART, self.first)
        data = self._read(low, stop - low)
        start = low
        if low > self.first and self._byte(low - 1) != b"\n":
            found = data.find(b"\n", 0, max(len(data) - 1, 0))
            if found < 0:
                return self._end_of_long(data, low, stop)
            start, data = low + found + 1, data[found + 1 :]
        earlier = data.removesuffix(b"\n").rsplit(b"\n", LINES)
        skipped = len(earlier[0]) + 1 if len(earlier) > LINES else 0
        return self._cut_into_lines(data[skipped:], start + skipped, PLAIN)

    def line_of(self, at: int) -> int:
        """Return where the line begins that a place is in; the place itself if that is too far before it."""
        found = self._line_before(at, at)
        return at if found is None else found

    # -- lines -----------------------------------------------------------------------------------------------------

    def _cut_into_lines(self, data: bytes, start: int, style: Style) -> Part:
        """Make a part of bytes that begin with a line, and end with one or at the end of what is there."""
        lines: list[Line] = []
        at, begins = start, style
        *whole, rest = data.split(b"\n")
        for each in whole[:LINES]:
            line, style = _line(each, at, style)
            lines.append(line)
            at, begins = at + len(each) + 1, style
        if len(whole) > LINES or not rest:
            return self._part(start, at, lines, style)
        line, style = _line(rest, at, style)
        lines.append(line)
        if self._is_open(at + len(rest)):
            return self._part(start, at, lines, begins, open=True)
        return self._part(start, at + len(rest), lines, style)

    def _long(self, start: int, style: Style) -> Part:
        """Make a part of one line that is longer than a part."""
        at, stop, last = start, min(start + FAR, self.stop), start
        end = -1
        while at < stop and end < 0:
            block = self._read(at, min(_BLOCK, stop - at))
            if not block:
                break
            end = block.find(b"\n")
            body = block if end < 0 else block[:end]
            if (back := _last_return(body)) >= 0:
                last = at + back + 1
            at += len(body)
        ends = end >= 0
        shown = self._read(last, min(LONGEST * _WIDEST, at - last))
        line, style = _line(shown, last, style if last == start else PLAIN, whole=at - last == len(shown))
        line = line._replace(at=start, size=at - start)
        if ends:
            return self._part(start, at + 1, [line], style)
        if self._is_open(at) and last > start:  # its newest text comes again, and not all that it has replaced
            return self._part(start, last, [line], PLAIN, open=True)
        return self._part(start, at, [line], style)

    def _end_of_long(self, data: bytes, low: int, stop: int) -> Part:
        """Make a part of the last line, whose beginning is further away than a part."""
        begins = self._line_before(low, stop)
        body = data.removesuffix(b"\n")
        if (back := _last_return(body)) >= 0:
            found = self._cut_into_lines(data[back + 1 :], low + back + 1, PLAIN)
            return replace(found, start=low if begins is None else begins)
        if begins is None:
            line, style = _line(_from_character(data), low, PLAIN)
            return self._part(low, stop, [line._replace(headless=True)], style)
        line, style = _line(self._read(begins, LONGEST * _WIDEST), begins, PLAIN, whole=False)
        return self._part(begins, stop, [line._replace(size=stop - begins)], style)

    def _line_before(self, at: int, stop: int) -> int | None:
        """Where the line begins that a place is in; None if that is too far before `stop`."""
        while at > max(self.first, stop - FAR):
            start = max(at - _BLOCK, self.first)
            found = self._read(start, at - start).rfind(b"\n")
            if found >= 0 or start == self.first:
                return start + found + 1
            at = start
        return self.first if at == self.first else None

    def _part(self, start: int, end: int, lines: list[Line], style: Style, *, open: bool = False) -> Part:
        return Part(start, end, self.size, self.file, lines, open, style)

    def _fresh(self, why: str) -> Part:
        return replace(self.last(), fresh=why)

    def _is_open(self, end: int) -> bool:
        """Whether a line that has no end, and stops here, may go on."""
        return end >= self.size and self._grows

    # -- bytes -----------------------------------------------------------------------------------------------------

    def _beginning(self, at: int) -> int | None:
        """Where the first line begins from a place on; None if there is none, or it is too far."""
        if at >= self.stop:
            return self.stop
        if at == self.first:
            return at
        before = self._byte(at - 1)
        if before == b"\r" and self._byte(at) == b"\n":
            return at + 1
        if before in (b"\n", b"\r"):
            return at
        far = min(at + FAR, self.stop)
        while at < far:
            block = self._read(at, min(_BLOCK, far - at))
            found = block.find(b"\n")
            if found >= 0 or not block:
                return at + found + 1 if block else None
            at += len(block)
        return None

    def _byte(self, at: int) -> bytes:
        return self._read(at, 1)

    def _read(self, at: int, count: int) -> bytes:
        """Read bytes from a place: fewer than asked for only at the end of the file."""
        self._file.seek(at)
        found: list[bytes] = []
        while count > 0 and (data := self._file.read(count)):
            found.append(data)
            count -= len(data)
        return b"".join(found)


def _line(data: bytes, at: int, style: Style, *, whole: bool = True) -> tuple[Line, Style]:
    """A line of its bytes, and the style after it; not `whole` if the line has more bytes than these."""
    if not whole:
        data = _to_character(data)
    runs, style = runs_of(data, style)
    runs, more = cut(runs, LONGEST)
    return Line(at, html_of(runs), len(data), cut=more > 0 or not whole), style


def _last_return(body: bytes) -> int:
    """Where the carriage return lies behind which the text begins that is seen at last; -1 if there is none."""
    return body.rfind(b"\r", 0, len(body.rstrip(b"\r")))


def _from_character(data: bytes) -> bytes:
    """Bytes without the rest of a character at their beginning."""
    start = 0
    while start < min(_WIDEST - 1, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:]


def _to_character(data: bytes) -> bytes:
    """Bytes without the beginning of a character at their end."""
    for back in range(1, min(_WIDEST, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        wide = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return data[:-back] if wide > back else data
    return data
