"""`xpm logs`: what a job has printed."""

from __future__ import annotations

import shutil
import sys
from collections import deque
from pathlib import Path

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.job_names import job_named
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_core.labels import short


@click.command()
@common_options
@click.argument("name", metavar="JOB")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="Only the last lines of each.")
@click.option("--out", "only", flag_value="out", help="Only its standard output.")
@click.option("--err", "only", flag_value="err", help="Only its standard error.")
@click.pass_context
def logs(ctx: click.Context, name: str, lines: int | None, only: str | None) -> None:
    """Print what a job has printed.

    What went to its standard output goes to standard output, and what went to its standard error to standard error.
    """
    with open_workspace() as opened:
        job = job_named(opened, name)
        directory = opened.directory(job)
    files = {"out": directory.out, "err": directory.err}
    chosen = [kind for kind in files if only in (None, kind)]
    found = [kind for kind in chosen if _print(files[kind], kind, lines)]
    if not found:
        known = f"{short(job.identity)}  {opened.title(job)}: it is {job.state.value}"
        say(f"{known}, and has no log yet. See: {opened.commands.status()}")
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
