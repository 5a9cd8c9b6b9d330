"""What each view shows: the list of jobs, failures, workers and tokens.

Owns: what is read for a view, and what is kept of it until something happens. Scrolling and the passing of time read
nothing of the server but jobs that were not shown before.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import click

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.sheets.survey_sheet import SurveySheet
from xpm_cli.output.tables import token_table
from xpm_cli.output.tables.job_table import JobTable
from xpm_cli.output.tables.worker_table import WorkerTable, in_order
from xpm_cli.output.terminal import LABEL_WIDTH, Terminal
from xpm_cli.watch.job_page import JobPage
from xpm_core.filters import Filter, from_options, parse
from xpm_core.forecast.records import Forecast
from xpm_core.reading.listing.listing import Listing
from xpm_core.reading.listing.ranking import Ranking
from xpm_core.reading.server import server_time
from xpm_core.reading.survey.survey import Survey
from xpm_core.states import State
from xpm_core.words.reasons import Outlook
from xpm_core.words.text import plural

ROWS = 3
"""Lines of a table for which what stands above it makes room, if the screen is low."""


TIMES = frozenset({"since", "submitted", "started", "ended"})
REBIND_S = 10.0
"""How often a filter that names one of these times is asked anew about all jobs, seconds: durations count from then."""


FORESEE_S = 5.0
"""How often it is foreseen anew when all may have ended, seconds."""
SHARE = 20
"""If that takes long, it is done less often: it gets one part in so many of the time."""


class Shown(Enum):
    """The views."""

    JOBS = "jobs"
    FAILURES = "failures"
    WORKERS = "workers"
    TOKENS = "tokens"
    JOB = "job"
    LOG = "log"


LISTS = (Shown.JOBS, Shown.FAILURES)
"""The views in which a job is chosen."""


@dataclass(frozen=True)
class Request:
    """What the user wants to see.

    Attributes:
        shown: The view.
        terminal: What the terminal can show.
        height: The lines that there are for it.
        filter: Which jobs; empty for all.
        first: The place in the list of the first job on the screen.
        place: The place in the list of the chosen job.
        identity: The chosen job; empty for the one that stands at `place`.
        pinned: Whether the chosen job stays chosen wherever it goes. Else its place stays chosen.
        job: The job of the views JOB and LOG.
        serial: The number of the request.
    """

    shown: Shown
    terminal: Terminal
    height: int
    filter: str = ""
    first: int = 0
    place: int = 0
    identity: str = ""
    pinned: bool = False
    job: str = ""
    serial: int = 0


@dataclass(frozen=True)
class Page:
    """What a view shows.

    Attributes:
        request: What was asked for. Of a list, `filter`, `first`, `place` and `identity` are those that are shown.
        above: Lines that do not scroll.
        lines: Lines that do. Of a list: one for each job.
        below: A line about all of them.
        jobs: The identities of the jobs in `lines`.
        total: How many jobs the list has.
        error: What is wrong with the filter that was asked for; empty if nothing is. Then `request.filter` is the
            filter that stays in force.
        follows: Whether the end of `lines` is what people want to see.
    """

    request: Request
    above: list[str]
    lines: list[str]
    below: str = ""
    jobs: list[str] = field(default_factory=list)
    total: int = 0
    error: str = ""
    follows: bool = False


class Pages:
    """Makes pages of a workspace. One thread uses it.

    Args:
        opened: The workspace.
        experiment: The experiment whose jobs are shown; empty for all.
    """

    def __init__(self, opened: OpenWorkspace, experiment: str = "") -> None:
        self.opened, self._experiment = opened, experiment
        self._rankings: dict[tuple[Shown, str], Ranking] = {}
        self._reasons: dict[str, str] = {}
        self._survey: Survey | None = None
        self._job = JobPage(opened)
        self._forecast: Forecast | None = None
        self._read_at = self._bound_at = self._foresee_at = 0.0

    # -- reading ---------------------------------------------------------------------------------------------------

    def read_all(self) -> None:
        """Read how everything stands, and let the jobs be listed anew."""
        server_time(self.opened.reader.client)  # if the server is away, the jobs stay as they were listed
        self.opened.view.refresh()
        self._rankings.clear()
        self.read(())

    def read(self, changed: Iterable[str]) -> None:
        """Read how everything stands. Of the jobs, only those that have changed are read."""
        rows = self.opened.view.update(changed)
        if time.monotonic() - self._bound_at > REBIND_S:
            self._rankings = {key: each for key, each in self._rankings.items() if TIMES.isdisjoint(each.fields)}
        for ranking in self._rankings.values():
            ranking.update(rows)
            ranking.remove(self.opened.view.gone)
        self._survey = self.opened.view.survey()
        self._foresee(self._survey)
        self._read_at = time.monotonic()
        self._reasons.clear()
        self._job.forget()

    @property
    def awaits(self) -> bool:
        """Whether the index is to say more of some jobs, which no event tells. Then call `read` again soon."""
        return self.opened.view.awaits

    def _foresee(self, survey: Survey) -> None:
        """Read when all may have ended, if what was read of that is old, and reading it does not take too long."""
        if not survey.goes_on:
            self._forecast = None
        elif (began := time.monotonic()) >= self._foresee_at:
            self._forecast = self.opened.view.forecast(self._experiment, survey=survey)
            self._foresee_at = time.monotonic() + max(FORESEE_S, SHARE * (time.monotonic() - began))

    @property
    def survey(self) -> Survey:
        """How the workspace stands, with the time of now."""
        assert self._survey is not None, "read comes first"
        return replace(self._survey, now_s=self._survey.now_s + time.monotonic() - self._read_at)

    # -- pages -----------------------------------------------------------------------------------------------------

    def page(self, request: Request) -> Page:
        """Return what a view shows now.

        Raises:
            FilterError: The filter cannot be understood, or names what no job has.
        """
        survey = self.survey
        if request.shown in LISTS:
            return self._list(request, survey)
        if request.shown is Shown.WORKERS:
            running = {job.identity: job for job in survey.running}
            workers = WorkerTable(in_order(survey.workers), running, survey.avoided, survey.now_s)
            return Page(request, *_parted(_lines(workers.lines(request.terminal, self.opened.commands))))
        if request.shown is Shown.TOKENS:
            table = token_table.table(survey.tokens, self.opened.workspace.id, request.terminal)
            return Page(request, *_parted(table))
        self.opened.view.now_s = survey.now_s
        log = request.shown is Shown.LOG
        lines, below = self._job.lines(request.job, request.terminal, request.height - 1, log=log)
        return Page(request, [], lines, below, follows=log)

    def ranking(self, request: Request) -> Ranking:
        """The jobs of a list, in order."""
        key = request.shown, request.filter
        if key not in self._rankings:
            wanted = parse(request.filter) if request.filter.strip() else Filter()
            if self._experiment:
                wanted &= from_options(experiment=self._experiment)
            if request.shown is Shown.FAILURES:
                wanted &= from_options(state=State.FAILED.value)
            found = self.opened.view.ranked(wanted)
            self._bound_at = time.monotonic()
            others = {each: ranking for each, ranking in self._rankings.items() if each[0] is not request.shown}
            self._rankings = {**others, key: found}
        return self._rankings[key]

    def _list(self, request: Request, survey: Survey) -> Page:
        ranking = self.ranking(request)
        request = _kept_in(ranking, request)
        sheet = self._sheet(survey, ranking, request)
        above = list(_above(sheet, request))
        room = max(request.height - len(above) - 2, 1)
        first = max(min(request.first, request.place, len(ranking) - room), request.place - room + 1, 0)
        rows = self.opened.view.rows(ranking.window(first, room))
        new = [row for row in rows if row.identity not in self._reasons]
        for row, reason in self.opened.reasons(new):
            if reason.outlook not in (Outlook.RUNNING, Outlook.ENDED):  # else it has moved on since it was read
                self._reasons[row.identity] = str(reason)
        for row in new:
            self._reasons.setdefault(row.identity, "-")
        table = JobTable(Listing(rows, len(rows), max(len(ranking), 1)), survey.now_s, self._reasons)
        lines = list(table.lines(request.terminal)) if rows else ["", *self._nothing(request)]
        header, lines, notes = lines[0], lines[1 : 1 + max(len(rows), 1)], lines[1 + max(len(rows), 1) :]
        shown = f"{first + 1}-{first + len(rows)} of {len(ranking)}" if rows else ""
        left_out = f"{plural(ranking.unsure, 'job')} left out: a fact is not known" if ranking.unsure else ""
        return Page(
            request=replace(request, first=first),
            above=[*above, header],
            lines=lines,
            below=" · ".join(filter(None, [shown, left_out, *(note.strip() for note in notes)])),
            jobs=[row.identity for row in rows],
            total=len(ranking),
        )

    def _nothing(self, request: Request) -> list[str]:
        if request.filter:
            return [f"no job matches {request.filter}"]
        return ["no job has failed" if request.shown is Shown.FAILURES else "no jobs yet"]

    def _sheet(self, survey: Survey, ranking: Ranking, request: Request) -> SurveySheet:
        """How all stands; if a filter is in force, how the jobs stand that match."""
        forgotten = request.shown is Shown.JOBS and len(ranking) > sum(survey.counts.values())  # by the server
        if self._experiment or request.filter or forgotten:
            failed, counts = [job for job in survey.failed if job.identity in ranking], ranking.counts
            unknown = len(ranking) - sum(counts.values())
            survey = replace(survey, counts=counts, failed=failed, unknown=unknown)
        view = self.opened.view
        path = str(view.workspace.path)
        filtered = bool(request.filter)
        forecast, commands = None if filtered else self._forecast, self.opened.commands
        return SurveySheet(path, view.workspace.id, view.server, commands, survey, self._experiment, forecast, filtered)


def _kept_in(ranking: Ranking, request: Request) -> Request:
    """The request with the place of the chosen job. If that is no more in the list, its place stays chosen."""
    place = ranking.place(request.identity) if request.pinned and request.identity else None
    if place is not None:
        return replace(request, place=place)
    place = max(min(request.place, len(ranking) - 1), 0)
    return replace(request, place=place, identity="".join(ranking.window(place, 1)))


def _above(sheet: SurveySheet, request: Request) -> Iterator[str]:
    """What stands above a list: how all stands, then what needs somebody, as far as there is room."""
    terminal = request.terminal
    if request.shown is Shown.FAILURES:
        yield from _cut(_lines(sheet.needs(terminal)), max(request.height // 2 - ROWS, 0))
        return
    if request.filter:
        yield terminal.entry("filter", [click.style(request.filter, bold=True)]).partition("\n")[0]
    room = max((request.height - ROWS) // 2, 1)
    standing = _lines(sheet.standing(terminal))[:room]
    yield from standing
    one_each = replace(terminal, width=None)  # what does not fit the line is cut: f shows all of it
    cut = _cut(list(sheet.needs(one_each, offers=False)), room - len(standing), ": f")
    yield from cut
    experiments = _lines(sheet.experiments(terminal))
    if len(experiments) <= room - len(standing) - len(cut):
        yield from experiments


def _lines(entries: Iterable[str]) -> list[str]:
    return [line for entry in entries for line in entry.split("\n")]


def _cut(lines: list[str], most: int, hint: str = "") -> list[str]:
    """The first lines; the last one says how many there are beyond them."""
    if len(lines) <= most:
        return lines
    if most < 3:
        return lines[: max(most, 0)]
    return [*lines[: most - 1], f"{' ' * LABEL_WIDTH}and {len(lines) - most + 1} more{hint}"]


def _parted(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The header of a table, and its rows."""
    return list(lines[:1]), list(lines[1:])
