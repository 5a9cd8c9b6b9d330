"""`xpm completion`: a script that lets a shell complete what is typed after `xpm`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from xpm_cli.app import VARIABLE, common_options
from xpm_cli.completion.shells import SHELLS


@click.command()
@common_options
@click.argument("shell", metavar="[SHELL]", type=click.Choice(list(SHELLS)), required=False)
@click.pass_context
def completion(ctx: click.Context, /, shell: str | None) -> None:
    """Print a script for bash, zsh or fish. Loaded by the shell, it completes commands, options, jobs, tags and more.

    Without SHELL, it is the one that the variable SHELL names. The first lines of the script say how to install it.
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise click.UsageError(f"Name your shell: {', '.join(SHELLS)}.", ctx)
    program = ctx.find_root()
    click.echo(SHELLS[name](program.command, {}, "xpm", VARIABLE).source(), nl=False)
