"""What stands on the screen, and what has to be written so that it shows something else.

Owns: cutting lines to the width, and writing only lines that have changed, so that nothing flickers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rich.cells import cell_len

_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")
RESET = "\x1b[0m"
REVERSE = "\x1b[7m"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Between these, terminals that know them show nothing, so that a frame appears at once. Others pass over them."""


def width_of(text: str) -> int:
    """How many columns a text takes."""
    return cell_len(_STYLE.sub("", text))


def fit(text: str, columns: int) -> str:
    """A line that takes at most so many columns. Its colours stay; other control characters become question marks.

    Example:
        >>> fit("a\\x1b[31mbc\\x1b[0md", 2)
        'a\\x1b[31mb\\x1b[0m'
    """
    shown, room, styled = [], columns, False
    for part in _STYLE.split(text):
        if part.startswith("\x1b["):
            shown.append(part)
            styled = part != RESET
            continue
        part = "".join(each if each.isprintable() else " " if each == "\t" else "?" for each in part)
        cut = _cut(part, room)
        shown.append(cut)
        room -= cell_len(cut)
        if cut != part:
            break
    return "".join(shown) + (RESET if styled else "")


def _cut(text: str, columns: int) -> str:
    if cell_len(text) <= columns:
        return text
    taken = used = 0
    for taken, character in enumerate(text):  # noqa: B007
        used += cell_len(character)
        if used > columns:
            break
    return text[:taken]


def highlighted(text: str, columns: int) -> str:
    """A line that is chosen: in reverse, over the whole width, without colours."""
    text = fit(_STYLE.sub("", text), columns)
    return REVERSE + text + " " * (columns - cell_len(text)) + RESET


class Screen:
    """A screen of lines.

    Args:
        write: Writes to the terminal.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._shown: list[str] | None = None
        self._columns = 0

    def forget(self) -> None:
        """Nothing is known of what the terminal shows: the next frame is drawn whole."""
        self._shown = None

    def draw(self, lines: Sequence[str], columns: int, height: int) -> None:
        """Show these lines. Lines that stand there already are not written.

        Args:
            lines: The lines, from the top.
            columns: The width of the terminal.
            height: How many lines the terminal has.
        """
        fitted = [fit(line, columns) for line in lines[:height]]
        fitted += [""] * (height - len(fitted))
        if self._shown is None or len(self._shown) != height or columns != self._columns:
            parts, before = [RESET, "\x1b[2J"], [""] * height
        else:
            parts, before = [], self._shown
        for place, (line, old) in enumerate(zip(fitted, before, strict=True)):
            if line != old:
                parts.append(f"\x1b[{place + 1};1H{line}")
                if width_of(line) < columns:  # else the cursor stands on the last character, which would be erased
                    parts.append("\x1b[K")
        if parts:
            self._write(BEGIN + "".join(parts) + END)
        self._shown, self._columns = fitted, columns
