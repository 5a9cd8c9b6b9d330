"""Pause queues and resume them, and say what that means for their jobs."""

from __future__ import annotations

from collections.abc import Iterator

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.user import user_at_host
from xpm_core.errors import UnknownQueueError
from xpm_core.reading.steering.queues import QueueState
from xpm_core.store.records import Pause
from xpm_core.store.steering.pauses import PauseCode, ResumeCode, pause_queue, resume_queue
from xpm_core.words.reasons_of_workers import listed
from xpm_core.words.text import ago, line, plural, span


def paused(pause: Pause, now_s: float) -> str:
    """Since when, by whom and why: `5 min ago by alice@node1: new driver`."""
    since = ago(now_s - pause.since_s) if pause.since_s else "yes"
    by = f" by {line(pause.by, 100)}" if pause.by else ""
    return f"{since}{by}{f': {line(pause.why, 100)}' if pause.why else ''}"


def pause_lines(opened: OpenWorkspace, name: str, why: str) -> Iterator[str]:
    """Pause a queue, and say what that means, in lines.

    Args:
        opened: The workspace.
        name: The queue. It need not exist yet.
        why: Why, for people.

    Raises:
        InvalidNameError: No queue can have this name.
    """
    client, w = opened.view.connector.client, opened.workspace.id
    code, known, now_paused = pause_queue(client, w, name, user_at_host(), why)
    if code is PauseCode.ALREADY:
        changed = " That stays as it is. To give another reason, resume it first." if why else ""
        yield f"{name}: it is paused already, {paused(now_paused, opened.now_s)}.{changed}"
        return
    every = opened.view.queues()
    jobs = _jobs(next((each for each in every if each.name == name), None))
    yield f"{name}: paused.{f' {jobs}' if jobs else ''} Go on: {opened.commands.resume_queue(name)}"
    if not known:
        others = ", ".join(each.name for each in every if each.name != name)
        yield f"No job and no worker has used this queue so far.{f' There is: {others}.' if others else ''}"

    deaf = [worker for worker in opened.view.workers() if not worker.takes_orders and name in worker.queues]
    if deaf:
        runs, them = ("runs", "it") if len(deaf) == 1 else ("run", "them")
        named = listed([worker.name for worker in deaf])
        yield f"But {named} {runs} an earlier xpm, which knows no pauses: end {them}, or jobs go on to start there."


def check_queues(opened: OpenWorkspace, *names: str) -> None:
    """Check that the workspace has these queues.

    Raises:
        UnknownQueueError: It lacks one.
    """
    known = {each.name for each in opened.view.queues()}
    for name in names:
        if name not in known:
            raise UnknownQueueError(name, tuple(sorted(known)))


def resume_line(opened: OpenWorkspace, name: str) -> str:
    """Resume a queue, and say what came of it."""
    code, ready, pause = resume_queue(opened.view.connector.client, opened.workspace.id, name, user_at_host())
    if code is ResumeCode.ALREADY or pause is None:
        return f"{name}: it is not paused."
    lasted = f" after {span(opened.now_s - pause.since_s)}" if pause.since_s else ""
    jobs = f"{plural(ready, 'job')} {'is' if ready == 1 else 'are'} ready."
    return f"{name}: resumed{lasted}. {jobs}"


def _jobs(queue: QueueState | None) -> str:
    """What a pause means for the jobs of a queue: `2 running jobs go on, 5 ready ones wait.`"""
    if queue is None:
        return ""
    parts = (
        [f"{plural(queue.running, 'running job')} {'goes' if queue.running == 1 else 'go'} on"] if queue.running else []
    )
    parts += [f"{plural(queue.ready, 'ready job')} {'waits' if queue.ready == 1 else 'wait'}"] if queue.ready else []
    return ", ".join(parts) + "." if parts else ""
