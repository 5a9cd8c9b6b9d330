"""What a forecast is made of, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xpm_core.words.text import plural, span

NAMED = 3
"""How many classes are named."""


@dataclass(frozen=True)
class Work:
    """A job that has not ended; or several that are alike.

    Attributes:
        task: Its class: the name of the folder of its jobs.
        name: The class as people know it.
        queue: The queue.
        demand: Units of tokens that it asks for, by token.
        identity: Its identity; empty if no other job needs it.
        needs: Identities of jobs that have to end before it starts. Those that are no part of the work count as done.
        for_s: For how long it has run, seconds; None if it has not started.
        count: How many jobs this stands for.
        asked: Whether the forecast is about it. Else it only takes a worker.
    """

    task: str
    name: str
    queue: str
    demand: Mapping[str, int] = field(default_factory=dict)
    identity: str = ""
    needs: tuple[str, ...] = ()
    for_s: float | None = None
    count: int = 1
    asked: bool = True


@dataclass(frozen=True)
class Capacity:
    """Who may do work, and how many units of tokens there are.

    Attributes:
        slots: For each worker that takes jobs, the queues that it serves.
        tokens: How many units each token has.
    """

    slots: tuple[frozenset[str], ...] = ()
    tokens: Mapping[str, int] = field(default_factory=dict)

    def serving(self, queue: str) -> int:
        """How many workers serve a queue."""
        return sum(queue in queues for queues in self.slots)

    def at_once(self, demand: Mapping[str, int]) -> int | None:
        """How many jobs of a demand the tokens let run at a time; None if tokens do not limit them."""
        return min((self.tokens.get(token, 0) // units for token, units in demand.items() if units > 0), default=None)

    def serves(self, work: Work) -> bool:
        """Whether a job can run at all."""
        return self.serving(work.queue) > 0 and self.at_once(work.demand) != 0


@dataclass(frozen=True)
class Forecast:
    """When some jobs may have ended.

    Attributes:
        left_s: In how many seconds those have ended of which something is known; None if that is nothing.
        unknown: How many jobs there are besides, by class, of which none has been done: nothing is known.
        stuck: How many jobs there are besides that no worker serves now, or that wait for such jobs.
        samples: From how many done jobs the durations come, by class.
    """

    left_s: float | None
    unknown: Mapping[str, int] = field(default_factory=dict)
    stuck: int = 0
    samples: Mapping[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether it is about all jobs. Else they need `left_s` at least."""
        return self.left_s is not None and not self.unknown and not self.stuck

    @property
    def basis(self) -> str:
        """What it rests on: `from 41 jobs of Train`."""
        named = sorted(self.samples.items(), key=lambda each: -each[1])
        found = [f"{plural(count, 'job')} of {name}" for name, count in named[:NAMED]]
        return f"from {', '.join([*found, *(['others'] if len(named) > NAMED else [])])}"

    @property
    def without(self) -> str:
        """The jobs that it is not about, and why: `without 1 job of Report, of which none is done yet`; or empty."""
        found = [f"{plural(count, 'job')} of {name}" for name, count in self.unknown.items()]
        shown = [*found[:NAMED], *(["others"] if len(found) > NAMED else [])]
        parts = [f"{', '.join(shown)}, of which none is done yet"] if found else []
        if self.stuck:
            parts.append(f"{plural(self.stuck, 'job')} that no worker can run now")
        return f"without {' and '.join(parts)}" if parts else ""

    def __str__(self) -> str:
        if self.left_s is None:
            return "not known"
        return f"{'' if self.whole else 'at least '}{span(self.left_s)}"

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "left_s": None if self.left_s is None else round(self.left_s, 1),
            "whole": self.whole,
            "unknown": dict(self.unknown),
            "stuck": self.stuck,
            "samples": dict(self.samples),
        }
