"""`xpm server`: the server of a workspace for several machines, without an administrator."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from xpm_cli.app import FAILED, UNREACHABLE, common_options, say, setting
from xpm_cli.lookup.find_workspace import find_workspace
from xpm_cli.output.json_form import SCHEMA, dumps
from xpm_cli.output.sheets.server_sheet import server_record, sheet
from xpm_cli.output.terminal import Terminal
from xpm_core.project.settings import SETTINGS, programs_file
from xpm_core.reading.look import View
from xpm_core.server.notice import Listening
from xpm_core.server.shared import settings_line
from xpm_core.server.shared.listening import is_private
from xpm_core.server.shared.server import SharedServer, Started
from xpm_core.server.shared.status import EMBEDDED, status_of
from xpm_core.server.url import safe_url
from xpm_core.states import State
from xpm_core.words.text import plural
from xpm_core.workspace.workspace import Workspace

_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True)


@click.group(subcommand_metavar="[start|stop|status] [OPTIONS]")
@common_options
def server() -> None:
    """Start, stop or show the server that several machines share.

    It is for machines that see one folder, with nobody who administers a server there. Its address and a random
    password stand in the settings of the workspace, where scripts, workers and xpm find them on each machine.
    """


@server.command()
@common_options
@click.option("--bind", metavar="ADDRESS", help="Where it listens.  [default: all addresses of this host]")
@click.option("--port", metavar="N", type=click.IntRange(1, 65535), help="Its port.  [default: a free one]")
@click.option("--advertise", metavar="HOST", help="How other machines name this one.  [default: its name]")
@click.option("--tls-cert", metavar="FILE", type=_FILE, help="Speak TLS, with this certificate.")
@click.option("--tls-key", metavar="FILE", type=_FILE, help="The key of the certificate.")
@click.option("--tls-ca", metavar="FILE", type=_FILE, help="Who has signed it, unless all hosts know them.")
@click.option("--group", is_flag=True, help="Let the group of the workspace read the password, too.")
def start(group: bool, **listening: Any) -> None:
    """Start the server on this machine, with the jobs that the workspace has. It stays when you log out.

    If it runs already, nothing changes. If its machine was switched off, start it there again: it has the same port
    and password, so that scripts and workers which wait for it go on.

    Without --tls-cert, everybody who listens on the network can read its password and what jobs and workers write.
    """
    _refuse_address()
    workspace = Workspace.open(find_workspace(setting("workspace"), create=True).path)
    wish = Listening(**{name: value for name, value in listening.items() if value is not None})
    with SharedServer(workspace) as shared:
        started = shared.start(wish, group=group)
    if not started.new:
        say(f"It runs already. To change how it listens, stop it first: xpm server stop{_option()}")
    say(f"The server of {workspace.path} runs on {started.notice.host}, at {started.notice.listening}.")
    _say_who_knows_it(started, workspace.path)
    click.echo(safe_url(started.url))


@server.command()
@common_options
@click.option("--yes", is_flag=True, help="Do it without a question, also if jobs run.")
@click.pass_context
def stop(ctx: click.Context, /, yes: bool) -> None:
    """Stop the server. It keeps all jobs, and so does the workspace: it has a server of its own machine again."""
    _refuse_address()
    workspace = Workspace.open(find_workspace(setting("workspace")).path, create=False)
    with SharedServer(workspace) as shared:
        notice, url = shared.known()  # and not the server that XPM_REDIS_URL names
        if url and not yes and status_of(workspace, url).reachable and not _agreed(workspace, url):
            ctx.exit(FAILED)
        ran = shared.stop()
    if ran:
        say(f"Stopped. Its data stay in {workspace.path / '.xpm' / 'redis'}.")
    elif notice is not None:
        say("It had ended before. Its address was taken out of the settings.")
    else:
        say(f"No server for several machines was started for {workspace.path}.")


@server.command()
@common_options
@click.option("--json", "as_document", is_flag=True, help="Print it as JSON.")
@click.pass_context
def status(ctx: click.Context, /, as_document: bool) -> None:
    """Show which server the workspace uses: where it runs, since when, and whether it can be reached from here.

    Exit code 3 if it cannot be reached, or if the workspace has only a server of its own.
    """
    workspace = Workspace.open(find_workspace(setting("workspace")).path, create=False, writable=False)
    found = status_of(workspace, setting("redis"))
    if as_document:
        click.echo(dumps({"schema": SCHEMA, **server_record(found)}))
    else:
        for line in sheet(found, Terminal.of_stdout()):
            click.echo(line)
    if found.kind == EMBEDDED:
        say(f"To use several machines: xpm server start{_option()}")
    ctx.exit(0 if found.reachable and found.kind != EMBEDDED else UNREACHABLE)


def _refuse_address() -> None:
    if setting("redis"):
        raise click.UsageError("--redis names a server that is neither started nor stopped by xpm. Leave it out.")


def _option() -> str:
    given = setting("workspace")
    return f" -w {shlex.quote(given)}" if given else ""


def _say_who_knows_it(started: Started, workspace: Path) -> None:
    """Say who can read the password, and what may keep others from finding the server."""
    file = programs_file(workspace)
    if settings_line.group_reads(workspace):
        say(f"Its password is in {file}. The group of the workspace can read it.")
    elif settings_line.is_shared(workspace):
        say(f"Its password is in {file}. Only you can read it; let the group read it, too: xpm server start --group")
    else:
        say(f"Its password is in {file}. Only you can read it.")
    say(f"On each machine: xpm-worker -w {shlex.quote(str(workspace))}, with the path that it has there.")
    if not is_private(started.notice.listening):
        say("It is not encrypted: who listens on the network can read the password. See --tls-cert in its help.")
    variable = SETTINGS["redis"].variable
    if os.environ.get(variable):
        say(f"{variable} is set here, and wins over it. Take it out of your environment.")


def _agreed(workspace: Workspace, url: str) -> bool:
    """Whether to stop the server: nobody uses it, or the user says so all the same."""
    with View(workspace, url) as view:
        running = view.reader.jobs.counts().get(State.RUNNING, 0)
        workers = [worker for worker in view.reader.workers.read(view.now_s) if worker.alive]
    if not running and not workers:
        return True
    hosts = sorted({worker.host for worker in workers})
    say(f"In use: {plural(running, 'running job')}, {plural(len(workers), 'worker')}{_on(hosts)}.")
    say(f"They would wait for {safe_url(url)} in vain. End the workers first: they hand their jobs back.")
    if sys.stdin.isatty() and sys.stderr.isatty():
        return click.confirm("Stop it all the same?", err=True)
    say("Nothing was stopped. The same with --yes does it.")
    return False


def _on(hosts: list[str]) -> str:
    return f" on {', '.join(hosts)}" if hosts else ""
