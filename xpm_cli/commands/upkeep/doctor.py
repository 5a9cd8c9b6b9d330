"""`xpm doctor`: what is wrong with a workspace, its server, its workers and its jobs, and mending it."""

from __future__ import annotations

import sys
import time

import click

from xpm_cli.app import FAILED, common_options, setting
from xpm_cli.lookup.find_workspace import find_workspace
from xpm_cli.output.forms import as_json
from xpm_cli.output.json_form import moment
from xpm_cli.output.sheets.finding_lines import finding_lines, findings_record, summary
from xpm_cli.output.terminal import Terminal
from xpm_core.diagnosis.checks import examine
from xpm_core.diagnosis.findings import Finding, Level
from xpm_core.diagnosis.patient import Patient
from xpm_core.reading.look import View
from xpm_core.server.address import warn_of_password
from xpm_core.workspace.workspace import Workspace

REDRAW_S = 0.1
"""How often the line of progress is drawn anew, seconds."""
FIRST_S = 0.5
"""After how long it is drawn first, seconds."""


@click.command()
@common_options
@click.option("--repair", is_flag=True, help="Mend what can be mended from the truth. Results are never invented.")
@click.option("--deep", is_flag=True, help="Also read records, parameters, and what jobs run.")
@click.option("--json", "as_document", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, /, repair: bool, deep: bool, as_document: bool) -> None:
    """Look for what is wrong with a workspace, its server, its workers and its jobs. Exit code 1 if there is an error.

    Each finding has its remedy. --repair writes anew what RQ's tools read, the lists and the index, markers and links.
    It does so from what is proven: the server's jobs, and the records in their directories. Workers can go on
    meanwhile, and it can be repeated.
    """
    place = find_workspace(setting("workspace")).path
    if not setting("quiet"):
        warn_of_password(setting("redis"), place)
    workspace = Workspace.open(place, create=False, writable=False)
    progress = _Progress()
    with View(workspace, setting("redis")) as view:
        terminal, found = Terminal.of_stdout(), list[Finding]()
        for finding in examine(Patient(view, deep=deep, progress=progress), repair=repair):
            progress.clear()
            found.append(finding)
            if not as_document:
                click.echo("\n".join(finding_lines(finding, terminal)))
        progress.clear()
        if as_document:
            head = {"time": moment(view.now_s), "source": view.server, "workspace": str(workspace.path)}
            counts = {"errors": _count(found, Level.ERROR), "warnings": _count(found, Level.WARNING)}
            click.echo(as_json({**head, **counts}, "findings", findings_record(found)))
        else:
            click.echo(summary(found))
    ctx.exit(FAILED if _count(found, Level.ERROR) else 0)


def _count(found: list[Finding], level: Level) -> int:
    return sum(finding.level is level for finding in found)


def on_terminal() -> bool:
    """Whether messages go to a terminal, on which a line can be drawn anew."""
    return sys.stderr.isatty()


def _draw(line: str) -> None:
    """Replace the line on the terminal. With NO_COLOR, click would leave out the code that removes the old one."""
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()


class _Progress:
    """A line on the terminal that says what is looked at. It is gone before anything else is printed."""

    def __init__(self) -> None:
        self._shown = False
        self._next_at = time.monotonic() + FIRST_S
        self._on = on_terminal() and not setting("quiet")

    def __call__(self, what: str, number: int, total: int) -> None:
        if not self._on or time.monotonic() < self._next_at:
            return
        self._next_at, self._shown = time.monotonic() + REDRAW_S, True
        count = f"  {number} of {total}" if total else ""
        _draw(f"{what}{count}")

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            _draw("")
        self._shown = False
