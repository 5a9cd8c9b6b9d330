"""`xpm import`: an experiment from a file that `xpm export` has written, or runs that xpm has not made."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from xpm_cli.app import common_options, say, setting
from xpm_cli.commands.upkeep.import_foreign import foreign_options, import_foreign, is_foreign
from xpm_cli.lookup.find_workspace import find_workspace
from xpm_cli.output.json_form import dumps
from xpm_cli.output.progress import ProgressLine
from xpm_cli.output.sheets.exchange_sheet import ImportSheet, jobs_and_size
from xpm_core.exchange.importing.archive import Archive
from xpm_core.exchange.importing.checks import Checked, check
from xpm_core.exchange.importing.contents import read_contents
from xpm_core.exchange.importing.placing import Placing, Standing, Who, standing
from xpm_core.script.this_process import about
from xpm_core.words.commands import Commands
from xpm_core.words.names import check_experiment_name
from xpm_core.words.text import amount
from xpm_core.workspace.workspace import Workspace

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@click.command("import")
@common_options
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--as", "name", metavar="NAME", help="The name that the experiment gets here, if its own one is taken.")
@click.option("--max-size", metavar="SIZE", help="How much FILE may hold, such as 500GB. Default: 20 times its size.")
@foreign_options
@click.option("--dry-run", is_flag=True, help="Only read and check, and say what would come.")
@click.option("--json", "as_json", is_flag=True, help="Print what has come as JSON.")
def import_(
    file: str | None, name: str | None, max_size: str | None, dry_run: bool, as_json: bool, **foreign: Any
) -> None:
    """Take in an experiment that somebody has exported. The workspace is made if it does not exist.

    First, all of FILE is read and checked: each identity is computed from what its job runs, each file of code is
    compared with its digest. If something does not fit, nothing is written. Jobs that are done here stay as they are.

    Scripts reuse imported jobs, and count them apart. What imported jobs run is not run here: xpm retry and xpm debug
    of one need --trust.

    With --csv, --hydra-multirun or --wandb-export, runs that xpm has not made become rows in the tables of results of
    an experiment: xpm results NAME. They are read only, marked as foreign, and kept in the workspace. So the
    source may go. The same source again changes nothing. A source that has changed replaces its rows.

    Columns that nobody has named are told apart by their names, and it is said what was guessed. NEW=COLUMN gives a
    column another name.
    """
    if is_foreign(file, foreign, {"--as": name, "--max-size": max_size}):
        import_foreign(foreign, dry_run, as_json)
        return
    assert file is not None
    experiment = check_experiment_name(name) if name else ""
    most_bytes = _size(max_size)
    place = Path(os.path.realpath(find_workspace(setting("workspace"), create=True).path))
    with Archive(Path(file), most_bytes) as archive:
        checked = _checked(archive)
        experiment = experiment or checked.contents.record.experiment
        found = standing(checked, place, experiment)
        imported = None
        if not dry_run:
            imported, found = _placed(checked, place, experiment)
    sheet = ImportSheet(checked, found, place, experiment, imported)
    for note in sheet.notes():
        say(note)
    if as_json:
        click.echo(dumps(sheet.as_data()))
    say(sheet.summary())
    if not dry_run and not as_json:
        commands = Commands.of_program(place, setting("workspace"))
        say(f"See them: {commands.jobs(f'--experiment {experiment}')}")


def _size(given: str | None) -> int | None:
    if given is None:
        return None
    if (match := _SIZE.fullmatch(given.strip())) is None:
        raise click.UsageError(f"--max-size: expected a size such as 500GB, got {given!r}.")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def _checked(archive: Archive) -> Checked:
    progress = _Progress("read", archive.size)
    try:
        return check(read_contents(archive, progress))
    finally:
        progress.clear()


def _placed(checked: Checked, place: Path, experiment: str) -> tuple[int, Standing]:
    """Bring the file into the workspace; returns how many jobs have come, and how its jobs stood before."""
    workspace = Workspace.open(place)
    found = standing(checked, workspace.path, experiment)
    say(f"writes {jobs_and_size(len(found.new), checked.contents.size)} to {workspace.path}")
    own = about()
    progress = _Progress("written", checked.contents.size)
    try:
        who = Who(str(own["user"]), str(own["host"]))
        return Placing(checked, workspace, experiment, who).place(found, progress), found
    finally:
        progress.clear()


class _Progress:
    """Shows how many bytes were read or written."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._so_far = what, amount(total), 0
        self._line = ProgressLine()

    def __call__(self, size: int) -> None:
        self._so_far += size
        if self._line.is_due():
            self._line.show(f"{self._what}: {amount(self._so_far)} of {self._total}")

    def clear(self) -> None:
        """Take the line away."""
        self._line.clear()
