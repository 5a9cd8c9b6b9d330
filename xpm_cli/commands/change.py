"""`xpm cancel` and `xpm retry`: what people do to jobs."""

from __future__ import annotations

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.open_workspace import Desk, open_desk, short
from xpm_cli.output.terminal import plural
from xpm_core.errors import UnknownExperimentError
from xpm_core.states import State
from xpm_core.store import reading
from xpm_core.store.records import CancelCode, RetryCode
from xpm_core.words.text import ago

_jobs = click.argument("names", metavar="JOB...", nargs=-1)
_experiment = click.option("--experiment", metavar="NAME", help="Only jobs of this experiment.")


@click.command()
@common_options
@_jobs
@click.option("--experiment", metavar="NAME", help="All unfinished jobs of this experiment.")
@click.option("--yes", is_flag=True, help="Do it, also to jobs that run: what they have done so far is lost.")
@click.pass_context
def cancel(ctx: click.Context, names: tuple[str, ...], experiment: str | None, yes: bool) -> None:
    """Cancel jobs that have not ended. What needs them is blocked.

    If one of them runs, nothing happens without --yes: it is only told what would.
    """
    if not names and not experiment:
        raise click.UsageError("Name a JOB, or --experiment NAME.", ctx)
    with open_desk() as desk:
        jobs = [desk.job(name) for name in names]
        if experiment:
            jobs += [job for job in _of_experiment(desk, experiment) if job.state.value in _UNFINISHED]
        running = [job for job in jobs if job.state is State.RUNNING]
        if running and not yes:
            _tell_what_is_lost(desk, jobs, running)
            ctx.exit(FAILED)
        results = [_cancel(desk, job) for job in jobs]
    if not jobs:
        say(f"Experiment {experiment}: every job has ended already.")
    ctx.exit(0 if all(results) else FAILED)


@click.command()
@common_options
@_jobs
@click.option("--failed", is_flag=True, help="All failed jobs.")
@click.option("--experiment", metavar="NAME", help="With --failed: only those of this experiment.")
@click.pass_context
def retry(ctx: click.Context, names: tuple[str, ...], failed: bool, experiment: str | None) -> None:
    """Run jobs again that failed, were cancelled, or are done.

    The directory of an earlier execution is moved aside, to old/ in the workspace.
    """
    if not names and not failed:
        raise click.UsageError("Name a JOB, or --failed.", ctx)
    with open_desk() as desk:
        jobs = [desk.job(name) for name in names]
        if failed:
            known = _of_experiment(desk, experiment) if experiment else desk.every_job(State.FAILED)
            jobs += [job for job in known if job.state is State.FAILED]
        results = [_retry(desk, job) for job in jobs]
        if not jobs:
            say("No job has failed.")
        _tell_unserved(desk, jobs)
    ctx.exit(0 if all(results) else FAILED)


_UNFINISHED = {state.value for state in State if not state.settled} | {State.BLOCKED.value}


def _of_experiment(desk: Desk, name: str) -> list[reading.Job]:
    known = [experiment.name for experiment in reading.experiments(desk.store.client, desk.store.w)]
    if name not in known:
        raise UnknownExperimentError(name, tuple(known))
    jobs = desk.jobs(reading.experiment_jobs(desk.store.client, desk.store.w, name))
    return sorted(jobs, key=lambda job: job.submitted_s)


def _tell_what_is_lost(desk: Desk, jobs: list[reading.Job], running: list[reading.Job]) -> None:
    lose = "One of them runs, and loses" if len(running) == 1 else f"{len(running)} of them run, and lose"
    say(f"This would cancel {plural(len(jobs), 'job')}. {lose} what is done so far:")
    for job in running:
        say(f"  {short(job.identity)}  {desk.title(job)}, started {ago(desk.now_s - job.started_s)} on {job.host}")
    say("Nothing was cancelled. The same with --yes does it.")


def _cancel(desk: Desk, job: reading.Job) -> bool:
    code, state, worker = desk.store.cancel(job.identity)
    told = {
        CancelCode.CANCELLED: "cancelled.",
        CancelCode.ASKED: f"worker {worker} was told to stop it.",
        CancelCode.SETTLED: f"it is {state} already: nothing to cancel.",
        CancelCode.UNKNOWN: "the server does not know it any more. Run its script again.",
    }
    say(f"{short(job.identity)}  {desk.title(job)}: {told[code]}")
    return code in (CancelCode.CANCELLED, CancelCode.ASKED)


def _retry(desk: Desk, job: reading.Job) -> bool:
    code, state, blocker = desk.store.retry(job.identity, handed=desk.handed(job))
    own, other, place, folder = short(job.identity), short(blocker), desk.place, desk.directory(job).path
    told = {
        RetryCode.RETRIED: f"{state} again.",
        RetryCode.UNSETTLED: f"it is {state}: it has not ended. Cancel it first: xpm cancel {own}{place}",
        RetryCode.BLOCKED: f"it waits for {other}, which did not succeed. Retry that: xpm retry {other}{place}",
        RetryCode.STALE: f"it was run again meanwhile. Look: xpm status{place}",
        RetryCode.UNKNOWN: "the server does not know it any more. Run its script again.",
        RetryCode.BARE: f"its directory does not tell how to run it. Remove it, and run its script: {folder}",
        RetryCode.IN_USE: f"{other} runs and uses its result. Wait, or cancel that: xpm cancel {other}{place}",
    }
    say(f"{own}  {desk.title(job)}: {told[code]}")
    return code is RetryCode.RETRIED


def _tell_unserved(desk: Desk, jobs: list[reading.Job]) -> None:
    queues = {job.queue for job in jobs}
    for queue in desk.store.look().queues:
        if queue.queue in queues and queue.ready and not queue.workers:
            option = "" if queue.queue == "default" else f" --queue {queue.queue}"
            command = f"xpm-worker --workspace {desk.workspace.path}{desk.redis}{option}"
            say(f"No worker serves queue {queue.queue}. Run the script again, or start one: {command}")
