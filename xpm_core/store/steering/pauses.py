"""Pauses of queues: nothing is claimed from a paused queue. Jobs that run go on, and others can be submitted."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from xpm_core.store import keys, scripts
from xpm_core.store.records import Pause
from xpm_core.store.replies import pause_of
from xpm_core.words.names import check_queue_name

if TYPE_CHECKING:
    from redis import Redis


class PauseCode(IntEnum):
    """What pausing did."""

    PAUSED = 1
    ALREADY = 2


class ResumeCode(IntEnum):
    """What resuming did."""

    RESUMED = 1
    ALREADY = 2


def pause_queue(client: Redis, w: str, queue: str, by: str, why: str = "") -> tuple[PauseCode, bool, Pause]:
    """Let nothing be claimed from a queue.

    Args:
        client: A connection to the server.
        w: The workspace's id.
        queue: The queue. It need not exist yet.
        by: Who pauses it.
        why: Why, for people.

    Returns:
        The code; whether a job was ever submitted to the queue, or a worker serves it; and the pause in force.

    Raises:
        InvalidNameError: No queue can have this name.
    """
    arguments = [w, check_queue_name(queue), by, why]
    code, known, pause = scripts.run(client, "pause", [keys.paused(w)], arguments)
    return PauseCode(code), bool(known), pause_of(pause) or Pause(0.0, "", "")


def resume_queue(client: Redis, w: str, queue: str, by: str) -> tuple[ResumeCode, int, Pause | None]:
    """Let jobs of a paused queue be claimed again. The arguments are those of `pause_queue`.

    Returns:
        The code, how many jobs are ready in the queue, and the pause that has ended.

    Raises:
        InvalidNameError: No queue can have this name.
    """
    arguments = [w, check_queue_name(queue), by]
    code, ready, pause = scripts.run(client, "resume", [keys.paused(w)], arguments)
    return ResumeCode(code), int(ready), pause_of(pause)
