"""`xpm reproduce`: one finished job again, with the code that it ran with, and what it writes compared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click

from xpm_cli.app import FAILED, INTERRUPTED, common_options, say, setting
from xpm_cli.lookup.job_environment import held_units, job_environment, names_for_trackers
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.sealed_job import SealedJob, check_inputs, sealed_job
from xpm_cli.output.json_form import dumps
from xpm_cli.output.sheets import reproduction_sheet
from xpm_cli.output.sheets.reproduction_sheet import Reproduction
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import DebugError, ReproduceError, SnapshotError
from xpm_core.foreground.scratch import ForegroundJob
from xpm_core.job.environment import job_variables, token_variables, tracker_variables
from xpm_core.labels import bare_class, label, short
from xpm_core.reading.listing.row import JobRow
from xpm_core.reproduction import folder as folders
from xpm_core.reproduction.comparison import compare
from xpm_core.reproduction.facts import facts_of
from xpm_core.reproduction.pinning import Here, Note, notes
from xpm_core.reproduction.requirements import Packages, requirements
from xpm_core.snapshot.facts.machine import machine_facts
from xpm_core.snapshot.facts.packages import packages_document
from xpm_core.words.text import plural

EXECUTION = "reproduce"
"""What the job finds as its execution."""


class Plan(NamedTuple):
    """What the user wants.

    Attributes:
        into: The folder; None for one in the current folder.
        no_run: Whether to write the folder only.
        compares: Whether to compare only.
        live: Whether to take today's code.
        trust: Whether to run the code of an imported job.
    """

    into: str | None
    no_run: bool
    compares: bool
    live: bool
    trust: bool


@click.command()
@common_options
@click.argument("name", metavar="JOB")
@click.option("--into", metavar="DIR", help="The folder for it, which must be empty. Else reproduce-ID, here.")
@click.option("--no-run", is_flag=True, help="Write the folder, and run nothing.")
@click.option("--compare", "compares", is_flag=True, help="Run nothing: compare what `run` has written in DIR.")
@click.option("--code", type=click.Choice(["snapshot", "live"]), default="snapshot", help="live: take today's code.")
@click.option("--trust", is_flag=True, help="Run the code of a job that was imported.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def reproduce(ctx: click.Context, /, name: str, into: str | None, as_json: bool, **how: Any) -> None:
    """Run a finished job again with the code that it ran with, and compare what it writes.

    The folder gets the files of the job's snapshot, requirements.txt with the versions of its packages, its parameters,
    and a script `run`. The job runs there, in the foreground. It reads what it needs of other jobs where that is, and
    writes nothing into their directories, nor into its own. What is not pinned, such as another Python, is said.

    Exit code 0 if all files are equal, 1 if one differs or the job failed, 2 if it cannot be run again.
    """
    plan = Plan(into, how["no_run"], how["compares"], how["code"] == "live", how["trust"])
    if plan.compares and (plan.no_run or into is None):
        raise click.UsageError("--compare needs --into, and not --no-run.", ctx)
    with open_workspace() as opened:
        row = opened.view.job(name)
        directory = opened.directory(row)
        try:
            found, environment = _prepared(opened, row, plan)
        except (DebugError, SnapshotError) as error:
            raise ReproduceError(error.where, error.problem, error.remedy) from error
    if not plan.no_run:
        exit_code = None if plan.compares else _run(found.folder, environment, as_json=as_json)
        without = (".xpm", directory.params.name, directory.out.name, directory.err.name)
        files = compare(directory.path, found.folder / folders.JOB, without)
        found = replace(found, exit_code=exit_code, files=files)
    if as_json:
        click.echo(dumps(reproduction_sheet.document(found)))
    else:
        for each in reproduction_sheet.lines(found, Terminal.of_stdout()):
            click.echo(each)
    if found.equal is False:
        ctx.exit(FAILED)


def _sealed(opened: OpenWorkspace, row: JobRow, plan: Plan) -> SealedJob:
    """What the job runs, if it has ended, is believed, and its inputs are there.

    Raises:
        ReproduceError, DebugError: It is not.
    """
    directory = opened.directory(row)
    if directory.marker() is None:
        named = label(bare_class(row.task or "") or "job", row.identity)
        problem = f"its directory does not say that it has ended ({directory.path})"
        raise ReproduceError(named, problem, f"See how it stands: {opened.commands.show(row.identity)}")
    job = sealed_job(opened, row, trusts=plan.trust)
    if not plan.compares:
        check_inputs(opened, job)
    return job


def _check_same(folder: Path, identity: str) -> None:
    """Make sure that a folder is one for this job.

    Raises:
        ReproduceError: It is not.
    """
    try:
        there = ForegroundJob.read(folder / folders.JOB).identity
    except (OSError, ValueError, KeyError, TypeError):
        there = ""
    if there != identity:
        problem = f"is no folder in which job {short(identity)} was run again"
        raise ReproduceError(str(folder), problem, "Name the folder that `xpm reproduce` has made")


def _prepared(opened: OpenWorkspace, row: JobRow, plan: Plan) -> tuple[Reproduction, dict[str, str]]:
    """Find out what is not pinned, and write the folder. Also returned: the environment of the job."""
    job, directory, workspace = _sealed(opened, row, plan), opened.directory(row), opened.workspace.path
    folder = Path(os.path.abspath(plan.into or f"reproduce-{short(row.identity)}"))
    if plan.compares:
        _check_same(folder, row.identity)
    else:
        folders.check_empty(folder)
    then = facts_of(job.spec, directory, workspace, live=plan.live)
    variables, unknown = _variables(opened, row, job, folder)
    environment = {**job_environment(opened), **variables}
    unpinned = [*notes(then, Here(Packages.read(packages_document()), machine_facts(), environment)), *unknown]
    snapshot = job.spec.options.snapshot if then.manifest is not None else ""
    if not plan.compares:
        contents = folders.Contents(
            spec=job.spec,
            title=opened.title(row),
            workspace=workspace,
            directory=directory.path,
            params=directory.params.read_bytes() if directory.params.exists() else b"",
            snapshot=snapshot,
            requirements=None if then.packages is None else requirements(then.packages, then.kept),
            variables=variables,
            notes=unpinned,
        )
        folders.write(folder, contents)
        say(f"folder      {folder}")
        files = f": {plural(len(then.manifest.files), 'file')}" if then.manifest is not None else ""
        say(f"code        {f'snapshot {short(snapshot)}' if snapshot else 'as it is now'}{files}")
    for text in reproduction_sheet.note_lines(unpinned, Terminal(None)):
        say(text)
    return Reproduction(row.identity, job.spec.task, snapshot, folder, unpinned), environment


def _variables(opened: OpenWorkspace, row: JobRow, job: SealedJob, folder: Path) -> tuple[dict[str, str], list[Note]]:
    """The variables of the job; and what is not known of them."""
    place = str(folder / folders.JOB)
    about = job_variables(row.identity, EXECUTION, workspace=str(opened.workspace.path), taskdir=place)
    unknown = [Note("token", "which tokens it held is not known without the server")] if row.demand is None else []
    trackers = tracker_variables(names_for_trackers(opened, row), EXECUTION)
    return {**trackers, **job.spec.options.env, **token_variables(held_units(opened, row)), **about}, unknown


def _run(folder: Path, environment: Mapping[str, str], *, as_json: bool) -> int:
    """Run the job in its folder, and return its exit code. Ctrl-C is for the job; this process waits for it.

    Raises:
        click.Abort: It was interrupted.
    """
    say(f"runs        in {folder / folders.JOB}")
    sys.stdout.flush()
    sys.stderr.flush()
    words = [str(folder / folders.RUN), *(["--quiet"] if setting("quiet") else [])]
    with subprocess.Popen(["/bin/sh", *words], env=environment, stdout=sys.stderr.fileno() if as_json else None) as job:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            code = job.wait()
        finally:
            signal.signal(signal.SIGINT, before)
    if code in (INTERRUPTED, -signal.SIGINT):
        raise click.Abort
    return code
