"""What became of the snapshots of jobs that were there before: who now uses today's code, and who keeps which other.

Owns: counting the answers of a run, and the words for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.store.records import SubmitCode, Submitted
from xpm_core.words.text import listed, plural

LIVE = "live code"
"""What a job uses that names no snapshot."""


class Fates:
    """The jobs of a run that had other code than the run submits.

    Args:
        changed: Returns the files that differ now from a snapshot; None if that cannot be said.

    Example:
        >>> fates.lines()
        ['12 waiting jobs now use code 8c1f2e0 (before: 5d20b11)']
    """

    def __init__(self, changed: Callable[[str], Sequence[str] | None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._new: dict[tuple[str, str], dict[str, int]] = {}
        """Jobs that now use another snapshot, and are not told yet: by how they stood and by snapshot, how many had
        which one before."""
        self._keeping: dict[tuple[str, str], int] = {}
        """Jobs that keep one, and are not told yet: by how they stand and by snapshot, how many."""
        self._kept: dict[str, int] = {}
        """All jobs that had begun and keep a snapshot, by that."""

    def note(self, answer: Submitted, snapshot: str) -> None:
        """Take the answer to a submission with this snapshot."""
        if answer.replaced is None and answer.kept is None:
            return
        with self._lock:
            if answer.replaced is not None:
                how = "again" if answer.code is SubmitCode.RETRIED else "waiting"
                before = self._new.setdefault((how, snapshot), {})
                before[answer.replaced] = before.get(answer.replaced, 0) + 1
            elif answer.kept is not None:
                how = _standing(answer.state)
                self._keeping[how, answer.kept] = self._keeping.get((how, answer.kept), 0) + 1
                if how != "waiting":
                    self._kept[answer.kept] = self._kept.get(answer.kept, 0) + 1

    def lines(self) -> list[str]:
        """Lines about the answers since the last call."""
        with self._lock:
            new, self._new = self._new, {}
            keeping, self._keeping = self._keeping, {}
        told = [_told(how, snapshot, before) for (how, snapshot), before in new.items()]
        return told + [_keeps(how, snapshot, n, self._differs(snapshot)) for (how, snapshot), n in keeping.items()]

    def notes(self) -> list[str]:
        """Lines for the report of the run: results that other code has made."""
        with self._lock:
            kept = dict(self._kept)
        return [
            f"note    {plural(count, 'job')} ran with {_code(snapshot)}{self._differs(snapshot)}"
            for snapshot, count in kept.items()
        ]

    def _differs(self, snapshot: str) -> str:
        """How a snapshot differs from today's code, as the end of a sentence."""
        files = self._changed(snapshot) if snapshot else None
        if files is None:
            return ""
        return f", which differs from today's in {named(files)}" if files else ", which has the same files as today's"


def named(files: Sequence[str]) -> str:
    """How many files there are, and the first ones.

    Example:
        >>> named(["train.py", "util.py"])
        '2 files (train.py, util.py)'
    """
    return f"{plural(len(files), 'file')} ({listed(files)})"


def _standing(state: State) -> str:
    if state is State.RUNNING:
        return "running"
    return state.value if state in (State.FAILED, State.CANCELLED) else "waiting"


def _told(how: str, snapshot: str, before: dict[str, int]) -> str:
    """Jobs now use another snapshot."""
    count = sum(before.values())
    earlier = f"(before: {listed([short(each) or LIVE for each in before])})"
    if how == "again":
        return f"{plural(count, 'job')} that failed {_verb(count, 'run')} again with {_code(snapshot)} {earlier}"
    return f"{plural(count, 'waiting job')} now {_verb(count, 'use')} {_code(snapshot)} {earlier}"


def _keeps(how: str, snapshot: str, count: int, differs: str) -> str:
    """Jobs keep the snapshot that they have."""
    jobs = plural(count, f"{how} job")
    if how == "running":
        return f"{jobs} {_verb(count, 'keep')} {_code(snapshot)}{differs}"
    if how == "waiting":
        return f"{jobs} {_verb(count, 'keep')} {_code(snapshot)} of a newer submission"
    return f"{jobs} had {_code(snapshot)}{differs}"


def _code(snapshot: str) -> str:
    return f"code {short(snapshot)}" if snapshot else LIVE


def _verb(count: int, verb: str) -> str:
    return f"{verb}s" if count == 1 else verb
