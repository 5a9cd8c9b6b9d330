"""What is known of the jobs of a dry run, and of who could run them.

Owns: where that is read: from the server if it runs, else from the files of the workspace. No server is started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.forecast.durations import past_durations
from xpm_core.forecast.records import Capacity
from xpm_core.index.merged import MergedIndex
from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.reading.survey.capacity import capacity_of
from xpm_core.reading.why.avoided import Avoided
from xpm_core.reading.why.known import paused
from xpm_core.reading.workers import WorkerState
from xpm_core.server import connection
from xpm_core.server.address import locate
from xpm_core.server.embedded.running import running_url
from xpm_core.server.url import safe_url
from xpm_core.words.reasons_of_workers import Paused
from xpm_core.workspace.workspace import Workspace


@dataclass(frozen=True)
class Facts:
    """What is known.

    Attributes:
        asked: Whether the server was asked. Else the files of the workspace have answered.
        away: Why it was not, if it should have been: the server that is named does not answer.
        now_s: The server's time, epoch seconds; 0 if it was not asked.
        jobs: The jobs that the server knows, by identity.
        workers: The workers.
        capacity: Who takes jobs now, and the tokens.
        paused: The queues that are paused.
        suspended: Whether all workers of the server are suspended.
        per_machine: Of tokens of which each machine has its own units, how many these are.
        refusals: What daemons lack for jobs of a project.
        past: How long earlier jobs took, by class.
    """

    asked: bool = False
    away: str = ""
    now_s: float = 0.0
    jobs: Mapping[str, Job] = field(default_factory=dict)
    workers: Sequence[WorkerState] = ()
    capacity: Capacity = field(default_factory=Capacity)
    paused: Mapping[str, Paused] = field(default_factory=dict)
    suspended: bool = False
    per_machine: Mapping[str, int] = field(default_factory=dict)
    refusals: Sequence[Avoided] = ()
    past: Mapping[str, Sequence[float]] = field(default_factory=dict)


def read_facts(workspace: Workspace, redis: str | None, identities: Sequence[str]) -> Facts:
    """Read what is known of some jobs of a workspace, which need not exist.

    Args:
        workspace: The workspace.
        redis: The address of the server that the script gives; None without one.
        identities: The jobs.

    Raises:
        RedisUrlError, SettingsError: The address of the server cannot be understood.
    """
    past = past_durations(MergedIndex(workspace.path, remembers=False).read().values())
    named = locate(workspace.path, redis).url
    url = named or running_url(workspace.path)
    if url is None:
        return Facts(past=past)
    try:
        with connection.open(url, lease_s=DEFAULT_LEASE_S) as client:
            return _of_server(Reader(client, workspace.id), identities, past)
    except connection.ServerError as error:
        return Facts(away=f"Redis at {safe_url(url)}: {error}" if named else "", past=past)


def _of_server(reader: Reader, identities: Sequence[str], past: Mapping[str, Sequence[float]]) -> Facts:
    survey = reader.survey.read()
    stopped = {each.queue: paused(each.queue, each.pause, survey.now_s) for each in survey.queues if each.pause}
    return Facts(
        asked=True,
        now_s=survey.now_s,
        jobs={job.identity: job for job in reader.jobs.read(identities)},
        workers=survey.workers,
        capacity=capacity_of(survey.workers, survey.tokens, stopped, suspended=survey.suspended),
        paused=stopped,
        suspended=survey.suspended,
        per_machine={token.name: token.capacity for token in survey.tokens if token.scope == "host"},
        refusals=reader.reasons.avoided(survey.workers),
        past=past,
    )
