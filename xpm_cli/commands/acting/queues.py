"""`xpm queues`: the queues of a workspace, and whether jobs may be claimed from them."""

from __future__ import annotations

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.user import user_at_host
from xpm_cli.output.documents.live_lists import queues_document
from xpm_cli.output.forms import JSON, JSONL, NAME, TABLE, as_json_lines, list_forms
from xpm_cli.output.json_form import dumps
from xpm_cli.output.tables.queue_table import paused, queue_record, table
from xpm_cli.output.terminal import Terminal
from xpm_core.completion import server_names
from xpm_core.errors import InvalidNameError, UnknownQueueError
from xpm_core.reading.steering.queues import QueueState
from xpm_core.store.steering.pauses import PauseCode, ResumeCode, pause_queue, resume_queue
from xpm_core.words.names import check_queue_name
from xpm_core.words.reasons_of_workers import listed
from xpm_core.words.text import plural, span


def _checked(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(map(check_queue_name, names)))
    except InvalidNameError as error:
        raise click.BadParameter(str(error)) from None


_names = click.argument("names", metavar="NAME...", nargs=-1, required=True, callback=_checked)


@click.group(invoke_without_command=True)
@common_options
@list_forms(TABLE, JSON, JSONL, NAME)
@click.pass_context
def queues(ctx: click.Context, form: str) -> None:
    """List the queues: their jobs, the workers that serve them, and who has paused them.

    A queue is listed once a job was submitted to it, or a worker serves it, or it is paused.
    """
    if ctx.invoked_subcommand is not None:
        return
    with open_workspace(live=True) as opened:
        found = opened.view.queues()
        server_names.note(opened.workspace.path, server_names.QUEUES, (each.name for each in found))
        if form == JSON:
            texts = [dumps(queues_document(opened, found))]
        elif form == JSONL:
            texts = list(as_json_lines(map(queue_record, found)))
        elif form == NAME:
            texts = [each.name for each in found]
        else:
            texts = table(found, opened.now_s, Terminal.of_stdout())
        for text in texts:
            click.echo(text)


@queues.command()
@common_options
@_names
@click.option("--why", default="", metavar="TEXT", help="Why, for those who ask why their jobs do not run.")
def pause(names: tuple[str, ...], why: str) -> None:
    """Let nothing be claimed from a queue.

    Jobs that run go on, and scripts can submit others. `xpm why` and `xpm status` say who has paused the queue, and
    why. A queue that does not exist yet can be paused, too.
    """
    with open_workspace(acts=True) as opened:
        for name in names:
            _pause(opened, name, why)


def _pause(opened: OpenWorkspace, name: str, why: str) -> None:
    client, w = opened.view.connector.client, opened.workspace.id
    code, known, now_paused = pause_queue(client, w, name, user_at_host(), why)
    if code is PauseCode.ALREADY:
        changed = " That stays as it is. To give another reason, resume it first." if why else ""
        say(f"{name}: it is paused already, {paused(now_paused, opened.now_s)}.{changed}")
        return
    every = opened.view.queues()
    jobs = _jobs(next((each for each in every if each.name == name), None))
    say(f"{name}: paused.{f' {jobs}' if jobs else ''} Go on: {opened.commands.resume_queue(name)}")
    if not known:
        others = ", ".join(each.name for each in every if each.name != name)
        say(f"No job and no worker has used this queue so far.{f' There is: {others}.' if others else ''}")

    deaf = [worker for worker in opened.view.workers() if not worker.takes_orders and name in worker.queues]
    if deaf:
        runs, them = ("runs", "it") if len(deaf) == 1 else ("run", "them")
        named = listed([worker.name for worker in deaf])
        say(f"But {named} {runs} an earlier xpm, which knows no pauses: end {them}, or jobs go on to start there.")


def _jobs(queue: QueueState | None) -> str:
    """What a pause means for the jobs of a queue: `2 running jobs go on, 5 ready ones wait.`"""
    if queue is None:
        return ""
    parts = (
        [f"{plural(queue.running, 'running job')} {'goes' if queue.running == 1 else 'go'} on"] if queue.running else []
    )
    parts += [f"{plural(queue.ready, 'ready job')} {'waits' if queue.ready == 1 else 'wait'}"] if queue.ready else []
    return ", ".join(parts) + "." if parts else ""


@queues.command()
@common_options
@_names
def resume(names: tuple[str, ...]) -> None:
    """Let jobs of a paused queue be claimed again."""
    with open_workspace(acts=True) as opened:
        known = {each.name for each in opened.view.queues()}
        for name in names:
            if name not in known:
                raise UnknownQueueError(name, tuple(sorted(known)))
        for name in names:
            code, ready, pause = resume_queue(opened.view.connector.client, opened.workspace.id, name, user_at_host())
            if code is ResumeCode.ALREADY or pause is None:
                say(f"{name}: it is not paused.")
                continue
            lasted = f" after {span(opened.now_s - pause.since_s)}" if pause.since_s else ""
            jobs = f"{plural(ready, 'job')} {'is' if ready == 1 else 'are'} ready."
            say(f"{name}: resumed{lasted}. {jobs}")
