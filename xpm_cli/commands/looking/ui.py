"""`xpm ui`: the workspace in a browser."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from xpm_cli.app import common_options, say, setting
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_core.words.commands import Commands

if TYPE_CHECKING:
    from xpm_cli.page.serving.listening import Listening
    from xpm_cli.page.serving.open_page import OpenPage

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NO_TLS = (
    "every computer that reaches {host} could read along. Give --tls-cert and --tls-key, or leave --host out and use "
    "the line for ssh that is then printed"
)


class _Where(NamedTuple):
    """Where the page is to listen, as the user said it."""

    port: int | None
    host: str | None
    cert: Path | None
    key: Path | None


@click.command()
@common_options
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Serve it on a port; 0 for a free one.")
@click.option("--host", metavar="ADDRESS", help="The address of that port. Others than 127.0.0.1 need TLS.")
@click.option("--tls-cert", "cert", type=FILE, metavar="FILE", help="The certificate, to serve it encrypted.")
@click.option("--tls-key", "key", type=FILE, metavar="FILE", help="Its private key.")
@click.option("--allow-host", "hosts", multiple=True, metavar="HOST", help="Answer to this name, too. Repeatable.")
@click.option("--allow-actions", is_flag=True, help="Let the page cancel and retry jobs, drain workers, pause queues.")
@click.option("--open/--no-open", "opens", default=None, help="Whether to open a browser here. Default: on a desktop.")
@click.option(
    "--export", "directory", type=click.Path(path_type=Path), metavar="DIR", help="Write a static copy instead."
)
@click.pass_context
def ui(
    ctx: click.Context,
    /,
    port: int | None,
    host: str | None,
    cert: Path | None,
    key: Path | None,
    hosts: tuple[str, ...],
    allow_actions: bool,
    opens: bool | None,
    directory: Path | None,
) -> None:
    """Show the workspace in a browser: experiments, jobs, curves, results, workers. Ctrl-C ends it.

    On a machine that you have reached by ssh, the page listens on a Unix socket that only you can open. The line to
    type on your own computer is printed, and the address to open there. On a desktop, or with --port, it listens on a
    port of this machine. In both cases, the address ends in a token: keep it to yourself.

    The page only shows, unless --allow-actions is given. If the server of the workspace is away, its files are shown.
    """
    if directory is not None:
        _export(directory)
        return
    where = _checked(_Where(port, host, cert, key))
    wants_browser = _has_display() if opens is None else opens
    if opens and not _has_display():
        raise click.UsageError("--open: there is no display here. Leave it out, and use the address that is printed.")
    with open_workspace(acts=allow_actions, foreign=True) as opened:
        number = _serve(_anywhere(opened), where, hosts, acts=allow_actions, wants_browser=wants_browser)
    if number:
        ctx.exit(128 + number)


def _export(directory: Path) -> None:
    """Write the static copy."""
    from xpm_cli.page.export import write  # late, with all that it imports

    with open_workspace(foreign=True) as opened:
        say(f"Wrote {write(_anywhere(opened), directory, say)} Open {directory / 'index.html'}.")


def _anywhere(opened: OpenWorkspace) -> OpenWorkspace:
    """The workspace, with commands that work in whatever directory they are typed: a page is read anywhere."""
    path, server = opened.workspace.path, opened.view.server if setting("redis") else ""
    return replace(opened, commands=Commands.of_program(path, str(path), server))


def _checked(where: _Where) -> _Where:
    """What the user said of the address, if it goes together."""
    from xpm_cli.page.serving.listening import is_loopback

    if (where.cert is None) is not (where.key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together: give both.")
    if where.host is not None and not is_loopback(where.host) and where.cert is None:
        raise click.UsageError(f"--host {where.host}: {NO_TLS.format(host=where.host)}.")
    if where.port is None and (where.host is not None or where.cert is not None):
        raise click.UsageError("--host and --tls-cert are for a port: give --port, too, such as --port 8443.")
    return where


def _serve(opened: OpenWorkspace, where: _Where, hosts: Sequence[str], *, acts: bool, wants_browser: bool) -> int:
    """Serve the page until a signal comes. Returns the signal's number."""
    from xpm_cli.page.safety.hosts import host_allowed
    from xpm_cli.page.serving import tls
    from xpm_cli.page.serving.open_page import OpenPage

    files = tls.checked(where.cert, where.key) if where.cert is not None and where.key is not None else None
    names = [*map(host_allowed, hosts)]
    if "" in names:
        raise click.UsageError(
            f"--allow-host {hosts[names.index('')]}: this is no name. Give one such as head.lab.org."
        )
    with closing(_listening(opened, where, wants_browser)) as listening:
        page = OpenPage(opened, setting("redis"), listening, acts=acts, hosts=names, tls=files)
        _say_where(opened, page, wants_browser)
        return page.serve()


def _say_where(opened: OpenWorkspace, page: OpenPage, wants_browser: bool) -> None:
    from xpm_core.script.this_process import others_read

    for line in page.announcement(hidden=others_read(sys.stdout)):
        click.echo(line)
    sys.stdout.flush()
    say(f"{opened.workspace.path}: Ctrl-C ends the page. The jobs go on.")
    if wants_browser:
        _open_browser(page.address_once, webbrowser.open)


def _listening(opened: OpenWorkspace, where: _Where, wants_browser: bool) -> Listening:
    from xpm_cli.page.serving.listening import LOOPBACK, on_port, on_socket

    if where.port is None and not wants_browser:
        return on_socket(str(opened.workspace.path))
    return on_port(where.port or 0, where.host or LOOPBACK)


def _has_display() -> bool:
    """Whether a browser can be opened that shows on the screen of whoever typed this."""
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_browser(address: str, open_it: Callable[[str], bool]) -> None:
    """Open a browser, without waiting for it: the page is served by this thread."""
    threading.Thread(target=open_it, args=(address,), name="xpm-browser", daemon=True).start()
