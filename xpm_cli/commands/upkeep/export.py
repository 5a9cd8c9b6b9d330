"""`xpm export`: an experiment as a file, with records, results and code."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from xpm_cli.app import common_options, say, setting
from xpm_cli.lookup.find_workspace import find_workspace
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.output.json_form import dumps
from xpm_cli.output.progress import ProgressLine
from xpm_cli.output.sheets.exchange_sheet import ExportSheet, jobs_and_size
from xpm_core import __version__
from xpm_core.errors import UnknownJobError
from xpm_core.exchange.exporting.export import Export, destination, prepare
from xpm_core.exchange.exporting.selection import Ask
from xpm_core.exchange.exporting.tar_writer import written_whole
from xpm_core.words.text import amount
from xpm_core.workspace.job_spec import Retries
from xpm_core.workspace.kept_job import KeptJob
from xpm_core.workspace.workspace import Workspace

STDOUT = "-"


@click.command()
@common_options
@click.argument("experiment", metavar="EXPERIMENT")
@click.argument("file", metavar="FILE")
@click.option("--failed", is_flag=True, help="Take along jobs that failed. What they run, only the server knows.")
@click.option("--no-results", is_flag=True, help="Only records, parameters and code. Nobody can import that.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written, and how large it is.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@click.pass_context
def export(
    ctx: click.Context, /, experiment: str, file: str, failed: bool, no_results: bool, dry_run: bool, as_json: bool
) -> None:
    """Write an experiment into a file: its jobs that are done, their results, and the code that they ran.

    FILE is a .tar or a .tar.gz; - is standard output. A colleague takes it in by xpm import, or reads it without xpm.
    The jobs of other experiments that these need are in it, too. Nothing in the workspace is changed.

    Values of variables that may be secret (KEY, TOKEN, SECRET, PASSWORD in the name) are hidden. What jobs have
    printed and written is not looked through.
    """
    if file == STDOUT and (as_json or sys.stdout.isatty()):
        why = "--json prints there, too" if as_json else "it is a terminal"
        raise click.UsageError(f"Standard output cannot have the file: {why}. Name a FILE.", ctx)
    path = None if file == STDOUT else destination(file)
    if failed:
        with open_workspace(live=True) as opened:
            ask = _asker(opened.reader.jobs)
            prepared = _prepared(opened.workspace, experiment, no_results, ask)
    else:
        workspace = Workspace.open(find_workspace(setting("workspace")).path, create=False, writable=False)
        prepared = _prepared(workspace, experiment, no_results, None)
    size = jobs_and_size(len(prepared.jobs), prepared.record.size)
    say(f"would write {size}" if dry_run else f"writes {size}")
    if not dry_run:
        _write(prepared, path)
    sheet = ExportSheet(prepared, "" if path is None else str(path), written=not dry_run)
    for note in sheet.notes():
        say(note)
    if as_json:
        click.echo(dumps(sheet.as_data()))
    elif path is not None and not dry_run:
        say(f"written: {path} ({amount(path.stat().st_size)})")


def _asker(jobs: object) -> Ask:
    """A function that asks the server what a failed job runs."""
    from xpm_core.reading.jobs import JobReader

    assert isinstance(jobs, JobReader)

    def ask(identity: str) -> KeptJob | None:
        try:
            return KeptJob(jobs.spec(identity), sorted(jobs.needs(identity)), Retries())
        except UnknownJobError:
            return None

    return ask


def _prepared(workspace: Workspace, experiment: str, no_results: bool, ask: Ask | None) -> Export:
    progress = ProgressLine()
    try:
        return prepare(
            workspace,
            experiment,
            version=__version__,
            results=not no_results,
            ask=ask,
            tick=lambda what, count: progress.show(f"{what}: {count}"),
        )
    finally:
        progress.clear()


def _write(prepared: Export, path: Path | None) -> None:
    progress, total, written = ProgressLine(), amount(prepared.record.size), 0

    def tick(size: int) -> None:
        nonlocal written
        written += size
        if progress.is_due():
            progress.show(f"written: {amount(written)} of {total}")

    try:
        if path is None:
            prepared.write(sys.stdout.buffer, tick)
            sys.stdout.buffer.flush()
            return
        with written_whole(path) as stream:
            prepared.write(stream, tick)
    finally:
        progress.clear()
