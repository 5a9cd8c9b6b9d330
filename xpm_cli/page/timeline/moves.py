"""The events of jobs and workers, as small records: what moved, and when.

Owns: which events count for the timeline. Progress and outputs do not: a job may send a thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from xpm_core.reading.events import Record
from xpm_core.states import Event

TALK = frozenset({Event.PROGRESS, Event.OUTPUT, Event.WORKER_ORDERED})


class Move(NamedTuple):
    """What happened.

    Attributes:
        at_s: When, epoch seconds by the server's clock.
        event: What.
        job, task, execution: The job, its task and its execution; empty if it is an event of a worker or a queue.
        worker: The worker; empty if there is none.
        attempt: The number of an attempt that started; else 0.
        queue: The queue that was paused or resumed; else empty.
        adopted: Whether a job became done without running, by its directory.
    """

    at_s: float
    event: Event
    job: str = ""
    task: str = ""
    execution: str = ""
    worker: str = ""
    attempt: int = 0
    queue: str = ""
    adopted: bool = False


def moves(records: Iterable[Record], heard: set[str]) -> Iterator[Move]:
    """What moved, by the events.

    Args:
        records: The events, in order.
        heard: The jobs of which an event was met before; it grows. The first event of a job counts even if the job only
            talks, because it then runs.
    """
    for each in records:
        if each.event in TALK and (not each.job or each.job in heard):
            continue
        if each.job:
            heard.add(each.job)
        attempt = each.data.get("attempt", "")
        yield Move(
            each.at_s,
            each.event,
            each.job,
            each.task,
            each.execution,
            each.worker,
            int(attempt) if attempt.isascii() and attempt.isdigit() else 0,
            each.data.get("queue", ""),
            each.data.get("reason") == "adopted",
        )
