"""How things look: colour, glyphs, times, and lines that fit the terminal.

Owns: the form of the output. Of jobs it knows only the words of their states.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

from xpm_core.states import State
from xpm_core.words.text import plain, shows_glyphs

LABEL_WIDTH = 12
"""Columns that the labels at the left take."""
WHOLE = ("xpm", "XPM_", "/")
"""How items begin that are never parted."""
LEAST_ROOM = 20
"""Columns that a text gets behind a margin, however narrow the terminal is."""

COLOURS = {
    State.RUNNING: "cyan",
    State.DONE: "green",
    State.FAILED: "red",
    State.BLOCKED: "yellow",
    State.CANCELLED: "magenta",
}


@dataclass(frozen=True)
class Terminal:
    """What the terminal, or the pipe, behind a command's output can show.

    Attributes:
        width: Its columns; None if the output is piped: then nothing is cut or wrapped.
        glyphs: Whether it can show more than ASCII.
    """

    width: int | None = None
    glyphs: bool = True

    @classmethod
    def of_stdout(cls) -> Terminal:
        """What standard output can show; COLUMNS overrides its width."""
        wide = "COLUMNS" in os.environ or sys.stdout.isatty()
        return cls(shutil.get_terminal_size().columns if wide else None, shows_glyphs(sys.stdout))

    def text(self, text: str) -> str:
        """A text with its glyphs replaced where they cannot be shown."""
        return text if self.glyphs else plain(text)

    def entry(self, label: str, items: Iterable[str], *, gap: str = "   ") -> str:
        """A label and what belongs to it, side by side, in as many lines as the width needs.

        An item that is wider than that goes on in the next line, but not commands and paths, which people copy.

        Example:
            >>> print(Terminal(30).entry("jobs", ["41 done", "4 running", "1 failed"]))
            jobs        41 done
                        4 running
                        1 failed
        """
        room = None if self.width is None else max(self.width - LABEL_WIDTH, 1)
        lines = [""]
        for item in (part for text in items for part in _parts(self.text(text), room)):
            longer = lines[-1] + gap + item if lines[-1] else item
            if room is None or not lines[-1] or length(longer) <= room:
                lines[-1] = longer
            else:
                lines.append(item)
        margin = "\n" + " " * LABEL_WIDTH
        return f"{label:<{LABEL_WIDTH}}{margin.join(lines)}".rstrip()

    def fits(self, rows: Sequence[Sequence[str]]) -> bool:
        """Whether a table is not too wide."""
        return self.width is None or _width(widths_of(rows)) <= self.width

    def room_beside(self, rows: Sequence[Sequence[str]]) -> int:
        """How many columns of the terminal are left for one more column of a table; the terminal has a width."""
        assert self.width is not None
        return self.width - _width(widths_of(rows)) - 2

    def table(self, rows: Sequence[Sequence[str]], *, hidden: Sequence[str] = (), whole: bool = False) -> list[str]:
        """Rows in columns. If the width is too small, columns go from the right, and the last line says so.

        Args:
            rows: The first one is the header; the last column is never padded.
            hidden: The names of columns that the caller has left out because the terminal is too narrow.
            whole: Whether to cut nothing.
        """
        shown, widths = len(rows[0]), widths_of(rows)
        while not whole and self.width is not None and shown > 1 and _width(widths[:shown]) > self.width:
            shown -= 1
        lines = ["  ".join(pad(row[column], widths[column]) for column in range(shown)).rstrip() for row in rows]
        hidden = [name.lower() if name.isupper() else name for name in (*hidden, *rows[0][shown:])]
        note = self.wrapped("", f"too narrow for: {', '.join(hidden)}") if hidden else []
        return [self.text(line) for line in lines] + note

    def wrapped(self, margin: str, text: str) -> list[str]:
        """A text behind a margin, in as many lines as the width needs. No word is cut."""
        text = self.text(text)
        if self.width is None:
            return [margin + text]
        room = max(self.width - len(margin), LEAST_ROOM)
        lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
        return [(margin if place == 0 else " " * len(margin)) + line for place, line in enumerate(lines)]


def _parts(item: str, room: int | None) -> list[str]:
    """An item in parts that fit; as it is if there is no need, or if it has to stay whole."""
    if room is None or length(item) <= room or item.startswith(WHOLE):
        return [item]
    parts = [""]
    for word in item.split():  # `textwrap` would count the codes of colours
        longer = f"{parts[-1]} {word}".lstrip()
        if length(longer) <= max(room, LEAST_ROOM) or not parts[-1]:
            parts[-1] = longer
        else:
            parts.append(word)
    return parts


def widths_of(rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column of a table is."""
    return [max(length(row[column]) for row in rows) for column in range(len(rows[0]))]


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def length(text: str) -> int:
    """How many columns a text takes; colours take none."""
    return len(click.unstyle(text))


def pad(text: str, width: int) -> str:
    """A text filled up with blanks to a width."""
    return text + " " * max(width - length(text), 0)


def state(word: str) -> str:
    """A state's word in its colour; any other word as it is."""
    known = State(word) if word in State._value2member_map_ else None
    return click.style(word, fg=COLOURS.get(known)) if known else word
