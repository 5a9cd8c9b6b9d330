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
from xpm_core.server.faults import fault_of
from xpm_core.words.text import plural

if TYPE_CHECKING:
    from xpm_cli.lookup.open_workspace import OpenWorkspace
    from xpm_cli.page.desk.desk import Desk

log = logging.getLogger("xpm")

BATCH = 100
"""How many jobs are read at once. Between two batches, other requests can read."""
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
    for start in range(0, len(plan.identities), BATCH):
        batch = plan.identities[start : start + BATCH]
        try:
            rows = {row.identity: row for row in desk.rows(batch)}
            with _TURN:
                _act_on(desk.opened, plan, batch, rows, answer, queues)
        except (ServerError, RedisUnavailableError) as error:
            said = _said(desk.opened, error)
            answer.notes.append(said)
            for identity in plan.identities[answer.seen :]:
                answer.leave(identity, short(identity), "untried", "the server went away.")
            return
    if queues:
        answer.notes.extend(acts.obstacle_lines(desk.opened, [*queues.values()]))


def _act_on(
    opened: OpenWorkspace,
    plan: Plan,
    batch: Sequence[str],
    rows: dict[str, JobRow],
    answer: Answer,
    queues: dict[str, JobRow],
) -> None:
    for identity in batch:
        if (row := rows.get(identity)) is None:
            answer.leave(identity, short(identity), "unknown", FORGOTTEN)
            continue
        try:
            result = _one(opened, plan, row)
        except RedisUnavailableError:
            raise
        except XpmError as error:  # of this job alone: its signature, its directory, its payload
            answer.leave(identity, opened.title(row), "refused", str(error))
            continue
        answer.add(identity, opened.title(row), result)
        if result.done and plan.verb == "retry" and row.queue:
            queues.setdefault(row.queue, row)


def _one(opened: OpenWorkspace, plan: Plan, row: JobRow) -> acts.Result:
    if plan.verb == "cancel":
        return acts.cancel(opened, row, spares_running=row.identity not in plan.losing, again=AGAIN)
    return acts.retry(opened, row)


def _said(opened: OpenWorkspace, error: Exception) -> str:
    if isinstance(error, XpmError):
        return str(error)
    return f"Redis: {fault_of(error, opened.view.connector.client).problem}. What is left was not tried. Look again."
