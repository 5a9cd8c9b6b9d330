"""`xpm debug`: one job in the foreground, in a scratch folder."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import click

from xpm_cli.app import common_options, say, setting
from xpm_cli.lookup.job_environment import held_units, job_environment, names_for_trackers
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.sealed_job import SealedJob, check_inputs, sealed_job
from xpm_core.foreground import copies
from xpm_core.foreground.scratch import RUN, ForegroundJob, code_in, command
from xpm_core.job.environment import job_variables, token_variables, tracker_variables
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.trees.build import build, check_large_files
from xpm_core.snapshot.trees.trees import moved_to, roots_of
from xpm_core.states import State
from xpm_core.workspace.job_spec import JobSpec

EXECUTION = "debug"
"""What a job in the foreground finds as its execution."""
NO_LIMIT = 2**63


class Prepared(NamedTuple):
    """What is to run.

    Attributes:
        folder: The scratch folder.
        environment: The variables of the job.
    """

    folder: Path
    environment: Mapping[str, str]


@click.command()
@common_options
@click.argument("name", metavar="JOB")
@click.option("--pdb", "debugs", is_flag=True, help="Open a debugger where an error is raised.")
@click.option("--shell", "opens_shell", is_flag=True, help="Open a shell in the scratch folder instead.")
@click.option(
    "--copy/--no-copy", default=None, help="Copy what an earlier attempt has left, however large, or nothing."
)
@click.option("--trust", is_flag=True, help="Run what an imported job runs, which somebody else has made.")
@click.pass_context
def debug(ctx: click.Context, /, name: str, debugs: bool, opens_shell: bool, copy: bool | None, trust: bool) -> None:
    """Run one job here, in the foreground, in a scratch folder. Nothing is written into its directory.

    The job has the parameters, inputs and environment that it has on a worker, and neither a time limit nor a server.
    It runs a copy of the code that was kept when it was submitted. Its output goes to this terminal, which breakpoint()
    uses, too. The scratch folder stays afterwards. Exit code 0 if the job would be done, 1 if it failed.

    A resumable task finds a copy of what its earlier attempts have left, if that has at most 1 GB.
    """
    if debugs and opens_shell:
        raise click.UsageError("Give --pdb or --shell, not both.", ctx)
    with open_workspace() as opened:
        row = opened.view.job(name)
        job = sealed_job(opened, row, trusts=trust)
        check_inputs(opened, job)
        prepared = _prepare(opened, row, job, copy)
    if opens_shell:
        say(f"The job's environment. To run the job: {RUN} (--pdb opens a debugger at an error). To leave: exit")
        _become([os.environ.get("SHELL") or "/bin/sh"], prepared)
    _become([*command(), *(["--pdb"] if debugs else []), *(["--quiet"] if setting("quiet") else [])], prepared)


def _prepare(opened: OpenWorkspace, row: JobRow, job: SealedJob, copy: bool | None) -> Prepared:
    """Make the scratch folder, and find the environment of the job."""
    most_bytes = {None: copies.MOST_BYTES, True: NO_LIMIT, False: -1}[copy]
    workspace = opened.workspace.path
    trust = " --trust" if opened.directory(row).is_imported() else ""
    again = opened.commands.debug(job.spec.identity, f" --pdb{trust}")
    foreground = ForegroundJob.of(job.spec, workspace, again, most_bytes)
    folder = foreground.make_folder(opened.directory(row).name)
    try:
        _copy_code(job.spec, workspace, foreground, folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
    say(f"scratch     {folder} (it stays; remove it when you need it no more)")
    if job.spec.options.snapshot:
        place = code_in(folder).relative_to(folder)
        say(f"code        snapshot {short(job.spec.options.snapshot)}, a copy in {place}, where you may change it")
    if job.spec.options.resumable:
        _copy_attempt(opened, row, folder, most_bytes)
    about = job_variables(row.identity, EXECUTION, workspace=str(workspace), taskdir=str(folder))
    held = token_variables(held_units(opened, row))
    environment = job_environment(opened)
    trackers = tracker_variables(names_for_trackers(opened, row), EXECUTION, environment=environment)
    return Prepared(folder, {**environment, **trackers, **job.spec.options.env, **held, **about})


def _copy_code(spec: JobSpec, workspace: Path, foreground: ForegroundJob, folder: Path) -> None:
    """Copy the snapshot of a job into the scratch folder. A job without one uses the files as they are.

    Raises:
        SnapshotError: It cannot be had, or cannot be written there.
    """
    if not spec.options.snapshot:
        return
    store = CodeStore(workspace)
    manifest = store.manifest(spec.options.snapshot)
    roots = roots_of(store, manifest, spec.options.provenance)
    check_large_files(manifest)
    build(store, manifest, code_in(folder), writable=True)
    foreground._replace(code=moved_to(str(code_in(folder)), roots).folders).write(folder)


def _copy_attempt(opened: OpenWorkspace, row: JobRow, folder: Path, most_bytes: int) -> None:
    """Copy what the attempts of a resumable task have left in its directory, as a retry would find it."""
    directory = opened.directory(row)
    without = (".xpm", *(path.name for path in (directory.params, directory.out, directory.err)))
    size = copies.size_of(directory.path, without)
    if size.files and size.bytes > most_bytes:
        say(f"not copied  {size}, from earlier attempts. Here it begins anew; --copy copies them.")
    elif size.files:
        copies.copy(directory.path, folder, without)
        say(f"copied      {size}, from earlier attempts: it continues from there. --no-copy begins anew.")
        if row.state is State.RUNNING:
            say("It runs just now: a file that it was writing may be cut.")


def _become(words: Sequence[str], prepared: Prepared) -> NoReturn:
    """Let this process go on as another program, in the scratch folder. So the terminal, with its keys, is that one's.

    Raises:
        click.ClickException: The program cannot be started.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and the other program would go on to
    program = shutil.which(words[0])
    os.chdir(prepared.folder)
    try:
        os.execve(program or words[0], list(words), dict(prepared.environment))
    except OSError as error:
        raise click.ClickException(f"{words[0]}: {error.strerror}. Set SHELL to a program that exists.") from error
