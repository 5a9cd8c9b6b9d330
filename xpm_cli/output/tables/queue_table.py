"""The queues of a workspace as a table, and for programs.

Owns: the columns, and the fields that programs get (docs/reference/json.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xpm_cli.lookup.steering.pauses import paused
from xpm_cli.output.json_form import moment
from xpm_cli.output.terminal import Terminal
from xpm_core.reading.steering.queues import QueueState
from xpm_core.store.records import Pause
from xpm_core.words.text import line

LEAST_PAUSE = 30
"""Characters to which a pause is cut on a terminal before columns are left out."""


def table(queues: Sequence[QueueState], now_s: float, terminal: Terminal) -> list[str]:
    """The lines to print.

    Args:
        queues: The queues.
        now_s: The server's time, epoch seconds.
        terminal: What the terminal can show.
    """
    if not queues:
        return ["no queues: a queue is there once a job was submitted to it, or a worker serves it"]
    rows = [["QUEUE", "READY", "DELAYED", "RUNNING", "WORKERS", "IDLE"]]
    rows += [
        [each.name, *map(str, (each.ready, each.delayed, each.running, each.workers, each.idle))] for each in queues
    ]
    pauses = ["PAUSED", *(paused(each.pause, now_s) if each.pause else "-" for each in queues)]
    if terminal.width is not None:
        room = max(terminal.room_beside(rows), LEAST_PAUSE)
        pauses = [line(text, room) for text in pauses]
    return terminal.table([[*row, text] for row, text in zip(rows, pauses, strict=True)])


def queue_record(queue: QueueState) -> dict[str, Any]:
    """The record of a queue for programs."""
    return {
        "name": queue.name,
        "ready": queue.ready,
        "delayed": queue.delayed,
        "running": queue.running,
        "workers": queue.workers,
        "idle": queue.idle,
        "paused": pause_record(queue.pause),
    }


def pause_record(pause: Pause | None) -> dict[str, Any] | None:
    """The record of a pause for programs; None without one."""
    if pause is None:
        return None
    return {"since": moment(pause.since_s), "by": pause.by or None, "why": pause.why or None}
