"""`xpm wait`: wait until jobs have ended; the exit code says how."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import click

from xpm_cli.app import FAILED, TIMED_OUT, USAGE, common_options, say, tell
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.selection import is_lasting, selected, selection_options
from xpm_core.errors import UnknownExperimentError
from xpm_core.filters import Filter, from_options
from xpm_core.filters.moments import read_duration
from xpm_core.labels import short
from xpm_core.reading.listing.job_names import may_name_job
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.why.known import all_paused, unserved
from xpm_core.results.foreign import with_foreign
from xpm_core.states import State
from xpm_core.words.text import plural

BLOCK_S = 1.0
"""How long one read waits for events, seconds."""
NAMED = 200
"""Up to how many jobs the end of each is named."""
EVERY_S = 5.0
"""How often the counts are said if there are more, seconds."""


class Duration(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since click 8.2
    """A duration: `90`, `30s`, `10m`, `2h`, `1d`; in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a duration."""
        if isinstance(value, (int, float)):
            return float(value)
        seconds = float(value) if str(value).isdigit() else read_duration(str(value))
        if seconds is None:
            self.fail(f"expected a duration such as 30s, 10m or 2h, got {value!r}.", param, ctx)
        return seconds


@click.command()
@common_options
@click.argument("name", metavar="[EXPERIMENT]", required=False)
@selection_options
@click.option("--timeout", type=Duration(), metavar="TIME", help="Wait at most so long, then exit with code 4.")
@click.pass_context
def wait(ctx: click.Context, /, name: str | None, timeout: float | None, **given: Any) -> None:
    """Wait until the jobs of an experiment, or those that the options select, have ended.

    Jobs that are submitted meanwhile are waited for, too, unless the options ask how jobs stand. EXPERIMENT may also be
    a JOB. Exit code 0: all are done, or none stands as asked (--state running). 1: one failed, was cancelled or is
    blocked. 2: there is no such job, so that a slip does not look like success. 4: the time is over. Ctrl-C stops the
    waiting only; the jobs go on.
    """
    until = None if timeout is None else time.monotonic() + timeout
    with open_workspace(live=True) as opened:
        chosen = _chosen(opened, name, selected(**given))
        waiting = _Waiting(opened, chosen)
        if waiting.none and not opened.view.jobs(_chosen(opened, name, _lasting(opened, given)), limit=1):
            look = opened.commands.jobs("--limit 0")
            tell(f"Error: There is no such job, so nothing was waited for. Look: {look}")
            ctx.exit(USAGE)
        waiting.say_for_what()
        try:
            over = waiting.watch(until)
        except KeyboardInterrupt:
            say(waiting.stopped())
            raise
        say(waiting.summary(over))
    ctx.exit(TIMED_OUT if not over else 0 if waiting.good else FAILED)


def _lasting(opened: OpenWorkspace, given: Mapping[str, Any]) -> Filter | None:
    """What the options ask of a job whatever happens to it: not how it stands, nor since when."""
    where = [text for text in given["where"] if is_lasting(from_options(where=[text]), opened.view)]
    return selected(**{**given, "where": where, "state": (), "since": None})


def _chosen(opened: OpenWorkspace, name: str | None, chosen: Filter | None) -> Filter:
    chosen = chosen or Filter()
    if name is None:
        return chosen
    experiments = sorted(opened.view.vocabulary.experiments or ())
    if name in experiments:
        return chosen & from_options(experiment=[name])
    known = with_foreign(experiments, opened.workspace.path)
    if name in known or not may_name_job(name):
        raise UnknownExperimentError(name, known)
    return chosen & from_options(where=[f"id={opened.view.job(name).identity}"])


class _Waiting:
    """The jobs that are waited for, and how each stands.

    Args:
        opened: The workspace.
        chosen: Which jobs.
    """

    def __init__(self, opened: OpenWorkspace, chosen: Filter) -> None:
        self._opened, self._chosen = opened, chosen
        self._cursor = opened.reader.events.last()  # before the jobs are read, so that no end is missed
        self._rows: dict[str, JobRow] = {row.identity: row for row in opened.view.jobs(chosen)}
        self._states = {identity: row.state for identity, row in self._rows.items()}
        self._said_s = time.monotonic()

    @property
    def _open(self) -> list[str]:
        return [identity for identity, state in self._states.items() if state is not None and not state.settled]

    @property
    def none(self) -> bool:
        """Whether no job was selected."""
        return not self._rows

    @property
    def good(self) -> bool:
        """Whether all are done."""
        return all(state is State.DONE for state in self._states.values())

    def say_for_what(self) -> None:
        """Say how many jobs are waited for, and which of their queues no worker serves, or are paused."""
        if not self._open:
            return
        say(f"Waiting for {plural(len(self._open), 'job')}: {self._counts()}")
        queues = {row.queue for row in self._rows.values() if row.state is State.READY and row.queue}
        if queues:
            found, commands = self._opened.reader.survey.read(), self._opened.commands
            for reason in unserved(found.queues, queues):
                say(reason.warning(commands.start_worker(reason.queue)))
            for pause in all_paused(found.queues, found.now_s, queues):
                say(pause.warning(commands.resume_queue(pause.queue)))

    def watch(self, until: float | None) -> bool:
        """Wait until all have ended, also those that are submitted meanwhile.

        Args:
            until: When to stop, by the monotonic clock; None for never.

        Returns:
            Whether all have ended.
        """
        while self._watch_known(until):
            if not self._finds_more():
                return True
        return False

    def _finds_more(self) -> bool:
        """Whether jobs that were submitted meanwhile are to be waited for."""
        view = self._opened.view
        if not self._rows or not is_lasting(self._chosen, view):
            return False
        view.refresh()
        for row in view.jobs(self._chosen):
            if row.identity not in self._rows:
                self._rows[row.identity], self._states[row.identity] = row, row.state
        return bool(self._open)

    def _watch_known(self, until: float | None) -> bool:
        reader = self._opened.view.blocking_reader
        while self._open:
            left_s = BLOCK_S if until is None else min(until - time.monotonic(), BLOCK_S)
            if left_s <= 0:
                return False
            records = reader.events.after(self._cursor, block_s=max(left_s, 0.001))
            if records:
                self._cursor = records[-1].cursor
                touched = {record.job for record in records}.intersection(self._open)
            else:
                touched = set(self._open) if reader.events.astray(self._cursor) else set()
            self._take(list(touched))
        return True

    def _take(self, identities: list[str]) -> None:
        """Ask how these jobs stand now."""
        known = self._opened.reader.jobs.states(identities)
        for identity in identities:
            state = known[identity][0] if identity in known else None
            before, self._states[identity] = self._states[identity], state
            if state is not before and (state is None or state.settled) and len(self._states) <= NAMED:
                word = state.value if state else "not known to the server any more"
                say(f"{word}  {self._opened.title(self._rows[identity])}  {short(identity)}")
        if len(self._states) > NAMED and time.monotonic() - self._said_s >= EVERY_S:
            self._said_s = time.monotonic()
            say(self._counts())

    def _counts(self) -> str:
        counts = Counter(state.value if state else "unknown" for state in self._states.values())
        return "   ".join(f"{count} {word}" for word, count in sorted(counts.items(), key=lambda each: -each[1]))

    def stopped(self) -> str:
        """What is said when somebody stops the waiting."""
        return f"Stopped waiting. {plural(len(self._open), 'job')} not ended; the jobs go on."

    def summary(self, over: bool) -> str:
        """How it ended, in a line."""
        if not self._states:
            return "No job stands as asked: nothing to wait for."
        if not over:
            left = self._open
            return f"The time is over: {plural(len(left), 'job')} not ended. {self._counts()}. The jobs go on."
        return f"{self._counts()}"
