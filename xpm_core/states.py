"""The states of a job and the names of events: each is defined here, once.

The Lua scripts write the same words; `tests/house/test_style_lua.py` compares the two.
"""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """The state of a job. The words are the same on screen, in filters, JSON, Python and Redis."""

    WAITING = "waiting"
    READY = "ready"
    DELAYED = "delayed"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"

    __hash__ = str.__hash__  # a state equals its word; and this one is fast, which matters as it is called very often

    @property
    def settled(self) -> bool:
        """Whether a job in this state stays in it until somebody submits or retries a job."""
        return self in SETTLED


ENDS = (State.DONE, State.FAILED, State.CANCELLED)
"""States of a job that has ended, by a worker or by a cancellation."""
SETTLED = frozenset({*ENDS, State.BLOCKED})
"""States in which a script no longer waits for a job. A blocked job leaves its state only if its root is retried."""


class Event(str, Enum):
    """What has happened, in the stream of a workspace."""

    SUBMITTED = "submitted"
    WAITING = "waiting"
    READY = "ready"
    DELAYED = "delayed"
    STARTED = "started"
    PROGRESS = "progress"
    OUTPUT = "output"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    LOST = "lost"
    RELEASED = "released"
    REMOVED = "removed"
    WORKER_UP = "worker_up"
    WORKER_DOWN = "worker_down"
    WORKER_ORDERED = "worker_ordered"
    QUEUE_PAUSED = "queue_paused"
    QUEUE_RESUMED = "queue_resumed"
