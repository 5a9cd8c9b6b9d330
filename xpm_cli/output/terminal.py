"""How things look: colour, glyphs, times, and lines that fit the terminal.

Owns: the form of the output. Of jobs it knows only the words of their states.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

from xpm_core.states import State
from xpm_core.words.text import plain, shows_glyphs

LABEL_WIDTH = 12
"""Columns that the labels at the left take."""

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

        Example:
            >>> print(Terminal(30).entry("jobs", ["41 done", "4 running", "1 failed"]))
            jobs        41 done
                        4 running
                        1 failed
        """
        room = None if self.width is None else max(self.width - LABEL_WIDTH, 1)
        lines = [""]
        for item in map(self.text, items):
            longer = lines[-1] + gap + item if lines[-1] else item
            if room is None or not lines[-1] or length(longer) <= room:
                lines[-1] = longer
            else:
                lines.append(item)
        margin = "\n" + " " * LABEL_WIDTH
        return f"{label:<{LABEL_WIDTH}}{margin.join(lines)}".rstrip()

    def table(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """Rows in columns. If the width is too small, columns go from the right, and the last line says so.

        The first row is the header; the last column is never padded.
        """
        shown = len(rows[0])
        widths = [max(length(row[column]) for row in rows) for column in range(shown)]
        while self.width is not None and shown > 1 and sum(widths[:shown]) + 2 * (shown - 1) > self.width:
            shown -= 1
        lines = ["  ".join(pad(row[column], widths[column]) for column in range(shown)).rstrip() for row in rows]
        hidden = rows[0][shown:]
        note = [f"not shown for want of width: {', '.join(hidden).lower()}"] if hidden else []
        return [self.text(line) for line in lines] + note


def length(text: str) -> int:
    """How many columns a text takes; colours take none."""
    return len(click.unstyle(text))


def pad(text: str, width: int) -> str:
    """A text filled up with blanks to a width."""
    return text + " " * max(width - length(text), 0)


def state(word: str) -> str:
    """A state's word in its colour."""
    return click.style(word, fg=COLOURS.get(State(word)))
