"""`xpm run`: run the experiment that a YAML file describes."""

from __future__ import annotations

import gc
import json
import os
import shlex
import sys
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpm_cli.app import COLLECTING, FAILED, USAGE, common_options, say, setting, tell
from xpm_cli.lookup.find_workspace import VARIABLE
from xpm_cli.output.json_form import dumps
from xpm_cli.output.terminal import Terminal
from xpm_cli.output.user_traceback import print_traceback
from xpm_core.errors import ConfigurationError, ExperimentFileError, FailedExperiment, XpmError
from xpm_core.experiment_file.json_schema import schema_of
from xpm_core.experiment_file.prepared import prepare
from xpm_core.labels import short
from xpm_core.project.workspace_names import directory_of
from xpm_core.script.this_process import dry_run_wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xpm_core.experiment_file.prepared import Prepared
    from xpm_core.script.rehearsal.plan import Plan


@click.command()
@common_options
@click.argument("file", metavar="FILE.yaml", type=click.Path(path_type=Path))
@click.argument("values", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Print what a run would do; submit and make nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: print it as JSON.")
@click.option("--schema", is_flag=True, help="Print a JSON schema of the file, for editors.")
@click.option("--experiment", metavar="NAME", help="Another name of the experiment than the file's.")
@click.option("--workers", type=click.IntRange(0, 10000), metavar="N", help="Start N workers on this machine.")
def run(
    file: Path,
    values: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    schema: bool,
    experiment: str | None,
    workers: int | None,
) -> None:
    """Run the experiment that a YAML file describes.

    The file names a workspace, an experiment, and a Python function run(xp, config); it gives the values of the
    configuration. NAME=VALUE gives the value of a parameter instead: lr=0.1, optimizer.lr=0.1. A grid, such as
    lr: {grid: [0.1, 0.01]}, calls the function once for each of its values.

    Exit code 1 if not all jobs are done, 2 if something in the file is wrong.
    """
    if file.suffix == ".py":
        script = shlex.join(["python", str(file), *values])
        raise click.UsageError(f"{file} is a script. Run it: {script}. Do a dry run of it: XPM_DRY_RUN=1 {script}.")
    dry_run |= dry_run_wanted()
    if as_json and not dry_run:
        raise click.UsageError("--json goes with --dry-run.")
    gc.set_threshold(*COLLECTING)  # the user's code may run for days
    sys.dont_write_bytecode |= dry_run or schema
    sys.argv = [os.path.abspath(file), *values]  # as a script has it
    if schema:
        with _errors_of_users(), _errors_of_files(), redirect_stdout(sys.stderr):
            found = schema_of(file)
        click.echo(json.dumps(found, indent=2))
        return
    with _errors_of_users(), redirect_stdout(sys.stderr) if dry_run else nullcontext():  # users' prints are no data
        with _errors_of_files():
            prepared = prepare(file, values, experiment)
            workspace = _workspace(prepared, file)
        if not dry_run:
            prepared.run(workspace, redis=setting("redis"), workers=workers)
            return
        plan, notes = prepared.rehearse(workspace, redis=setting("redis"), workers=workers)
    if as_json:
        click.echo(dumps(plan.as_data()))
    else:
        for line in _lines(plan, Terminal.of_stdout()):
            click.echo(line)
    for note in notes:
        say(note)


@contextmanager
def _errors_of_users() -> Iterator[None]:
    """End the command as a script ends: with the report of the jobs, or the traceback of the user's code."""
    try:
        yield
    except FailedExperiment as error:
        if setting("debug"):
            raise
        tell(str(error))
        sys.exit(FAILED)
    except (XpmError, click.ClickException, click.exceptions.Exit):
        raise
    except Exception as error:
        print_traceback(error, whole=bool(setting("debug")))
        sys.exit(FAILED)


@contextmanager
def _errors_of_files() -> Iterator[None]:
    """An error in the file, or in the words of the command, is an error of usage."""
    try:
        yield
    except ConfigurationError as error:
        if setting("debug"):
            raise
        tell(f"Error: {error}")
        sys.exit(USAGE)


def _workspace(prepared: Prepared, file: Path) -> Path:
    """The workspace that the command was given, else that of the file, else that of the environment."""
    found = setting("workspace") or prepared.header.workspace or os.environ.get(VARIABLE)
    if found is None:
        remedy = "Write workspace: DIRECTORY, or give --workspace DIR."
        raise ExperimentFileError(f"{file}:1", "it has no key 'workspace'", remedy)
    return Path(directory_of(found, create=True, quiet=bool(setting("quiet"))))


def _lines(plan: Plan, terminal: Terminal) -> Iterator[str]:
    """A table of the jobs, and what they come to."""
    if plan.jobs:
        rows = [["ID", "TASK", "WOULD", "TAGS"]]
        for job in plan.jobs:
            tags = " ".join(f"{name}={label}" for name, label in job.tags.items())
            rows.append([short(job.identity), job.name, job.fate.verb, tags or "-"])
        yield from terminal.table(rows)
    yield from map(terminal.text, plan.lines())
