"""A page that may not act says how one acts instead: by a page that may, or by a command to copy."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from xpm_cli.page.rendering import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_core.words.commands import Commands


def refused(request: Request, verb: str) -> Response:
    """The page that says so."""
    commands: Commands = request.app.state.desk.opened.commands
    return page(request, "acting_refused.jinja", status=403, verb=verb, command=command_of(request, commands, verb))


def command_of(request: Request, commands: Commands, verb: str) -> str:
    """The command that does what was asked for: `xpm cancel --where 'state=ready'`."""
    query = request.query_params
    names = [*query.getlist("job"), *(each for each in query.get("ids", "").split(",") if each)]
    if names:
        options = " ".join(map(shlex.quote, names))
    elif query.get("filter", "").strip():
        options = f"--where {shlex.quote(query['filter'])}"
    else:
        options = "--state failed" if verb == "retry" else "--state waiting,ready,delayed,running,blocked"
    return commands.on_jobs(verb, options)
