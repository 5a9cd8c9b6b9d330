"""A few lines at the bottom of a terminal that are drawn again and again. What the script prints stands above them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xpm_core.script.live.run_screen import Line
from xpm_core.script.live.turns import turns_in
from xpm_core.words.text import plain, say, shows_glyphs

if TYPE_CHECKING:
    from rich.live import Live

WARNING = "yellow"
"""The style of warnings."""


class Terminal:
    """The terminal that stderr is.

    It is for one script at a time (turns.py): `mine` says whether this script may draw now.
    """

    def __init__(self) -> None:
        self.glyphs = shows_glyphs(sys.stderr)
        self._turns = turns_in(sys.stderr.fileno(), os.getpid())
        self._live: Live | None = None

    def mine(self) -> bool:
        """Whether this script may draw now. If it may no longer draw, its lines are gone."""
        if self._turns.mine():
            return True
        self.end()
        return False

    def draw(self, lines: Sequence[Line]) -> None:
        """Show lines in place of those drawn before."""
        from rich.text import Text

        styled = (Text(line, style, no_wrap=True, overflow="crop") for line, style in lines)
        self._open().update(Text("\n").join(styled), refresh=True)

    @property
    def width(self) -> int:
        """Columns."""
        return self._open().console.width

    def say(self, message: str, style: str = WARNING) -> None:
        """Print a message, above the lines if there are any. Another thread may end these meanwhile."""
        live = self._live
        if live is None:
            say(message)
        else:
            # The terminal wraps the message, so that a command in it can be copied.
            shown = message if self.glyphs else plain(message)
            live.console.print(shown, style=style, soft_wrap=True)

    def end(self) -> None:
        """Erase the lines, and let others draw."""
        # If the shell has printed below them, to erase them now would erase what it has printed.
        self._end(erases=self._turns.in_foreground())

    def leave(self) -> None:
        """Let others draw, and write nothing to the terminal: it may be closed."""
        self._end(erases=False)

    def _end(self, *, erases: bool) -> None:
        live, self._live = self._live, None
        if live is not None:
            if not erases:
                live.console.file = io.StringIO()
            live.stop()
        self._turns.give_up()

    def _open(self) -> Live:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, highlight=False, markup=False, emoji=False)
            # Rich prints the script's own output above these lines; but not if stdout is a file.
            redirects = sys.stdout.isatty()
            self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=redirects)
            self._live.start()
            console.show_cursor(True)  # a script that is killed or suspended must not leave the shell without it
        return self._live


def is_terminal() -> bool:
    """Whether stderr is a terminal on which lines can be drawn again."""
    try:
        return sys.stderr.isatty() and sys.stderr.fileno() >= 0 and os.environ.get("TERM", "dumb") != "dumb"
    except (OSError, ValueError):  # something that looks like a terminal, and has no file
        return False
