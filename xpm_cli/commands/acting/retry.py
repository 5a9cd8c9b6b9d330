"""`xpm retry`: run jobs again that have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.selection import selected, selection_options
from xpm_cli.lookup.targets import Targets
from xpm_core.filters import Filter
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.why.known import all_paused, unserved
from xpm_core.states import State
from xpm_core.store.records import RetryCode

UNSUCCESSFUL = (State.FAILED, State.CANCELLED)


@click.command()
@common_options
@click.argument("names", metavar="[JOB]...", nargs=-1)
@selection_options
@click.option("--failed", is_flag=True, help="The same as --state failed.")
@click.option("--yes", is_flag=True, help="Do it without a question.")
@click.pass_context
def retry(ctx: click.Context, /, names: tuple[str, ...], failed: bool, yes: bool, **given: Any) -> None:
    """Run jobs again that failed, were cancelled, or are done.

    One job is retried at once. Otherwise the command shows what it would do, and asks; where there is no
    terminal, only --yes does it. Jobs that are done are retried only if they are named, or selected by --state done.
    The directory of an earlier execution is moved aside, to old/ in the workspace.
    """
    if failed:
        given["state"] = (*given["state"], State.FAILED.value)
    chosen = selected(**given)
    if not names and chosen is None:
        raise click.UsageError("Name a JOB, or select jobs, such as --failed.", ctx)
    with open_workspace(acts=True) as opened:
        targets = Targets.of(opened, names, chosen, _fits(chosen))
        if not targets.rows:
            say("No job that was selected has failed.")
        elif not targets.agreed("retry", yes):
            ctx.exit(FAILED)
        results = [_retry(opened, row) for row in targets.rows]
        _warn_of_obstacles(opened, targets.rows)
    ctx.exit(0 if all(results) else FAILED)


def _fits(chosen: Filter | None) -> Callable[[JobRow], bool]:
    """Which of the selected jobs are meant: those without success, and done ones if the filter asks for them."""
    wanted = (*UNSUCCESSFUL, State.DONE) if chosen and chosen.asks_for("state", State.DONE.value) else UNSUCCESSFUL
    return lambda row: row.state in wanted


def _retry(opened: OpenWorkspace, row: JobRow) -> bool:
    code, state, other = opened.store.retry(row.identity, kept=opened.kept(row))
    if code is RetryCode.RETRIED:
        opened.ends.again(row.identity)
    commands, folder = opened.commands, opened.directory(row).path
    result = {
        RetryCode.RETRIED: f"{state} again.",
        RetryCode.UNSETTLED: f"it is {state}: it has not ended. Cancel it first: {commands.cancel(row.identity)}",
        RetryCode.BLOCKED: f"it waits for {short(other)}, which did not succeed. Retry that: {commands.retry(other)}",
        RetryCode.STALE: f"it was run again meanwhile. Look: {commands.status()}",
        RetryCode.UNKNOWN: "the server does not know it any more. Run its script again.",
        RetryCode.BARE: f"its directory does not tell how to run it. Remove it, and run its script: {folder}",
        RetryCode.IN_USE: f"{short(other)} runs and uses its result. Wait, or cancel that: {commands.cancel(other)}",
    }
    say(f"{short(row.identity)}  {opened.title(row)}: {result[code]}")
    return code is RetryCode.RETRIED


def _warn_of_obstacles(opened: OpenWorkspace, rows: Sequence[JobRow]) -> None:
    """Say which of the jobs' queues no worker serves, or are paused: the jobs are ready now, and would wait."""
    found, queues = opened.store.look().queues, {row.queue for row in rows if row.queue}
    for reason in unserved(found, queues):
        say(reason.after_retry(opened.commands.start_worker(reason.queue)))
    for pause in all_paused(found, opened.now_s, queues):
        say(pause.warning(opened.commands.resume_queue(pause.queue)))
