"""What came of acting on jobs: how many were done, and those that were not, by the reason.

Owns: which results stand together, and the words above them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from xpm_cli.lookup.acts import Result
from xpm_core.words.text import plural

LISTED = 100
"""How many jobs of a group are named."""

HEADINGS: Mapping[str, str] = {
    "cancelled": "Cancelled",
    "asked": "Their workers were told to stop them",
    "retried": "They run again",
    "spared": "They began to run after they were shown, so they were left as they are",
    "settled": "They had ended already",
    "unsettled": "They have not ended",
    "blocked": "They wait for a job that did not succeed",
    "stale": "They were run again meanwhile",
    "bare": "Their directories do not tell how to run them",
    "in_use": "A running job uses their results",
    "distrusted": "Somebody else has made them",
    "unknown": "The server does not know them any more",
    "refused": "It was refused",
    "unanswered": "What came of them is not known",
    "untried": "They were not tried",
}
"""What stands above results that are alike, by their kind."""


class Line(NamedTuple):
    """What came of one job.

    Attributes:
        identity: The job.
        title: What people call it.
        said: What came of it.
    """

    identity: str
    title: str
    said: str


@dataclass
class Group:
    """Jobs of which the same came.

    Attributes:
        heading: What came of them.
        done: Whether it was done.
        count: How many they are.
        lines: The first of them.
    """

    heading: str
    done: bool
    count: int = 0
    lines: list[Line] = field(default_factory=list)

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.lines)


class Answer:
    """What comes of an act, while it goes on and after its end. One thread adds to it, others read it.

    Args:
        verb: "cancel" or "retry".
        total: How many jobs it is about.
        filter: The filter that has chosen them; None without one.

    Attributes:
        ended: Whether nothing more comes.
        notes: What else people should know, each a sentence.
    """

    def __init__(self, verb: str, total: int, filter: str | None = None) -> None:
        self.verb, self.total, self.filter = verb, total, filter
        self.ended, self.notes = threading.Event(), list[str]()
        self._lock = threading.Lock()
        self._groups: dict[str, Group] = {}

    def add(self, identity: str, title: str, result: Result) -> None:
        """Add what came of a job."""
        self._add(Line(identity, title, result.said), result.kind, result.done)

    def leave(self, identity: str, title: str, kind: str, said: str) -> None:
        """Add a job to which nothing was done."""
        self._add(Line(identity, title, said), kind, False)

    def _add(self, line: Line, kind: str, done: bool) -> None:
        with self._lock:
            group = self._groups.setdefault(kind, Group(HEADINGS.get(kind, kind), done))
            group.count += 1
            if len(group.lines) < LISTED:
                group.lines.append(line)

    @property
    def groups(self) -> list[Group]:
        """What was not done comes first."""
        with self._lock:
            found = [Group(each.heading, each.done, each.count, [*each.lines]) for each in self._groups.values()]
        return sorted(found, key=lambda group: group.done)

    @property
    def seen(self) -> int:
        """How many jobs were taken up so far."""
        with self._lock:
            return sum(group.count for group in self._groups.values())

    @property
    def done(self) -> int:
        """To how many it was done."""
        with self._lock:
            return sum(group.count for group in self._groups.values() if group.done)

    @property
    def summary(self) -> str:
        """What came of it, in a sentence or two: `9,990 of 10,000 jobs were cancelled. 10 were not.`"""
        done, total, past = self.done, self.total, {"cancel": "cancelled", "retry": "retried"}[self.verb]
        if not self.ended.is_set():
            return f"{self.seen:,} of {total:,} taken up so far, {done:,} {past}."
        if done == total:
            return f"{plural(total, 'job')} {'was' if total == 1 else 'were'} {past}."
        if not done:
            return f"No job was {past}." if total > 1 else f"The job was not {past}."
        left = total - done
        were, not_ = "was" if done == 1 else "were", "was not" if left == 1 else "were not"
        return f"{done:,} of {plural(total, 'job')} {were} {past}. {left:,} {not_}."
