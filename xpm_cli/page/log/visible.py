"""What people see of a line that a program printed: a terminal's controls are obeyed or removed, nothing is hidden.

A carriage return begins the line anew, and what is written then takes the place of the whole line, as progress bars
mean it. A backspace goes back by one character. Colours become styles. All other sequences are removed, also links
(OSC 8), whose text stays. A sequence that has no end in its line hides nothing: only its first characters go.

Owns: which bytes are controls. Imports only Python's own modules, because the process of a search uses it.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import NamedTuple

from xpm_cli.page.log.styles import PLAIN, Style, styled

_CONTROL = re.compile(
    r"(?:\x1b\[|\x9b)(?P<numbers>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])?"  # CSI: colours, and moves of the cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])(?:[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c))?"  # OSC and the like
    r"|\x1b(?:[ -/]*[0-~])?"
    r"|(?P<one>[\x00-\x08\x0a-\x1f\x7f-\x9f])"
)
"""A control. No two of its repeats can match the same characters, so it takes time in proportion to the line."""
_C0 = bytes([*range(9), *range(11, 32), 127])
_C1 = re.compile(rb"\xc2[\x80-\x9f]")


class Run(NamedTuple):
    """Characters of one style."""

    style: Style
    text: str


def has_controls(data: bytes) -> bool:
    """Return whether bytes have a control besides tabs and ends of lines."""
    if len(data.translate(None, _C0)) < len(data):  # several times as fast as a regular expression
        return True
    return b"\xc2" in data and _C1.search(data) is not None


def runs_of(data: bytes, style: Style = PLAIN) -> tuple[list[Run], Style]:
    """Return what is seen of a line, and the style after it, with which the next line begins.

    Args:
        data: The line without its end. What is no UTF-8 is seen as U+FFFD.
        style: The style before it.

    Example:
        >>> runs_of(b"10 %\\r20 %\\x1b[31m!")[0]
        [Run(style=Style(front=None, ...), text='20 %'), Run(style=Style(front=1, ...), text='!')]
    """
    text = data.decode("utf-8", "replace")
    if not has_controls(data):
        return ([Run(style, text)] if text else []), style
    line, at = _Line(), 0
    for control in _CONTROL.finditer(text):
        line.write(style, text[at : control.start()])
        at = control.end()
        if control["final"] == "m" and not control["between"]:
            if control["numbers"][:1] not in ("<", "=", ">", "?"):  # these begin a sequence of another meaning
                style = styled(style, control["numbers"])
        elif control["final"]:
            line.move(control["final"], control["numbers"])
        elif control["one"]:
            line.control(style, control["one"])
    line.write(style, text[at:])
    return line.runs(), style


def text_of(data: bytes) -> str:
    """Return what is seen of a line, without its colours."""
    return "".join(run.text for run in runs_of(data)[0])


class _Line:
    """A line while it is written."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._cells: list[tuple[Style, str]] | None = None  # the characters, once the cursor has gone back by some
        self._cursor = 0
        self._anew = False  # a carriage return was read, and nothing was written since

    def write(self, style: Style, text: str) -> None:
        if not text:
            return
        if self._anew:
            self._clear()
        if self._cells is None:
            self._runs.append(Run(style, text))
            return
        self._cells[self._cursor : self._cursor + len(text)] = [(style, each) for each in text]
        self._cursor += len(text)

    def control(self, style: Style, character: str) -> None:
        """Obey a control of one character."""
        if character == "\r":
            self._anew = True
        elif character == "\b" and not self._anew:
            if self._cells is None:
                self._cells = [(run.style, each) for run in self._runs for each in run.text]
                self._cursor = len(self._cells)
            self._cursor = max(self._cursor - 1, 0)
        elif character in "\v\f":
            self.write(style, " ")

    def move(self, final: str, numbers: str) -> None:
        """Obey a sequence that programs with progress bars use; all others do nothing."""
        if final == "G" and numbers in ("", "0", "1"):
            self._anew = True
        elif final == "K" and numbers in ("", "0"):
            if self._anew:
                self._clear()
            elif self._cells is not None:
                del self._cells[self._cursor :]
        elif final == "K" and (numbers == "2" or (numbers == "1" and not self._anew)):
            self._clear()

    def _clear(self) -> None:
        self._runs, self._cells, self._cursor, self._anew = [], None, 0, False

    def runs(self) -> list[Run]:
        """What was written, with neighbours of one style as one."""
        parts = self._runs if self._cells is None else self._cells
        groups = groupby(parts, key=lambda part: part[0])
        return [Run(style, "".join(text for _, text in group)) for style, group in groups]
