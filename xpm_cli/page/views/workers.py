"""Workers, tokens and queues: who runs what, who holds and who waits, who refuses, who has paused what.

It says what `xpm workers`, `xpm tokens` and `xpm queues` say. Only the server knows it: without the server the page
says so.

Owns: what it reads. The forms on it are answered elsewhere (`acting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import Route

from xpm_cli.lookup.steering.pauses import paused
from xpm_cli.output.tables.token_table import HOLDERS, held, holders
from xpm_cli.output.tables.worker_table import in_order, stands
from xpm_cli.page.rendering import page
from xpm_core.errors import XpmError
from xpm_core.reading.jobs import Job
from xpm_core.reading.steering.queues import QueueState
from xpm_core.reading.tokens import TokenState
from xpm_core.reading.why.avoided import Avoided
from xpm_core.reading.workers import WorkerState
from xpm_core.store.refusals import daemon_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk
    from xpm_core.reading.look import View

STANDS = ("busy", "idle", "draining", "stopping", "silent")
"""The words for how a worker stands, as `stands` has them."""
LISTED = 500
"""How many workers are listed. Of more, the busy and the troubled ones come first."""
ORDER = ("silent", "draining", "stopping", "busy", "idle")


class Slot(NamedTuple):
    """A worker.

    Attributes:
        worker: The worker.
        stands: How it stands, in a word.
        job: What it runs; None without a job, or if the server does not know that job.
        for_s: For how long it runs that, seconds; None if that is not known.
    """

    worker: WorkerState
    stands: str
    job: Job | None
    for_s: float | None


class Daemon(NamedTuple):
    """What a daemon refused, and the workers that it has."""

    avoided: Avoided
    slots: int


class Token(NamedTuple):
    """A token.

    Attributes:
        token: The token.
        held: How many units are held, in words.
        own: The jobs of this workspace that hold units, each with how many; the first ones.
        more: How many further jobs of this workspace hold units.
        others: How many units other workspaces hold.
    """

    token: TokenState
    held: str
    own: Sequence[tuple[str, int]]
    more: int
    others: int


class Standing(NamedTuple):
    """How workers, tokens and queues stand.

    Attributes:
        now_s: The time, epoch seconds.
        slots: The workers that are listed.
        counts: How many workers stand in each way.
        refused: What daemons have refused.
        tokens: The tokens.
        queues: The queues, each with its pause in words, empty without one.
        suspended: Whether `rq suspend` is in force.
        titles: The jobs that hold tokens or wait for them, as people know them, by identity.
    """

    now_s: float
    slots: Sequence[Slot]
    counts: Mapping[str, int]
    refused: Sequence[Daemon]
    tokens: Sequence[Token]
    queues: Sequence[tuple[QueueState, str]]
    suspended: bool
    titles: Mapping[str, str]


def routes() -> list[Route]:
    """The URLs of this view."""
    return [Route("/workers", show)]


def show(request: Request) -> Response:
    """Workers, tokens and queues."""
    desk: Desk = request.app.state.desk
    standing, away = None, ""
    try:
        with desk.reading() as view:
            standing = _standing(view)
    except XpmError as error:
        away = str(error)
    return page(request, "workers.jinja", standing=standing, away=away)


def _standing(view: View) -> Standing:
    survey, reader = view.survey(), view.reader
    workers = in_order(survey.workers)
    tokens = [_token(each, view.workspace.id) for each in survey.tokens]
    named = [each for token in tokens for each in (*(job for job, _ in token.own), *token.token.first)]
    wanted = dict.fromkeys([*(worker.job for worker in workers if worker.job), *named])
    jobs = {job.identity: job for job in reader.jobs.read(wanted)}
    slots = [_slot(worker, jobs.get(worker.job), survey.now_s) for worker in workers]
    counts = {word: count for word in STANDS if (count := sum(slot.stands == word for slot in slots))}
    if len(slots) > LISTED:
        slots = sorted(slots, key=lambda slot: ORDER.index(slot.stands))[:LISTED]
    daemons = [daemon_of(worker.name) for worker in workers]
    queues = reader.queues.read(survey.workers)
    return Standing(
        survey.now_s,
        slots,
        counts,
        [Daemon(each, daemons.count(each.daemon)) for each in survey.avoided],
        tokens,
        [(each, paused(each.pause, survey.now_s) if each.pause else "") for each in queues],
        survey.suspended,
        {identity: job.title for identity, job in jobs.items()},
    )


def _slot(worker: WorkerState, job: Job | None, now_s: float) -> Slot:
    for_s = max(now_s - job.started_s, 0.0) if job is not None and job.started_s else None
    return Slot(worker, stands(worker), job, for_s)


def _token(token: TokenState, workspace_id: str) -> Token:
    own, others = holders(token, workspace_id)
    return Token(token, held(token), own[:HOLDERS], max(len(own) - HOLDERS, 0), others)
