"""`xpm show` and `xpm logs`: one job, what became of it, and what it printed."""

from __future__ import annotations

import json
import shutil
import sys
from collections import deque
from pathlib import Path

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.open_workspace import open_desk, short
from xpm_cli.output.job_sheet import Sheet
from xpm_cli.output.terminal import Screen
from xpm_core.states import State

_job = click.argument("name", metavar="JOB")


@click.command()
@common_options
@_job
@click.option("--full", is_flag=True, help="Show all frames of an error, also those of libraries.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def show(ctx: click.Context, name: str, full: bool, as_json: bool) -> None:
    """Show one job: its parameters, what it needs, how it went. Exit code 1 when it failed."""
    with open_desk() as desk:
        job = desk.job(name)
        sheet = Sheet(desk, job)
        if as_json:
            click.echo(json.dumps(sheet.as_data(), indent=2))
        else:
            for line in sheet.lines(Screen.of_stdout(), full=full):
                click.echo(line)
    ctx.exit(FAILED if job.state is State.FAILED else 0)


@click.command()
@common_options
@_job
@click.option("-n", "--lines", type=click.IntRange(min=0), help="Only the last lines of each.")
@click.option("--out", "only", flag_value="out", help="Only its standard output.")
@click.option("--err", "only", flag_value="err", help="Only its standard error.")
@click.pass_context
def logs(ctx: click.Context, name: str, lines: int | None, only: str | None) -> None:
    """Print what a job has printed.

    What went to its standard output goes to standard output, and what went to its standard error to standard error.
    """
    with open_desk() as desk:
        job = desk.job(name)
        directory = desk.directory(job)
    files = {"out": directory.out, "err": directory.err}
    chosen = [kind for kind in files if only in (None, kind)]
    found = [kind for kind in chosen if _print(files[kind], kind, lines)]
    if not found:
        known = f"{short(job.identity)}  {desk.title(job)}: it is {job.state.value}"
        say(f"{known}, and has no log yet. See: xpm status{desk.place}")
        ctx.exit(FAILED)


def _print(path: Path, kind: str, lines: int | None) -> bool:
    """Print a log file to the stream that it came from. Returns whether there is one."""
    try:
        with path.open("rb") as file:
            stream = (sys.stdout if kind == "out" else sys.stderr).buffer
            if lines is None:
                shutil.copyfileobj(file, stream)
            else:
                stream.writelines(deque(file, maxlen=lines))
            stream.flush()
    except FileNotFoundError:
        return False
    return True
