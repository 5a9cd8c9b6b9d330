"""The jobs on which a command acts: those that are named, and those that the options select.

Owns: which of them the command may change without a question, and the question.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import click

from xpm_cli.app import say
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.filters import Filter
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.words.text import ago, plural

LISTED = 20
"""How many jobs a question lists."""
CANCELLABLE = (*(state for state in State if not state.settled), State.BLOCKED)
"""The states in which cancelling a job changes anything. A blocked job may run later."""
UNSUCCESSFUL = (State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Targets:
    """The jobs on which a command acts.

    Attributes:
        opened: The workspace.
        rows: The jobs.
        named: Whether each was named, not selected by an option.
        ends: Whether the command ends jobs that run, so that what they have done is lost.
    """

    opened: OpenWorkspace
    rows: Sequence[JobRow]
    named: bool
    ends: bool = False

    @classmethod
    def of(
        cls,
        opened: OpenWorkspace,
        names: Sequence[str],
        chosen: Filter | None,
        fits: Callable[[JobRow], bool],
        *,
        ends: bool = False,
    ) -> Targets:
        """Find the jobs.

        Args:
            opened: The workspace.
            names: The names that were given.
            chosen: The filter that the options write; None without any.
            fits: Whether the command has something to do for a job. Jobs that were only selected, and for which it
                has nothing to do, are left out.
            ends: Whether the command ends jobs that run.

        Raises:
            UnknownJobError, AmbiguousJobError, FilterError: A name or an option means nothing, or too much.
        """
        rows = [opened.view.job(name) for name in names]
        if chosen is not None:
            rows += [row for row in opened.view.jobs(chosen) if fits(row)]
        return cls(opened, list({row.identity: row for row in rows}.values()), chosen is None, ends)

    def loses(self, row: JobRow) -> bool:
        """Whether a job runs, and the command would end it, so that what it has done so far is lost."""
        return self.ends and row.state is State.RUNNING

    def _takes(self, row: JobRow) -> bool:
        """Whether the command takes away what a job has done: it runs, or is done and was not named."""
        return self.loses(row) or (row.state is State.DONE and not self.named)

    def agreed(self, verb: str, yes: bool) -> bool:
        """Whether to go on. One job needs no question if nothing is lost; all else needs `--yes` or an answer.

        Args:
            verb: What would be done: "cancel".
            yes: Whether `--yes` was given.
        """
        if yes or not self.rows or (len(self.rows) == 1 and not self._takes(self.rows[0])):
            return True
        for line in self.would(verb):
            say(line)
        return confirmed(self.question(verb), verb)

    def question(self, verb: str) -> str:
        """The question whether to do it."""
        return f"{verb.capitalize()} {'it' if len(self.rows) == 1 else 'them'}?"

    def would(self, verb: str) -> Iterator[str]:
        """What would be done, and what is lost by it, a line each."""
        losing, total = sum(map(self.loses, self.rows)), plural(len(self.rows), "job")
        if len(self.rows) == 1 and losing:
            yield f"This would {verb} a job that runs. What it has done so far is lost:"
        elif losing:
            lose = "One of them runs, and loses" if losing == 1 else f"{losing} of them run, and lose"
            yield f"This would {verb} {total}. {lose} what is done so far:"
        else:
            yield f"This would {verb} {total}:"
        listed = sorted(self.rows, key=lambda row: not self.loses(row))
        for row in listed[:LISTED]:
            yield f"  {short(row.identity)}  {self.opened.title(row)}, {self._stands(row)}"
        if len(listed) > LISTED:
            yield f"  and {len(listed) - LISTED} more"

    def _stands(self, row: JobRow) -> str:
        if row.state is State.RUNNING and row.started_s:
            return f"started {ago(self.opened.now_s - row.started_s)} on {row.host}"
        return row.state.value if row.state else "unknown"


def is_unfinished(row: JobRow) -> bool:
    """Whether cancelling a job changes anything."""
    return row.state in CANCELLABLE


def retried_states(chosen: Filter | None) -> tuple[State, ...]:
    """The states of the selected jobs that are retried: without success, and done if the filter asks for that."""
    return (*UNSUCCESSFUL, State.DONE) if chosen and chosen.asks_for("state", State.DONE.value) else UNSUCCESSFUL


def confirmed(question: str, verb: str) -> bool:
    """Ask, and say so if nothing was done. Where there is no terminal, the answer is no.

    Args:
        question: The question.
        verb: What would be done: "cancel".
    """
    if sys.stdin.isatty() and sys.stderr.isatty():
        if click.confirm(question, err=True):
            return True
        say(nothing_was(verb))
    else:
        say(f"{nothing_was(verb)} The same with --yes does it.")
    return False


def nothing_was(verb: str) -> str:
    """What to say if the answer is no: `Nothing was cancelled.`"""
    past = {"accept": "accepted", "cancel": "cancelled", "retry": "retried"}[verb]
    return f"Nothing was {past}."
