"""`xpm workers`: the workers of a workspace, and orders to them from afar."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from xpm_cli.app import FAILED, common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.steering.orders import ordered
from xpm_cli.output.documents.live_lists import worker_table, workers_document
from xpm_cli.output.forms import JSON, JSONL, NAME, TABLE, as_json_lines, is_list, list_forms
from xpm_cli.output.json_form import dumps
from xpm_cli.output.tables.worker_table import WorkerTable, in_order
from xpm_cli.output.terminal import Terminal
from xpm_core.completion import server_names
from xpm_core.reading.steering.named_workers import named
from xpm_core.reading.workers import WorkerState
from xpm_core.store.steering.orders import Order
from xpm_core.words.text import plural, span

LISTED = 20
"""How many workers a question or a result lists."""

_names = click.argument("names", metavar="NAME...", nargs=-1, required=True)


@click.group(invoke_without_command=True)
@common_options
@list_forms(TABLE, JSON, JSONL, NAME)
@click.pass_context
def workers(ctx: click.Context, form: str) -> None:
    """List the workers: what each runs, when it was last heard of, and what it has refused.

    A worker is one slot of a daemon (xpm-worker). It has the name of its daemon, and a number. A worker is silent if it
    was not heard of for more than two thirds of its lease.
    """
    if not is_list(ctx):
        return
    with open_workspace(live=True) as opened:
        found = worker_table(opened, _known(opened), refused=form != NAME)
        if form == JSON:
            texts = [dumps(workers_document(opened, found))]
        elif form == JSONL:
            texts = list(as_json_lines(found.records()))
        elif form == NAME:
            texts = [worker.name for worker in found.workers]
        else:
            texts = found.lines(Terminal.of_stdout(), opened.commands)
        for text in texts:
            click.echo(text)


@workers.command()
@common_options
@_names
@click.pass_context
def drain(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Let workers finish their jobs, and leave.

    NAME is a worker, a daemon (all its workers), a machine (all workers there), or the beginning of such a name. A
    daemon whose workers have all left ends. `xpm workers resume` takes it back, as long as the worker has not left.
    """
    with open_workspace(acts=True) as opened:
        found = _named(opened, names)
        done = _order(opened, found, Order.DRAIN)
        if any(worker.job for worker in found):
            say(f"Take it back: {opened.commands.resume_workers(*names)}")
    ctx.exit(0 if done else FAILED)


@workers.command()
@common_options
@_names
@click.option("--now", is_flag=True, help="Do not give the jobs their grace: they are killed.")
@click.option("--yes", is_flag=True, help="Do it without a question.")
@click.pass_context
def stop(ctx: click.Context, names: tuple[str, ...], now: bool, yes: bool) -> None:
    """Let workers hand their jobs back, and leave now.

    As with SIGTERM, a job has the grace of its worker to save what it has done. It is then ready again, and no failure
    is counted. NAME is as with `drain`. If one of the workers runs a job, the command asks; where there is no terminal,
    only --yes does it.
    """
    with open_workspace(acts=True) as opened:
        found = _named(opened, names)
        if not yes and not _agreed(worker_table(opened, found)):
            ctx.exit(FAILED)
        done = _order(opened, found, Order.STOP_NOW if now else Order.STOP)
    ctx.exit(0 if done else FAILED)


@workers.command()
@common_options
@_names
@click.pass_context
def resume(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Take an order to drain back: the workers stay. NAME is as with `drain`."""
    with open_workspace(acts=True) as opened:
        done = _order(opened, _named(opened, names), Order.RESUME)
    ctx.exit(0 if done else FAILED)


def _known(opened: OpenWorkspace) -> list[WorkerState]:
    """All workers. Their names are noted, because shells complete them."""
    found = in_order(opened.view.workers())
    server_names.note(opened.workspace.path, server_names.WORKERS, (worker.name for worker in found))
    return found


def _named(opened: OpenWorkspace, names: Sequence[str]) -> list[WorkerState]:
    """The workers that names mean, each once."""
    known = _known(opened)
    return list({worker.name: worker for name in names for worker in named(known, name)}.values())


def _agreed(table: WorkerTable) -> bool:
    """Whether to stop these workers. If none of them runs a job, there is nothing to ask."""
    busy = [worker for worker in table.workers if worker.job]
    if not busy:
        return True
    stops, jobs = plural(len(table.workers), "worker"), plural(len(busy), "job")
    say(f"This would stop {stops}, and hand back {jobs}. What is not saved is lost:")
    for worker in busy[:LISTED]:
        job = table.jobs.get(worker.job)
        lasts = f", for {span(table.now_s - job.started_s)}" if job is not None and job.started_s else ""
        say(f"  {worker.name} runs {table.runs(worker)}{lasts}")
    if len(busy) > LISTED:
        say(f"  and {len(busy) - LISTED} more")
    if sys.stdin.isatty() and sys.stderr.isatty():
        if click.confirm(f"Stop {'it' if len(table.workers) == 1 else 'them'}?", err=True):
            return True
        say("Nothing was stopped.")
    else:
        say("Nothing was stopped. The same with --yes does it.")
    return False


def _order(opened: OpenWorkspace, found: Sequence[WorkerState], order: Order) -> bool:
    """Order workers to do something, and say what became of it. Returns whether it is so, or will be so."""
    results = ordered(opened, found, order, worker_table(opened, found).runs)
    for result in results[:LISTED]:
        say(result.line)
    if len(results) > LISTED:
        say(f"and {len(results) - LISTED} more")
    return all(result.done for result in results)
