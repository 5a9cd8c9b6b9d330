"""`xpm cancel`: end jobs that have not ended by themselves."""

from __future__ import annotations

import time
from typing import Any

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.selection import selected, selection_options
from xpm_cli.lookup.targets import Targets
from xpm_core.index.entries import End
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.store.records import CancelCode


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
        targets = Targets.of(opened, names, chosen, _is_unfinished, ends=True)
        if not targets.rows:
            say("Every job that was selected has ended already.")
        elif not targets.agreed("cancel", yes):
            ctx.exit(FAILED)
        results = [_cancel(opened, row, spares_running=not yes and not targets.loses(row)) for row in targets.rows]
    ctx.exit(0 if all(results) else FAILED)


def _is_unfinished(row: JobRow) -> bool:
    """Whether cancelling the job changes anything. A blocked job may run later."""
    return row.state is not None and (not row.state.settled or row.state is State.BLOCKED)


def _cancel(opened: OpenWorkspace, row: JobRow, *, spares_running: bool) -> bool:
    """Cancel a job. One that runs by now, although it did not when its user agreed, is left as it is."""
    code, state, worker = opened.store.cancel(row.identity, spares_running=spares_running)
    if code is CancelCode.CANCELLED:
        opened.ends.add(row.identity, End(State.CANCELLED, time.time()))
    result = {
        CancelCode.CANCELLED: "cancelled.",
        CancelCode.ASKED: f"worker {worker} was told to stop it.",
        CancelCode.SPARED: f"it runs by now, on worker {worker}: not cancelled. The same with --yes stops it.",
        CancelCode.SETTLED: f"it is {state} already: nothing to cancel.",
        CancelCode.UNKNOWN: "the server does not know it any more. Run its script again.",
    }
    say(f"{short(row.identity)}  {opened.title(row)}: {result[code]}")
    return code in (CancelCode.CANCELLED, CancelCode.ASKED)
