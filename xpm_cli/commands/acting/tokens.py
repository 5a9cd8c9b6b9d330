"""`xpm tokens`: the tokens of the server, who holds them, and how many units each has."""

from __future__ import annotations

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.output.documents.live_lists import tokens_document
from xpm_cli.output.forms import is_list
from xpm_cli.output.json_form import dumps
from xpm_cli.output.tables.token_table import table
from xpm_cli.output.terminal import Terminal
from xpm_core.completion import server_names
from xpm_core.store.tokens import resize_token
from xpm_core.words.text import plural


@click.group(invoke_without_command=True)
@common_options
@click.option("--json", "as_document", is_flag=True, help="Print them as JSON.")
@click.pass_context
def tokens(ctx: click.Context, as_document: bool) -> None:
    """List the tokens of the server: how many units are held, by which jobs, and who waits.

    All workspaces of a server share its tokens. Jobs of other workspaces are only counted.
    """
    if not is_list(ctx):
        return
    with open_workspace(live=True) as opened:
        found = opened.view.tokens()
        server_names.note(opened.workspace.path, server_names.TOKENS, (each.name for each in found))
        if as_document:
            click.echo(dumps(tokens_document(opened, found)))
            return
        for line in table(found, opened.workspace.id, Terminal.of_stdout()):
            click.echo(line)


@tokens.command("set")
@common_options
@click.argument("name", metavar="NAME")
@click.argument("units", metavar="N", type=click.IntRange(min=1))
def set_units(name: str, units: int) -> None:
    """Set how many units a token has, for all workspaces of the server.

    Jobs that hold units keep them. If they hold more than N, the token gives none until enough of these jobs have
    ended. Jobs that ask for more than N units never run. A script that creates the token with another number sets that
    number.
    """
    with open_workspace(acts=True) as opened:
        before = resize_token(opened.view.connector.client, name, units)
        if before == units:
            say(f"{name}: it has {plural(units, 'unit')} already.")
            return
        [token] = [each for each in opened.view.tokens() if each.name == name]
        say(f"{name}: {plural(units, 'unit')}, it had {before}.")
        held = max(token.used.values(), default=0)
        if held > units:
            say(f"{held} are held. The token gives none until enough of the jobs that hold them have ended.")
        if token.waiting:
            say(f"Ready jobs that ask for it: {token.waiting}. See: {opened.commands.why_all()}")
