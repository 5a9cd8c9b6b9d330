"""`xpm accept`: say that results still stand, although code or data has changed."""

from __future__ import annotations

from typing import Any

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.code.accepted_code import AcceptedCode
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.lookup.selection import selected, selection_options
from xpm_cli.lookup.targets import Targets, confirmed
from xpm_core.judging.acceptance import LONGEST_WHY
from xpm_core.states import State


@click.command()
@common_options
@click.argument("names", metavar="[JOB]...", nargs=-1)
@selection_options
@click.option("--why", metavar="TEXT", help="Why the results still stand. It is recorded.")
@click.option("--trust", is_flag=True, help="Believe of imported jobs in which folders their code lies.")
@click.option("--yes", is_flag=True, help="Do it without a question.")
@click.pass_context
def accept(
    ctx: click.Context, /, names: tuple[str, ...], why: str | None, trust: bool, yes: bool, **given: Any
) -> None:
    """Say that results of done jobs still stand with the code and the data of now.

    It is recorded in the directory of each job: who has said so, when, why, and with which code. From then on, the code
    of now counts as the job's own: scripts and `xpm retry --changed` leave the job alone until code or data changes
    again. A job that runs again has forgotten it. `xpm show JOB` shows it.

    One job that is named is accepted at once. Otherwise the command says what has changed of each job, and asks; where
    there is no terminal, only --yes does it. Jobs that are not done are left out, and so are jobs that have nothing to
    accept.
    """
    why = " ".join((why or "").split())
    if not why:
        raise click.UsageError("Say why the results still stand: --why 'only logging changed'.", ctx)
    if len(why) > LONGEST_WHY:
        raise click.UsageError(f"--why has {len(why)} characters, and at most {LONGEST_WHY} are recorded.", ctx)
    chosen = selected(**given)
    if not names and chosen is None:
        raise click.UsageError("Name a JOB, or select jobs, such as --task Train.", ctx)
    with open_workspace() as opened:
        targets = Targets.of(opened, names, chosen, lambda row: row.state is State.DONE)
        if not targets.rows:
            say("No job that was selected is done.")
        found = AcceptedCode(opened, targets.rows, why, trusts=trust)
        for line in found.lines():
            say(line)
        if found.candidates and not yes and not (targets.named and len(targets.rows) == 1):
            for line in found.would():
                say(line)
            if not confirmed("Accept it?" if len(found.candidates) == 1 else "Accept them?", "accept"):
                ctx.exit(FAILED)
        results = []
        for done, said in found.accept():
            say(said)
            results.append(done)
    ctx.exit(0 if all(results) and not found.refused else FAILED)
