"""What stands where on the screen: the head line, the page, and the bottom lines.

Owns: the layout. It knows nothing of jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from xpm_cli.output.terminal import Terminal
from xpm_cli.watch.desk import Outage
from xpm_cli.watch.pages import LISTS, Page, Shown
from xpm_cli.watch.screen import highlighted, width_of

FRAME = 2
"""Lines that the head and the bottom take."""
MOST_SAID = 6
"""Lines that a message or a question takes at most."""

KEYS = (("Enter", "job"), ("c", "cancel"), ("r", "retry"), ("f", "failures"), ("w", "workers"), ("t", "tokens"),
        ("/", "filter"), ("?", "keys"), ("q", "quit"))  # fmt: skip
"""The keys that the bottom line names."""
SPARED = ("r", "c", "t", "w", "f", "/", "Enter", "q")
"""The keys that the bottom line of a narrow terminal leaves out, these first."""

HELP = """\
j, k, arrows         the next job, the one before; in other views: scroll
PageDown, PageUp     a screen further, or back
g, G, Home, End      to the first, to the last
Enter                the job; once more: its whole log
Esc                  back; in the list: without the filter
f                    the jobs that have failed, and their causes
w                    the workers: what they run, when they were last heard of
t                    the tokens: who holds them, who waits for them
c                    cancel the job; a question comes first
r                    run the job again; a question comes first
/                    filter: state=failed and lr>0.01; an empty one shows all
?                    these keys
q, Ctrl-C            quit; no job is touched

The same keys f, w and t lead back to the jobs."""


class Board:
    """Lays out a screen.

    Args:
        path: The workspace.
        server: What people call its server.
    """

    def __init__(self, path: str, server: str) -> None:
        self._path, self._server = path, server

    def head(self, shown: Shown, outage: Outage | None, columns: int) -> str:
        """The first line: the view, the workspace and the time; while the server is away, since when, and why."""
        clock = f"{datetime.now():%H:%M:%S}"
        if outage is not None:
            since = datetime.fromtimestamp(outage.since_s)
            text = f" Redis is out of reach since {since:%H:%M:%S}: {outage.problem}"
            return highlighted(_between(text, f"{clock} ", columns), columns)
        name = click.style(shown.value, bold=True)
        for text in (f"{name}  {self._path}  redis {self._server}", f"{name}  {self._path}"):
            if width_of(text) + 1 + len(clock) <= columns:
                break
        return _between(text, clock, columns)

    def body(self, page: Page, place: int, scroll: int, columns: int, height: int) -> list[str]:
        """The lines of a page.

        Args:
            page: The page.
            place: The place in the list of the chosen job.
            scroll: The first line of the page's lines that is shown, if they are no list of jobs.
            columns: The width of the terminal.
            height: The lines that there are for it.
        """
        below = [click.style(page.below, dim=True) if page.below else ""] if height > 2 else []
        above = page.above[-max(height - 2, 1) :] if height > 2 else []
        room = max(height - len(above) - len(below), 0)
        if page.request.shown in LISTS:
            chosen = place - page.request.first if page.jobs else -1
            lines = [highlighted(text, columns) if n == chosen else text for n, text in enumerate(page.lines[:room])]
        else:
            lines = page.lines[scroll : scroll + room]
        lines += [""] * (room - len(lines))
        return [*above, *lines, *below][:height]

    @staticmethod
    def foot(columns: int) -> list[str]:
        """The line that names the main keys, as many as there is room for."""
        left_out: list[str] = []
        for key in ("", *SPARED):
            left_out.append(key)
            shown = [(name, does) for name, does in KEYS if name not in left_out]
            for gap in ("  ", " "):
                text = gap.join(f"{click.style(name, bold=True)} {does}" for name, does in shown)
                if width_of(text) <= columns:
                    return [text]
        return [text]

    @staticmethod
    def said(lines: Sequence[str], terminal: Terminal) -> list[str]:
        """A message at the bottom; long lines go on in the next one."""
        return [part for text in lines for part in terminal.wrapped("", text)][:MOST_SAID]

    @staticmethod
    def prompt(text: str, columns: int) -> list[str]:
        """The line in which a filter is typed. Of a long one, its end is shown."""
        room = max(columns - 2, 1)
        while width_of(text) > room:
            text = text[1:]
        return [f"/{text}\x1b[7m \x1b[0m"]


def _between(left: str, right: str, columns: int) -> str:
    """Two texts at both ends of a line; only the left one if there is no room for both."""
    gap = columns - width_of(left) - width_of(right)
    return left + " " * gap + right if gap > 0 else left
