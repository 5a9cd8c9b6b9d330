"""The environment of a job that runs in the foreground: that of this process without secrets, and units of tokens."""

from __future__ import annotations

import os

from xpm_cli.app import setting
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.job.environment import clean_environment, tracker_names
from xpm_core.reading.listing.row import JobRow
from xpm_core.server.address import locate
from xpm_core.wire import signing


def job_environment(opened: OpenWorkspace) -> dict[str, str]:
    """The environment of this process without secrets, as a worker's job would have it."""
    environment = clean_environment(os.environ, _server(opened), key=signing.key_in(os.environ))
    environment.pop("OLDPWD", None)
    return environment


def held_units(opened: OpenWorkspace, row: JobRow) -> dict[str, tuple[int, str]]:
    """The units of tokens that a worker would give the job. Which numbers they have there, nobody knows before."""
    demand = row.demand or {}
    numbered = {each.name for each in opened.view.tokens() if each.numbered} if demand else set()
    return {
        name: (units, ",".join(map(str, range(units))) if name in numbered else "") for name, units in demand.items()
    }


def names_for_trackers(opened: OpenWorkspace, row: JobRow) -> dict[str, str]:
    """How trackers name the job. Of several experiments, the one that its index names last counts."""
    return tracker_names(
        row.identity,
        row.name or "job",
        tags=opened.tags(row),
        experiment=next(reversed([*row.experiments]), ""),
        workspace=opened.workspace.id,
    )


def _server(opened: OpenWorkspace) -> str:
    """The address of the server, also of one that does not answer, because the job gets no password; or empty."""
    if opened.view.away is None:
        return opened.view.connector.url
    return locate(opened.workspace.path, setting("redis")).url or ""
