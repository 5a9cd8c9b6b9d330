"""`xpm retry`: run jobs again that have ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup import acts
from xpm_cli.lookup.code.changed_code import ChangedCode
from xpm_cli.lookup.code.retried_code import Recoded, RetriedCode
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.lookup.selection import selected, selection_options
from xpm_cli.lookup.targets import Targets, retried_states
from xpm_core.filters import Filter
from xpm_core.states import State


@click.command()
@common_options
@click.argument("names", metavar="[JOB]...", nargs=-1)
@selection_options
@click.option("--failed", is_flag=True, help="The same as --state failed.")
@click.option("--code", type=click.Choice(["now"]), help="now: run them with today's code, not with their own.")
@click.option("--changed", is_flag=True, help="Done jobs that ran code which has changed, with the code now.")
@click.option("--trust", is_flag=True, help="Run what imported jobs run, which somebody else has made.")
@click.option("--yes", is_flag=True, help="Do it without a question.")
@click.pass_context
def retry(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    failed: bool,
    code: str | None,
    changed: bool,
    trust: bool,
    yes: bool,
    **given: Any,
) -> None:
    """Run jobs again that failed, were cancelled, or are done.

    One job is retried at once. Otherwise the command shows what it would do, and asks; where there is no
    terminal, only --yes does it. Jobs that are done are retried only if they are named, or selected by --state done.
    The directory of an earlier execution is moved aside, to old/ in the workspace.

    What an imported job runs was made by somebody else; only --trust runs it.

    A job runs with the code with which it was submitted; the command says which files differ now. --code now takes
    the files as they are now. --changed selects done jobs that ran code, or read files of the project, which have
    changed since. It says what has changed, and runs these jobs with the files as they are now.
    """
    chosen = _chosen(ctx, names, given, failed=failed, changed=changed)
    with open_workspace(acts=True) as opened:
        targets = Targets.of(opened, names, chosen, lambda row: row.state in retried_states(chosen))
        code_of_jobs = RetriedCode(opened, [row for row in targets.rows if acts.may_run(opened, row, trusts=trust)])
        recoded: dict[str, Recoded] = {}
        fails = False
        if changed:
            recoded = code_of_jobs.now(skips=True)
            found = ChangedCode(opened, targets.rows, recoded, code_of_jobs, named=targets.named)
            _say_all(found.lines())
            targets, fails = replace(targets, rows=found.rows), found.fails
        elif code is None:
            _say_all(code_of_jobs.lines())
        if not targets.rows:
            say(f"No job that was selected {'ran code that has changed' if changed else 'has failed'}.")
        elif not targets.agreed("retry", yes):
            ctx.exit(FAILED)
        if code and not changed:
            recoded = code_of_jobs.now()
        _say_all(code_of_jobs.now_lines({row.identity for row in targets.rows}))
        done = acts.said(acts.retry(opened, targets.rows, recoded, trusts=trust))
        _say_all(acts.obstacle_lines(opened, targets.rows))
    ctx.exit(0 if done and not fails else FAILED)


def _chosen(
    ctx: click.Context, names: tuple[str, ...], given: dict[str, Any], *, failed: bool, changed: bool
) -> Filter | None:
    """The filter that the options write together; None if only names were given."""
    if changed and failed:
        raise click.UsageError("--changed takes jobs that are done: leave out --failed.", ctx)
    if failed:
        given["state"] = (*given["state"], State.FAILED.value)
    if changed and not names and not given["state"]:
        given["state"] = (State.DONE.value,)
    chosen = selected(**given)
    if not names and chosen is None:
        raise click.UsageError("Name a JOB, or select jobs, such as --failed.", ctx)
    return chosen


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)
