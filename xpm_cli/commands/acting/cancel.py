"""`xpm cancel`: end jobs that have not ended by themselves."""

from __future__ import annotations

from typing import Any

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup import acts
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.lookup.selection import selected, selection_options
from xpm_cli.lookup.targets import Targets, is_unfinished


@click.command()
@common_options
@click.argument("names", metavar="[JOB]...", nargs=-1)
@selection_options
@click.option("--yes", is_flag=True, help="Do it without a question: what running jobs have done is lost.")
@click.pass_context
def cancel(ctx: click.Context, /, names: tuple[str, ...], yes: bool, **given: Any) -> None:
    """Cancel jobs that have not ended. What needs them is blocked.

    One job that does not run is cancelled at once. Otherwise the command shows what it would do, and asks; where
    there is no terminal, only --yes does it.
    """
    chosen = selected(**given)
    if not names and chosen is None:
        raise click.UsageError("Name a JOB, or select jobs, such as --experiment NAME.", ctx)
    with open_workspace(acts=True) as opened:
        targets = Targets.of(opened, names, chosen, is_unfinished, ends=True)
        if not targets.rows:
            say("Every job that was selected has ended already.")
        elif not targets.agreed("cancel", yes):
            ctx.exit(FAILED)
        # one that runs by now, although it did not when its user agreed, is left as it is
        spared = {row.identity for row in targets.rows if not yes and not targets.loses(row)}
        again = "The same with --yes stops it."
        done = acts.said(
            acts.cancel(opened, targets.rows, spares_running=lambda row: row.identity in spared, again=again)
        )
    ctx.exit(0 if done else FAILED)
