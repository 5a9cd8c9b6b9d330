"""`xpm retry`: run jobs again that have ended."""

from __future__ import annotations

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.job_names import job_named, jobs_of_experiment
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_core.labels import short
from xpm_core.reading.jobs import Job
from xpm_core.reading.why.known import unserved
from xpm_core.states import State
from xpm_core.store.records import RetryCode


@click.command()
@common_options
@click.argument("names", metavar="JOB...", nargs=-1)
@click.option("--failed", is_flag=True, help="All failed jobs.")
@click.option("--experiment", metavar="NAME", help="With --failed: only those of this experiment.")
@click.pass_context
def retry(ctx: click.Context, names: tuple[str, ...], failed: bool, experiment: str | None) -> None:
    """Run jobs again that failed, were cancelled, or are done.

    The directory of an earlier execution is moved aside, to old/ in the workspace.
    """
    if not names and not failed:
        raise click.UsageError("Name a JOB, or --failed.", ctx)
    with open_workspace() as opened:
        jobs = [job_named(opened, name) for name in names]
        if failed:
            known = jobs_of_experiment(opened, experiment) if experiment else opened.every_job(State.FAILED)
            jobs += [job for job in known if job.state is State.FAILED]
        results = [_retry(opened, job) for job in jobs]
        if not jobs:
            say("No job has failed.")
        _warn_of_unserved(opened, jobs)
    ctx.exit(0 if all(results) else FAILED)


def _retry(opened: OpenWorkspace, job: Job) -> bool:
    code, state, other = opened.store.retry(job.identity, kept=opened.kept(job))
    commands, folder = opened.commands, opened.directory(job).path
    result = {
        RetryCode.RETRIED: f"{state} again.",
        RetryCode.UNSETTLED: f"it is {state}: it has not ended. Cancel it first: {commands.cancel(job.identity)}",
        RetryCode.BLOCKED: f"it waits for {short(other)}, which did not succeed. Retry that: {commands.retry(other)}",
        RetryCode.STALE: f"it was run again meanwhile. Look: {commands.status()}",
        RetryCode.UNKNOWN: "the server does not know it any more. Run its script again.",
        RetryCode.BARE: f"its directory does not tell how to run it. Remove it, and run its script: {folder}",
        RetryCode.IN_USE: f"{short(other)} runs and uses its result. Wait, or cancel that: {commands.cancel(other)}",
    }
    say(f"{short(job.identity)}  {opened.title(job)}: {result[code]}")
    return code is RetryCode.RETRIED


def _warn_of_unserved(opened: OpenWorkspace, jobs: list[Job]) -> None:
    """Say which of the jobs' queues no worker serves: the jobs are ready now, and would wait."""
    for reason in unserved(opened.store.look().queues, {job.queue for job in jobs}):
        say(reason.after_retry(opened.commands.start_worker(reason.queue)))
