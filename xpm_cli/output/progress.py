"""A line of progress on a terminal, for what takes long."""

from __future__ import annotations

import sys
import time

import click

from xpm_cli.app import setting

EVERY_S = 0.2
"""How often the line changes, seconds."""


class ProgressLine:
    """A line that is written over itself; nothing where there is no terminal, and with `-q`.

    Example:
        >>> line = ProgressLine()
        >>> line.show("written: 1.2 GB of 3.2 GB")
        >>> line.clear()
    """

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty() and not setting("quiet")
        self._next_s = time.monotonic() + EVERY_S
        self._shown = False

    def is_due(self) -> bool:
        """Whether some time has passed since the line was last changed."""
        return self._shows and time.monotonic() >= self._next_s

    def show(self, text: str) -> None:
        """Show how far it is, if some time has passed."""
        if self.is_due():
            self._next_s = time.monotonic() + EVERY_S
            self._shown = True
            click.echo(f"\r\x1b[K{text}", err=True, nl=False)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._shown = False
