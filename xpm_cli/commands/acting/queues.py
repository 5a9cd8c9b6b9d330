"""`xpm queues`: the queues of a workspace, and whether jobs may be claimed from them."""

from __future__ import annotations

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.lookup.steering.pauses import check_queues, pause_lines, resume_line
from xpm_cli.output.documents.live_lists import queues_document
from xpm_cli.output.forms import JSON, JSONL, NAME, TABLE, as_json_lines, is_list, list_forms
from xpm_cli.output.json_form import dumps
from xpm_cli.output.tables.queue_table import queue_record, table
from xpm_cli.output.terminal import Terminal
from xpm_core.completion import server_names
from xpm_core.errors import InvalidNameError
from xpm_core.words.names import check_queue_name


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
    if not is_list(ctx):
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
            for line in pause_lines(opened, name, why):
                say(line)


@queues.command()
@common_options
@_names
def resume(names: tuple[str, ...]) -> None:
    """Let jobs of a paused queue be claimed again."""
    with open_workspace(acts=True) as opened:
        check_queues(opened, *names)
        for name in names:
            say(resume_line(opened, name))
