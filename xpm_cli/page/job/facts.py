"""The facts of a job as its page shows them.

Owns: which of them need the server, and what is said without it. The lock of the desk is held only while the server is
asked, never while files are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from xpm_cli.lookup.open_workspace import REMEDY_OF_UNKNOWN, UNKNOWN_TO_FILES, UNSTARTED
from xpm_cli.output.code.code_lines import code_entries, machine_entries
from xpm_cli.output.sheets.job_sheet import JobSheet, accepted, error_parts
from xpm_cli.output.sheets.why_sheet import HEADINGS
from xpm_cli.output.tables.cells import text_of
from xpm_cli.output.tables.reported import DIGITS, leaves
from xpm_core.errors import ForgottenJobError, RedisUnavailableError, UnknownJobError
from xpm_core.filters import from_options
from xpm_core.reading.listing.row import JobRow
from xpm_core.results.latest import LatestMetrics, latest_metrics
from xpm_core.states import State
from xpm_core.store.replies import shown
from xpm_core.words.text import line, plural, span

if TYPE_CHECKING:
    from xpm_cli.page.desk.desk import Desk
    from xpm_core.reading.look import View
    from xpm_core.reading.why.records import Why

NEIGHBOURS = 50
"""How many of the jobs that it needs, and of those that need it, are named."""
CHAIN = 20
"""How many jobs of a reason are named."""
ATTEMPTS = 30
"""How many attempts are listed, the latest ones."""
METRICS = 12
"""How many metrics have a curve."""
LONGEST = 200
"""Characters of an error in the list of attempts."""
LONGEST_VALUE = 2000
"""Characters of a value. The files of the job have all of it."""
READ = 1 << 18
"""How much of the end of metrics.jsonl is read, bytes."""
_IDENTITY = re.compile(r"[0-9a-f]{64}")
_COMMANDS = ("xpm", "XPM_", "rq ")
"""How the commands among the advice begin."""


class Attempt(NamedTuple):
    """An attempt at a job. What is not known is empty or None.

    Attributes:
        number: Its number, from 1.
        outcome: How it ended: done, failed, lost; or `running`.
        started_s: When it began, epoch seconds.
        ended_s: When it ended, epoch seconds.
        worker: The worker that ran it.
        facts: What else is known: its exit code, memory, its error.
    """

    number: int
    outcome: str
    started_s: float | None
    ended_s: float | None
    worker: str
    facts: Sequence[str]

    @property
    def took(self) -> str:
        """How long it took; empty if that is not known."""
        return span(self.ended_s - self.started_s) if self.started_s and self.ended_s else ""


class ReasonShown(NamedTuple):
    """A reason why a job does not run.

    Attributes:
        outlook: Whether it will run.
        text: The reason in a sentence.
        details: Facts behind it, each a sentence.
        jobs: The jobs that it names, in its order: the first is what the job needs, the next what that one needs.
    """

    outlook: str
    text: str
    details: Sequence[str]
    jobs: Sequence[JobRow]


class WhyShown(NamedTuple):
    """Why a job does not run, or how it stands.

    Attributes:
        heading: What this is about.
        reasons: All that hold, the first of them first.
        earlier: How earlier attempts went.
        do: Commands that help.
        advice: What else helps, in words.
    """

    heading: str
    reasons: Sequence[ReasonShown]
    earlier: Sequence[str]
    do: Sequence[str]
    advice: Sequence[str]


class Neighbours(NamedTuple):
    """Jobs that it needs, or that need it.

    Attributes:
        jobs: The first of them.
        more: How many more there are.
        unknown: Why they are not known; else empty.
    """

    jobs: Sequence[JobRow] = ()
    more: int = 0
    unknown: str = ""


def find(desk: Desk, name: str) -> JobRow:
    """Return the job that a name means, with the latest facts. While the server does not answer, those of before.

    Raises:
        UnknownJobError, AmbiguousJobError: As for `View.job`.
        RedisUnavailableError: The server cannot be had, and nothing else knows the job.
    """
    try:
        with desk.reading() as view:
            rows = view.rows([name]) if _IDENTITY.fullmatch(name) else []  # faster than to compare all names
            return rows[0] if rows else view.job(name)
    except UnknownJobError:
        if desk.away is None:
            raise
        raise RedisUnavailableError(f"Job {name!r}", UNKNOWN_TO_FILES, REMEDY_OF_UNKNOWN) from None
    except RedisUnavailableError:
        if (row := known(desk, name)) is None:
            raise
        return row


def known(desk: Desk, identity: str) -> JobRow | None:
    """Return a job as it was listed last, by its whole identity; None if it was not. The server is not asked."""
    if not _IDENTITY.fullmatch(identity):
        return None
    try:
        with desk.reading() as view:
            return next(view.known([identity]), None)
    except RedisUnavailableError:
        return None


class JobFacts:
    """All that the page of a job shows. What no template asks for is not read.

    Args:
        desk: Reads the workspace.
        row: The job.
    """

    def __init__(self, desk: Desk, row: JobRow) -> None:
        self.row, self.desk = row, desk
        self.opened = desk.opened
        self.now_s = desk.view.now_s
        self.sheet = JobSheet(self.opened, row)
        self.why, self.needs, self.needed_by = self._of_server()

    def _of_server(self) -> tuple[WhyShown | str | None, Neighbours, Neighbours]:
        """What the server is asked. Without it, the reason stands in place of what it knows."""
        try:
            with self.desk.reading() as view:
                return self._why(view), self._needs(view), self._needed_by(view)
        except RedisUnavailableError as error:
            gone = f"not known now: {error}"
            return (gone if self._may_wait else None), Neighbours(unknown=gone), Neighbours(unknown=gone)

    @property
    def _may_wait(self) -> bool:
        return self.row.state in UNSTARTED or self.row.state is State.RUNNING

    def _why(self, view: View) -> WhyShown | str | None:
        if not self._may_wait or view.away is not None:
            return None
        try:
            found = view.reader.reasons.why(self.row.identity)
        except UnknownJobError:
            return str(ForgottenJobError(self.row.identity))
        return _why_shown(found, view, self.opened.commands)

    def _needs(self, view: View) -> Neighbours:
        found = view.needs([self.row])[self.row.identity]
        if found is None:
            return Neighbours(unknown="which jobs it needs is not known")
        return _neighbours(view, found)

    def _needed_by(self, view: View) -> Neighbours:
        if view.away is not None:
            return Neighbours(unknown="which jobs need it, only the server knows")
        return _neighbours(view, view.reader.jobs.dependents(self.row.identity))

    # -- what it is ------------------------------------------------------------------------------------------------

    @cached_property
    def title(self) -> str:
        """The job as people know it."""
        return self.opened.title(self.row)

    @cached_property
    def tags(self) -> Mapping[str, str]:
        """Its tags."""
        return {str(name): text_of(value) for name, value in self.opened.tags(self.row).items()}

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """Its parameters in one level."""
        return {str(name): _short(value) for name, value in self.sheet.params.items()}

    @property
    def experiments(self) -> list[tuple[str, str]]:
        """The experiments that it belongs to, each with the filter of its jobs."""
        return [(name, str(from_options(experiment=[name]))) for name in sorted(self.row.experiments)]

    @cached_property
    def notes(self) -> list[str]:
        """What one should know of the job, and of these facts, each a sentence."""
        row, away = self.row, self.opened.view.away
        found = []
        if row.job is None and away is None and not self.desk.outage:
            found.append(f"{ForgottenJobError(row.identity)} What stands here comes from files.")
        elif row.job is None and row.state is None:
            found.append("Its state is not known: it had not ended when the files were written.")
        if not self.parameters and row.state is not None:
            found.append("Its parameters are not recorded: it was submitted by an earlier xpm, and has not run.")
        if self.is_gone:
            found.append(f"Its directory is gone: {self.sheet.directory.path}. Its script runs it again.")
        if self.sheet.imported is not None:
            found.append(f"It was imported {self.sheet.came_from(self.sheet.imported)}.")
        if row.job is not None and row.job.cancel_asked and row.state is State.RUNNING:
            found.append("Somebody has cancelled it: its process is told to end.")
        return found + [f"Accepted {', '.join(accepted(each))}" for each in self.sheet.accepted]

    @property
    def is_gone(self) -> bool:
        """Whether it has ended, and its directory is not there."""
        ended = self.row.state in (State.DONE, State.FAILED) or (self.row.state is None and self.row.entry.end)
        return bool(ended) and not self.sheet.directory.path.is_dir()

    @cached_property
    def about(self) -> list[tuple[str, list[str]]]:
        """Its queue, its tokens and the like: labels, and what belongs to each."""
        row = self.row
        found: list[tuple[str, list[str]]] = []
        if row.queue:
            priority = [f"priority {row.job.priority}"] if row.job and row.job.priority else []
            found.append(("queue", [row.queue, *priority]))
        if row.demand:
            found.append(("tokens", [f"{name} {units}" for name, units in row.demand.items()]))
        return found

    @cached_property
    def progress(self) -> list[tuple[float | None, str]]:
        """The progress that it has reported while it runs, the outermost loop first: parts of 1, and words."""
        reported = self.row.job.progress if self.row.job and self.row.state is State.RUNNING else {}
        if not reported:
            return []
        levels = [reported, *(each for each in reported.get("inner", ()) if isinstance(each, dict))]
        return [(_part(each.get("fraction")), line(each.get("desc", ""), LONGEST)) for each in levels]

    # -- what has become of it -------------------------------------------------------------------------------------

    @cached_property
    def error(self) -> tuple[str, list[str], int] | None:
        """What went wrong: the message, the frames of the user's code, and how many are left out."""
        error = shown(dict(self.sheet.error))
        return error_parts(error) if error else None

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The attempts, the latest one first. Of a lost one there may be no record."""
        found = {each.number: each for each in map(self._attempt, self.sheet.records)}
        row = self.row
        latest = max([*found, row.attempts or 0])
        if row.state is State.RUNNING and row.attempts:
            now = latest = max(found, default=0) + 1 if row.attempts in found else row.attempts
            found[now] = Attempt(now, "running", row.started_s, None, row.worker or "", ())
        for number in range(max(latest - ATTEMPTS, 0) + 1, latest + 1):
            found.setdefault(number, Attempt(number, "no record", None, None, "", ("its worker was lost, perhaps",)))
        return [found[number] for number in sorted(found, reverse=True)][:ATTEMPTS]

    def _attempt(self, record: Mapping[str, Any]) -> Attempt:
        recorded = record.get("error")
        error = recorded if isinstance(recorded, dict) else {}
        peak, code, signal = (record.get(name) for name in ("peak_memory_bytes", "exit_code", "signal"))
        facts = [
            f"signal {signal}" if signal else f"exit {code}" if code else "",
            f"memory {peak / 2**20:.0f} MB peak" if isinstance(peak, (int, float)) and peak else "",
            f"python {line(record['python'], 20)}" if record.get("python") else "",
            line(": ".join(filter(None, (str(error.get(name) or "") for name in ("type", "message")))), LONGEST),
        ]
        outcome = record.get("reason") or ("failed" if error else "ended")
        worker = line(record.get("worker") or record.get("host") or "", 60)
        times = (_seconds(record.get("started_s")), _seconds(record.get("ended_s")))
        return Attempt(int(record.get("number", 0)), line(outcome, 60), *times, worker, [*filter(None, facts)])

    @cached_property
    def results(self) -> list[tuple[str, str]]:
        """What it has reported, in one level."""
        return [(name, _reported(value)) for name, value in leaves(self.sheet.report.results)]

    @cached_property
    def latest(self) -> LatestMetrics:
        """The latest value of each metric, by so much of the end of the file as can be read every second."""
        begun = self.row.state not in UNSTARTED
        return latest_metrics(self.sheet.directory.path, READ) if begun else LatestMetrics()

    @cached_property
    def metrics(self) -> list[tuple[str, str, float | None]]:
        """The latest value of each metric, and its step."""
        latest = self.latest.values
        return [(str(shown(name)), _reported(each.value), each.step) for name, each in latest.items()]

    @cached_property
    def curves(self) -> list[str]:
        """The names of the metrics that have a curve, by the end of the file."""
        latest = self.latest.values
        numbers = (name for name, each in latest.items() if isinstance(each.value, (int, float)))
        return list(islice(numbers, METRICS))

    @cached_property
    def files(self) -> list[tuple[str, int | None]]:
        """The files that it has announced, and their sizes, bytes; None for one that is not there."""
        return list(self.sheet.report.files.items())

    @property
    def problems(self) -> list[str]:
        """What it has reported and could not be kept, each a sentence."""
        return [f"not kept: {each}" for each in self.sheet.report.problems]

    @property
    def own_files(self) -> list[str]:
        """The names of the files that each job has, and that are there."""
        directory = self.sheet.directory
        return [each.name for each in (directory.params, directory.out, directory.err) if each.is_file()]

    # -- its code --------------------------------------------------------------------------------------------------

    @cached_property
    def code(self) -> list[tuple[str, Sequence[str]]]:
        """Which code it ran, how it was submitted, on what machine: labels, and what belongs to each."""
        entries = [*code_entries(self.sheet.code), *machine_entries(self.sheet.record, self.sheet.directory.path)]
        return [(label, [str(shown(item)) for item in items]) for label, items in entries]

    @property
    def has_code_since(self) -> bool:
        """Whether it can be said what of its code has changed since: `xpm diff --code` takes jobs that are done."""
        return self.row.state in (State.DONE, None) and self.sheet.directory.done_marker() is not None

    @cached_property
    def commands(self) -> list[str]:
        """Commands to type about it."""
        commands, identity = self.opened.commands, self.row.identity
        more = [commands.show(identity), commands.why(identity), commands.logs(identity), commands.debug(identity)]
        since = [commands.code_since(identity)] if self.has_code_since else []
        return list(dict.fromkeys([*self.sheet.next_commands(), *more, *since]))


def _why_shown(why: Why, view: View, commands: Any) -> WhyShown:
    reasons = [
        ReasonShown(
            each.outlook.value, str(each), each.details(), view.rows(_named_in(each.as_data(), why.job.identity))
        )
        for each in why.reasons
    ]
    earlier = [str(attempt) for attempt in why.earlier]
    if why.forgotten:
        earlier.insert(0, f"{plural(why.forgotten, 'attempt')}: how they went is unknown")
    to_do = why.what_to_do(commands)
    typed = [each for each in to_do if each.startswith(_COMMANDS)]
    return WhyShown(HEADINGS[why.outlook], reasons, earlier, typed, [each for each in to_do if each not in typed])


def _named_in(data: Any, job: str) -> list[str]:
    """The identities of other jobs in the facts of a reason, in their order."""
    return list(dict.fromkeys(islice((each for each in _identities(data) if each != job), CHAIN)))


def _identities(data: Any) -> Iterator[str]:
    if isinstance(data, str) and _IDENTITY.fullmatch(data):
        yield data
    for each in data.values() if isinstance(data, dict) else data if isinstance(data, (list, tuple)) else ():
        yield from _identities(each)


def _neighbours(view: View, identities: Iterable[str]) -> Neighbours:
    listed = list(identities)
    return Neighbours(view.rows(listed[:NEIGHBOURS]), max(len(listed) - NEIGHBOURS, 0))


def _reported(value: Any) -> str:
    """A value that a job has reported: a number with the digits that it has in tables."""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else _short(value)


def _short(value: Any) -> str:
    text = text_of(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text)} characters)"


def _part(value: Any) -> float | None:
    return min(max(float(value), 0.0), 1.0) if isinstance(value, (int, float)) else None


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
