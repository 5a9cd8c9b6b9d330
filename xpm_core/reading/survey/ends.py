"""When the jobs of a workspace may have ended: the forecast that `xpm status` shows.

Owns: what of the jobs counts for it. `View.forecast` reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from xpm_core.forecast.durations import Durations, past_durations
from xpm_core.forecast.forecast import forecast
from xpm_core.forecast.records import Forecast, Work
from xpm_core.index.entries import Entry
from xpm_core.labels import bare_class
from xpm_core.reading.jobs import Job
from xpm_core.reading.survey.capacity import capacity_of
from xpm_core.reading.survey.survey import UNFINISHED, Survey
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.replies import text_of
from xpm_core.workspace.workspace import task_folder

if TYPE_CHECKING:
    from redis import Redis


def unfinished(client: Redis, workspace_id: str, survey: Survey, most: int) -> list[str]:
    """Return the identities of the unfinished jobs of a workspace, or an even choice of at most `most` of them.

    It takes one round trip, however many jobs there are. A job that moves meanwhile may be missing.

    Args:
        client: A connection that returns bytes.
        workspace_id: The workspace's id.
        survey: How the workspace stands, which says what lines there are.
        most: How many jobs to return at most.
    """
    lists = [keys.leases(workspace_id), keys.delayed(workspace_id), keys.listed(workspace_id, State.WAITING.value)]
    with client.pipeline(transaction=False) as pipe:
        for key in [*(keys.line(workspace_id, queue, name) for queue, name in survey.lines), *lists]:
            pipe.zrange(key, 0, most - 1)
        found = list(dict.fromkeys(text_of(identity) for reply in pipe.execute() for identity in reply))
    return found[:: max(-(-len(found) // most), 1)]


def ends(
    entries: Iterable[Entry],
    survey: Survey,
    jobs: Sequence[Job],
    total: int,
    needs: Mapping[str, Sequence[str]],
    asked: Collection[str] | None = None,
) -> Forecast:
    """Foresee when unfinished jobs have ended.

    Args:
        entries: The index, which says how long earlier jobs took.
        survey: How the workspace stands.
        jobs: Its unfinished jobs, or an even choice of them.
        total: How many unfinished jobs there are.
        needs: Which jobs each waiting one needs, as far as that is known.
        asked: The jobs that are asked about; None for all. The others take workers, too.
    """
    left = sorted((job for job in jobs if job.state in UNFINISHED), key=lambda job: job.submitted_s)
    running = sum(job.state is State.RUNNING for job in left)
    each = max(round((total - running) / max(len(left) - running, 1)), 1)
    paused = {queue.queue for queue in survey.queues if queue.pause}
    return forecast(
        [
            _work(job, needs.get(job.identity, ()), survey.now_s, each, asked is None or job.identity in asked)
            for job in left
        ],
        capacity_of(survey.workers, survey.tokens, paused, suspended=survey.suspended),
        Durations(past_durations(entries)),
    )


def _work(job: Job, needs: Sequence[str], now_s: float, count: int, asked: bool) -> Work:
    runs = job.state is State.RUNNING
    return Work(
        task=task_folder(job.task),
        name=bare_class(job.task) or job.name,
        queue=job.queue,
        demand=job.demand,
        identity=job.identity,
        needs=tuple(needs),
        for_s=max(now_s - job.started_s, 0.0) if runs else None,
        count=1 if runs else count,
        asked=asked,
    )
