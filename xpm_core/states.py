"""The states of a job and the names of events: each is defined here, once.

The Lua scripts write the same words; `tests/house/test_style_lua.py` holds the two equal.
"""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """Where a job stands. The words are the same on screen, in filters, JSON, Python and Redis."""

    WAITING = "waiting"
    READY = "ready"
    DELAYED = "delayed"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"

    __hash__ = str.__hash__  # equal to its word, and asked for very often

    @property
    def settled(self) -> bool:
        """Whether a job in this state stays there until somebody asks for more."""
        return self in SETTLED


SETTLED = frozenset({State.DONE, State.FAILED, State.BLOCKED, State.CANCELLED})
"""States that a waiting script waits for no longer. A blocked job leaves by its root's retry only."""


class Event(str, Enum):
    """What the stream of a workspace tells."""

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
    WORKER_UP = "worker_up"
    WORKER_DOWN = "worker_down"
