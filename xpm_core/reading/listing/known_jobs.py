"""All jobs that the index or the server knows, each with its state.

Owns: how the two are brought together. If both know as many jobs, they know the same ones. Else each experiment's jobs
are read from the server, a page at a time. Jobs that the index lacks are read from the server in full, because
otherwise nothing would be known of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from xpm_core.index.entries import Entry
from xpm_core.reading.experiments import ExperimentReader
from xpm_core.reading.jobs import JobReader
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.listing.states import StateReader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.replies import text_of

if TYPE_CHECKING:
    from redis import Redis

SCANNED = 1000


class KnownJobs(NamedTuple):
    """The jobs of a workspace.

    Attributes:
        rows: All of them, by identity.
        missing: How many of them the index lacks: their parameters are not known.
        forgotten: How many of them the server lacks: it was wiped, or restored.
    """

    rows: dict[str, JobRow]
    missing: int = 0
    forgotten: int = 0


def by_index(entries: Mapping[str, Entry]) -> KnownJobs:
    """The jobs as the index alone knows them. The state of a job that has not ended is not known."""
    rows = {each.identity: JobRow(each, each.state) for each in entries.values()}
    return KnownJobs(rows, sum(not each.task for each in entries.values()))


def by_server(entries: Mapping[str, Entry], client: Redis, workspace_id: str) -> KnownJobs:
    """The jobs as the index and the server know them.

    Args:
        entries: What the index says.
        client: A connection to the server.
        workspace_id: The workspace's id.
    """
    counts = JobReader(client, workspace_id).counts()
    states = StateReader(client, workspace_id).not_done()
    listed = {identity: each for identity, each in entries.items() if each.experiments}
    if len(listed) != sum(counts.values()) or not all(identity in listed for identity in states or ()):
        listed = _with_members(entries, client, workspace_id)
    if states is None:
        states = {each: state for each, (state, _) in JobReader(client, workspace_id).states(list(listed)).items()}
        rows = {identity: JobRow(each, states.get(identity)) for identity, each in listed.items()}
    else:
        rows = {identity: JobRow(each, states.get(identity, State.DONE)) for identity, each in listed.items()}
    lacking = {identity: row for identity, row in rows.items() if not row.entry.task}
    for job in JobReader(client, workspace_id).read(lacking):
        lacking[job.identity].job, lacking[job.identity].state = job, job.state
    rest = [each for identity, each in entries.items() if identity not in rows and each.task]
    rows.update({each.identity: JobRow(each, each.state) for each in rest})
    return KnownJobs(rows, len(lacking), len(rest))


def _with_members(entries: Mapping[str, Entry], client: Redis, workspace_id: str) -> dict[str, Entry]:
    """The entries of the jobs that the server knows; a job that the index lacks gets an empty one."""
    found: dict[str, Entry] = {}
    for experiment, identity in _members(client, workspace_id):
        entry = found.get(identity) or entries.get(identity) or Entry(identity)
        if experiment not in entry.experiments:
            entry.experiments.append(experiment)
        found[identity] = entry
    return found


def _members(client: Redis, workspace_id: str) -> Iterator[tuple[str, str]]:
    for experiment in ExperimentReader(client, workspace_id).names():
        for identity in client.sscan_iter(keys.experiment_jobs(workspace_id, experiment), count=SCANNED):
            yield experiment, text_of(identity)
