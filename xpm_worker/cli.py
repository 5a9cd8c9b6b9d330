"""The command line of `xpm-worker`."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from xpm_core import __version__
from xpm_core.defaults import DEFAULT_GRACE_S, DEFAULT_LEASE_S, DEFAULT_QUEUE, LEAVE_S
from xpm_core.errors import XpmError
from xpm_core.project.workspace_names import directory_of
from xpm_core.server import connection, fitness
from xpm_core.server.address import locate, warn_of_password
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.server.notice import explained
from xpm_core.server.url import safe_url
from xpm_core.snapshot.facts.of_worker import WorkerFacts
from xpm_core.store import rights
from xpm_core.wire import signing
from xpm_core.words.names import check_queue_name, check_worker_name
from xpm_core.workspace.workspace import Workspace
from xpm_worker.daemon import Daemon
from xpm_worker.environment import TIMEOUTS_S, timeout_s
from xpm_worker.settings import DEFAULT_MAX_LOG_MB, Settings
from xpm_worker.slot.main import SlotContext
from xpm_worker.system import files
from xpm_worker.walltime import hand_back_at

log = logging.getLogger(__name__)

OUT_OF_REACH = 3
"""Exit code when Redis, the workspace, a settings file or a variable cannot be used."""


def _checked(check: Callable[[str], str]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback for an option that holds one name or several: it refuses a name that `check` refuses."""

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        try:
            return tuple(map(check, value)) if isinstance(value, tuple) else value and check(value)
        except XpmError as error:
            raise click.BadParameter(str(error)) from None

    return callback


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-w", "--workspace", required=True, metavar="DIR|NAME", help="The workspace: its directory or its name.")
@click.option(
    "--redis", metavar="URL", help="The server. [XPM_REDIS_URL, a settings file, or one of the workspace's own]"
)
@click.option("--slots", default=1, show_default=True, type=click.IntRange(1, 10000), help="Jobs run at once.")
@click.option(
    "--queue",
    "queues",
    metavar="NAME",
    multiple=True,
    default=(DEFAULT_QUEUE,),
    show_default=True,
    callback=_checked(check_queue_name),
    help="A queue to serve; several are served in order.",
)
@click.option("--burst", is_flag=True, help="Leave when nothing can be claimed.")
@click.option(
    "--name",
    default="",
    callback=_checked(check_worker_name),
    help="Beginning of the workers' names.  [default: the host's name]",
)
@click.option(
    "--lease",
    "lease_s",
    metavar="SECONDS",
    default=DEFAULT_LEASE_S,
    show_default=True,
    type=click.FloatRange(0.5, 3600),
    help="How long a job stays reserved for a worker that does not answer.",
)
@click.option(
    "--linger",
    "linger_s",
    metavar="SECONDS",
    type=click.FloatRange(0),
    help="Leave when no job of the workspace was ready, delayed or running for this time.",
)
@click.option(
    "--grace",
    "grace_s",
    metavar="SECONDS",
    default=DEFAULT_GRACE_S,
    show_default=True,
    type=click.FloatRange(0),
    help="How long a job may take to end when it is handed back or cancelled (SIGTERM), before it is killed.",
)
@click.option(
    "--walltime",
    "walltime_s",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="After how long this worker is ended from outside. It hands its jobs back before that, and leaves. Under "
    "Slurm, the end of the allocation (SLURM_JOB_END_TIME) counts, too.",
)
@click.option(
    "--pythonpath",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder in which jobs look for modules first; may be repeated.",
)
@click.option(
    "--max-log",
    "max_log_mb",
    metavar="MB",
    envvar="XPM_MAX_LOG",
    default=DEFAULT_MAX_LOG_MB,
    show_default=True,
    show_envvar=True,
    type=click.FloatRange(0),
    help="How large each log of a job may get before its middle is left out; 0 for any size.",
)
@click.option(
    "--allow",
    metavar="MODULE",
    multiple=True,
    help="Let jobs use only classes of this module and of modules below it; `*` stands for any text. May be repeated.",
)
@click.option("--ordered-code", hidden=True, default=0, type=click.IntRange(0, 125))
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.option("-q", "--quiet", is_flag=True, help="Log only warnings and errors.")
@click.version_option(__version__)
def main(verbose: bool, quiet: bool, pythonpath: tuple[Path, ...], **options: object) -> None:
    """Run the jobs of a workspace.

    SIGINT (Ctrl-C): each worker finishes its job and leaves. SIGTERM, SIGUSR1, SIGUSR2, SIGHUP (unless started with
    nohup): each worker hands its job back and leaves. A second signal: at once.
    """
    files.fill_streams()
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # the format uses none of them
    folders = tuple(str(folder.absolute()) for folder in pythonpath)
    try:
        key = signing.key_in(os.environ)
    except XpmError as error:
        raise click.UsageError(str(error)) from None
    settings = Settings(pythonpath=folders, signing_key=key, **options)  # type: ignore[arg-type]
    os.environ.pop(signing.VARIABLE, None)  # no process that is started from here on needs it
    if settings.walltime_s is not None and settings.walltime_s <= settings.grace_s + LEAVE_S:
        problem = f"{settings.walltime_s:g} leaves no time to run jobs, with a --grace of {settings.grace_s:g}"
        raise click.BadParameter(f"{problem}. Give more, or a shorter grace.", param_hint="'--walltime'")
    try:
        ordered = serve(settings)
    except XpmError as error:
        click.echo(str(error), err=True)
        sys.exit(OUT_OF_REACH)
    if ordered:
        sys.exit(settings.ordered_code)


def serve(settings: Settings) -> bool:
    """Run a daemon until it leaves.

    Args:
        settings: Its options.

    Returns:
        Whether all its slots were ordered to leave, from afar (`xpm workers`).

    Raises:
        XpmError: The workspace or the server cannot be used, or a variable of the environment is wrong.
    """
    for name in TIMEOUTS_S:  # a starter reads them; here, the fault is said once
        timeout_s(os.environ, name)
    workspace = Workspace.open(directory_of(settings.workspace, create=True))
    warn_of_password(settings.redis, workspace.path)
    address = locate(workspace.path, settings.redis)
    server = EmbeddedServer.attach(workspace) if address.url is None else None
    try:
        url = server.url if server is not None else str(address.url)
        client = connection.open(url, lease_s=settings.lease_s)
        try:
            with explained(workspace.path, url):
                fitness.check(client, url, slots=settings.slots)
            rights.check(client, url)
        finally:
            client.close()
        slots_end, fork_server_end = socket.socketpair()
        log.info("%d slots serve %s of %s", settings.slots, ", ".join(settings.queues), workspace.path)
        log.info("Redis at %s", safe_url(url))
        ends_at = hand_back_at(settings.walltime_s, settings.grace_s, os.environ)
        facts = WorkerFacts(workspace.path, settings.pythonpath)
        context = SlotContext(settings, workspace, url, socket.gethostname(), slots_end, facts, ends_at)
        return Daemon(context, fork_server_end, server).run()
    finally:
        if server is not None:
            server.close()
