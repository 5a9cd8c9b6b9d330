"""`xpm cancel`: end jobs that have not ended by themselves."""

from __future__ import annotations

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.job_names import job_named, jobs_of_experiment
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_core.labels import short
from xpm_core.reading.jobs import Job
from xpm_core.states import State
from xpm_core.store.records import CancelCode
from xpm_core.words.text import ago, plural


@click.command()
@common_options
@click.argument("names", metavar="JOB...", nargs=-1)
@click.option("--experiment", metavar="NAME", help="All unfinished jobs of this experiment.")
@click.option("--yes", is_flag=True, help="Do it, also to jobs that run: what they have done so far is lost.")
@click.pass_context
def cancel(ctx: click.Context, names: tuple[str, ...], experiment: str | None, yes: bool) -> None:
    """Cancel jobs that have not ended. What needs them is blocked.

    If one of them runs, nothing happens without --yes: it is only told what would.
    """
    if not names and not experiment:
        raise click.UsageError("Name a JOB, or --experiment NAME.", ctx)
    with open_workspace() as opened:
        jobs = [job_named(opened, name) for name in names]
        if experiment:
            jobs += [job for job in jobs_of_experiment(opened, experiment) if _is_unfinished(job)]
        running = [job for job in jobs if job.state is State.RUNNING]
        if running and not yes:
            _say_what_is_lost(opened, jobs, running)
            ctx.exit(FAILED)
        results = [_cancel(opened, job) for job in jobs]
    if not jobs:
        say(f"Experiment {experiment}: every job has ended already.")
    ctx.exit(0 if all(results) else FAILED)


def _is_unfinished(job: Job) -> bool:
    """Whether cancelling the job changes anything. A blocked job may run later."""
    return not job.state.settled or job.state is State.BLOCKED


def _say_what_is_lost(opened: OpenWorkspace, jobs: list[Job], running: list[Job]) -> None:
    lose = "One of them runs, and loses" if len(running) == 1 else f"{len(running)} of them run, and lose"
    say(f"This would cancel {plural(len(jobs), 'job')}. {lose} what is done so far:")
    for job in running:
        since = ago(opened.now_s - job.started_s)
        say(f"  {short(job.identity)}  {opened.title(job)}, started {since} on {job.host}")
    say("Nothing was cancelled. The same with --yes does it.")


def _cancel(opened: OpenWorkspace, job: Job) -> bool:
    code, state, worker = opened.store.cancel(job.identity)
    result = {
        CancelCode.CANCELLED: "cancelled.",
        CancelCode.ASKED: f"worker {worker} was told to stop it.",
        CancelCode.SETTLED: f"it is {state} already: nothing to cancel.",
        CancelCode.UNKNOWN: "the server does not know it any more. Run its script again.",
    }
    say(f"{short(job.identity)}  {opened.title(job)}: {result[code]}")
    return code in (CancelCode.CANCELLED, CancelCode.ASKED)
