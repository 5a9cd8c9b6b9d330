"""Act on the jobs of a plan, in batches, on a thread of its own: other requests are answered meanwhile.

Owns: what prevents an act. Nothing that happens to one job keeps the others from being tried; a server that goes away
ends the act, and the jobs that are left are named.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xpm_cli.lookup import acts
from xpm_cli.page.acting.answers import Answer
from xpm_cli.page.acting.plans import Plan
from xpm_core.errors import RedisUnavailableError, XpmError
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.server.connection import ServerError
from xpm_core.words.text import plural

if TYPE_CHECKING:
    from xpm_cli.lookup.open_workspace import OpenWorkspace
    from xpm_cli.page.desk.desk import Desk

log = logging.getLogger("xpm")

FORGOTTEN = "the workspace does not know it any more."
AGAIN = "Look again, and cancel it then: what it has done so far is lost."
_TURN = threading.Lock()
"""Held while jobs are acted on: the index of the workspace gets its lines from one thread at a time."""


def begin(desk: Desk, plan: Plan, newcomers: Callable[[], int]) -> Answer:
    """Begin to act on the jobs of a plan. What comes of it stands in the answer.

    Args:
        desk: Reads the workspace.
        plan: The jobs.
        newcomers: Returns how many jobs match by now that were not shown. It is asked at the end.
    """
    answer = Answer(plan.verb, len(plan.identities), plan.filter)
    name = f"xpm-page-{plan.verb}"
    threading.Thread(target=_run, args=(desk, plan, answer, newcomers), name=name, daemon=True).start()
    return answer


def _run(desk: Desk, plan: Plan, answer: Answer, newcomers: Callable[[], int]) -> None:
    try:
        _act(desk, plan, answer)
        if new := newcomers():
            matches, it = ("matches", "it") if new == 1 else ("match", "them")
            said = f"{plural(new, 'job')} {matches} by now that you were not shown. Nothing was done to {it}."
            answer.notes.append(said)
    except (XpmError, ServerError) as error:  # what was done stands in the answer; only the notes are not whole
        answer.notes.append(_said(desk.opened, error))
    except Exception:
        log.exception("page: acting on jobs failed")
        answer.notes.append("The page itself has failed. Its terminal shows the error.")
    finally:
        answer.ended.set()


def _act(desk: Desk, plan: Plan, answer: Answer) -> None:
    queues: dict[str, JobRow] = {}
    asked: list[JobRow] = []
    try:
        for start in range(0, len(plan.identities), acts.BATCH):
            batch = plan.identities[start : start + acts.BATCH]
            asked = _known(desk, batch, answer)
            with _TURN:
                _act_on(desk.opened, plan, asked, answer, queues)
            asked = []
    except (ServerError, RedisUnavailableError) as error:
        answer.notes.append(_said(desk.opened, error))
        for row in asked:
            answer.leave(row.identity, desk.opened.title(row), "unanswered", "the server went away. Look at it again.")
        for identity in plan.identities[answer.seen :]:
            answer.leave(identity, short(identity), "untried", "the server went away.")
        return
    if queues:
        answer.notes.extend(acts.obstacle_lines(desk.opened, [*queues.values()]))


def _known(desk: Desk, batch: Sequence[str], answer: Answer) -> list[JobRow]:
    """The jobs, as they stand now. Those that the workspace does not know any more are left."""
    rows = desk.rows(batch)
    known = {row.identity for row in rows}
    for identity in batch:
        if identity not in known:
            answer.leave(identity, short(identity), "unknown", FORGOTTEN)
    return rows


def _act_on(
    opened: OpenWorkspace, plan: Plan, rows: Sequence[JobRow], answer: Answer, queues: dict[str, JobRow]
) -> None:
    if plan.verb == "cancel":
        results = acts.cancel(opened, rows, spares_running=lambda row: row.identity not in plan.losing, again=AGAIN)
    else:
        results = acts.retry(opened, rows)
    for row, result in zip(rows, results, strict=True):
        answer.add(row.identity, opened.title(row), result)
        if result.done and plan.verb == "retry" and row.queue:
            queues.setdefault(row.queue, row)


def _said(opened: OpenWorkspace, error: Exception) -> str:
    if isinstance(error, XpmError):
        return str(error)
    return str(opened.unanswered(error, "What is left was not tried. Look again."))
