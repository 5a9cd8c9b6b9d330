"""Look at a workspace: its experiments, jobs, workers, tokens and events. Nothing is changed.

Owns: where the facts come from. The server of the workspace has them. If it cannot be reached, the files of the
workspace answer: which jobs there are, with what parameters, and how they ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.errors import (
    EmbeddedServerError,
    ForgottenJobError,
    RedisUnavailableError,
    RedisUnfitError,
    ServerNotFoundError,
    UnknownExperimentError,
    UnknownJobError,
    WorkspaceError,
    XpmError,
)
from xpm_core.project.workspace_names import directory_of
from xpm_core.reading import offline
from xpm_core.reading.events import Record
from xpm_core.reading.experiments import Experiment
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.reading.tokens import TokenState
from xpm_core.reading.workers import WorkerState
from xpm_core.server.connection import OUTAGES, ServerError
from xpm_core.server.faults import fault_of
from xpm_core.server.notice import explained
from xpm_core.server.url import safe_url
from xpm_core.states import State
from xpm_core.store.connector import Connector
from xpm_core.tracebacks.edges import edge
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from xpm_core.filters import Filter, Vocabulary
    from xpm_core.forecast.records import Forecast
    from xpm_core.reading.listing.listing import Listing
    from xpm_core.reading.listing.ranking import Ranking
    from xpm_core.reading.listing.row import JobRow
    from xpm_core.reading.listing.search import JobSearch
    from xpm_core.reading.past.runs import PastExperiment
    from xpm_core.reading.steering.queues import QueueState
    from xpm_core.reading.survey.survey import Survey
    from xpm_core.reading.why.records import Why
    from xpm_core.results.jobs import Job
    from xpm_core.results.table import Table
    from xpm_core.workspace.job_spec import JobSpec

AWAY = (RedisUnavailableError, EmbeddedServerError, ServerNotFoundError, WorkspaceError)
"""The errors of a server that cannot be had: it does not answer, or a workspace of somebody else cannot start its own.
Then the files answer."""


class View:
    """A workspace that is looked at. `look` opens it; use it in a `with` block.

    Jobs are listed as they stand when they are first asked for. `refresh` lists them anew.

    Args:
        workspace: The workspace.
        redis: The address of its server, as for `experiment`.
        surveys: Whether to begin with the survey, which `survey` then returns. That saves a round trip.

    Attributes:
        workspace: The workspace.
        away: Why the server cannot be had; None if it answers. If it is away, `jobs` and `experiments` come from files,
            and what only the server knows raises this error.
        now_s: The time of the look, epoch seconds: the server's, or this machine's if it is away.

    Example:
        with look("workspace") as view:
            for row in view.jobs("state=failed and lr>0.01"):
                print(row.title, row.error.get("message"))
    """

    def __init__(self, workspace: Workspace, redis: str | None, *, surveys: bool = False) -> None:
        self.workspace = workspace
        self.away: XpmError | None = None
        self._connector: Connector | None = None
        self._survey: Survey | None = None
        try:
            self._connector = Connector.of_workspace(workspace, redis, DEFAULT_LEASE_S, looks=True)
            self.now_s = self._first_look(self._connector, surveys)
        except AWAY as error:
            self.away, self.now_s = error, time.time()
            self.close()

    def _first_look(self, connector: Connector, surveys: bool) -> float:
        """Ask the server for its time; or for the survey, which has the time, too, and saves a round trip."""
        try:
            if surveys:
                with suppress(ResponseError):  # a command is refused; whoever asks for the survey gets the error
                    self._survey = Reader(connector.client, self.workspace.id).survey.read()
                    return self._survey.now_s
            return server_time(connector.client)
        except ServerError as error:
            fault = fault_of(error, connector.client)
            kind = RedisUnavailableError if isinstance(error, OUTAGES) else RedisUnfitError
            with explained(self.workspace.path, connector.url):
                raise kind(f"Redis at {safe_url(connector.url)}", fault.problem, fault.remedy) from error

    @property
    def connector(self) -> Connector:
        """The connection to the server.

        Raises:
            XpmError: It cannot be had; this is `away`.
        """
        if self._connector is None:
            assert self.away is not None
            raise self.away
        return self._connector

    @cached_property
    def reader(self) -> Reader:
        """The readers of the server.

        Raises:
            XpmError: It cannot be had; this is `away`.
        """
        return Reader(self.connector.client, self.workspace.id)

    @property
    def server(self) -> str:
        """What people call the server: its URL without a password, `embedded`, or `files` if it cannot be had."""
        if self._connector is None:
            return "files"
        return "embedded" if self._connector.embedded else safe_url(self._connector.url)

    @property
    def age_s(self) -> float:
        """How old the facts are, seconds: 0 with the server; without it, the time since the index was last written."""
        if self._connector is not None:
            return 0.0
        self._search.known  # noqa: B018  # reading the index says how old it is
        newest_s = self._search.index.newest_s
        return max(self.now_s - newest_s, 0.0) if newest_s else float("inf")

    @property
    def total(self) -> int:
        """How many jobs the workspace has, as they were listed."""
        return len(self._search.known.rows)

    @property
    def notes(self) -> list[str]:
        """What one should know of the facts, each a sentence: files that are damaged, jobs that the index lacks."""
        known = self._search.known  # reading it says what is damaged
        return offline.notes(self._search.index.damaged, known)

    # -- what can be seen ------------------------------------------------------------------------------------------

    @edge
    def experiments(self) -> list[Experiment]:
        """Return the experiments of the workspace, the latest run first."""
        if self._connector is None:
            return offline.experiments(self.workspace, self._search.known)
        return self.reader.experiments.read()

    @edge
    def experiment(self, name: str) -> PastExperiment:
        """Return one experiment, to look at its past runs and at the configurations of their tasks.

        Args:
            name: Its name.

        Raises:
            UnknownExperimentError: The workspace has no directory of an experiment of that name.

        Example:
            >>> for task in view.experiment("digits").run("latest").tasks():
            ...     print(task.tags, task.config.lr, task.jobpath)
        """
        from xpm_core.reading.past.runs import Known, PastExperiment  # late, because few look at past runs

        folder = self.workspace.path / "experiments"
        known = offline.listed(folder)
        if name not in known:
            from xpm_core.results.foreign import with_foreign  # late, because few look at results

            raise UnknownExperimentError(name, with_foreign(known, self.workspace.path))
        return PastExperiment(self.workspace.experiment(name), Known(self.workspace, self.rows, self._spec))

    def _spec(self, identity: str) -> JobSpec | None:
        """What a job runs, by the server; None if it does not know that, or cannot be had."""
        if self._connector is None:
            return None
        with suppress(UnknownJobError):
            return self.reader.jobs.spec(identity)
        return None

    @edge
    def jobs(self, filter: str | Filter = "", *, sort: str = "", limit: int | None = None) -> Listing:
        """Return the jobs of the workspace that match a filter.

        Args:
            filter: Such as `state=failed,blocked and lr>0.01` (docs/reference/filters.md); empty for all jobs.
            sort: Names by which to sort, such as `-started,lr`. Without any, what needs somebody comes first, and what
                is done last.
            limit: How many jobs to return at most; None for all.

        Raises:
            FilterError: The filter or the order cannot be understood, or names what no job has.

        Example:
            >>> [row.identity for row in view.jobs("task=Train and lr>0.01", sort="-ended", limit=10)]
        """
        return self._search.select(filter, sort, limit)

    @edge
    def results(self, experiment: str = "", filter: str | Filter = "") -> Table:
        """Return a table of what jobs have reported: a row for each job, columns for what differs, and for results.

        It is read from the index; a note names done jobs whose directories are gone. Tasks none of whose jobs report
        anything are left out, unless there is a filter. Foreign rows, as of `xpm import --csv`, come last.

        Args:
            experiment: The name of the experiment; empty for all jobs of the workspace.
            filter: Such as `task=Train and lr>0.01` (docs/reference/filters.md).

        Raises:
            UnknownExperimentError: No job belongs to an experiment of that name.
            FilterError: The filter cannot be understood, or names what no job has.

        Example:
            >>> table = look("workspace").results("digits", "task=Train")
            >>> max(table, key=lambda row: row["accuracy"])["lr"]
            0.1
        """
        return self.reading_results(experiment, filter)()

    def reading_results(self, experiment: str = "", filter: str | Filter = "") -> Callable[[], Table]:
        """Read what `results` needs, and return what makes the table of it. Other threads may use the view then."""
        from xpm_core.reading.listing.row import still  # late, because few look at results
        from xpm_core.results.foreign import beside, foreign_runs, with_foreign
        from xpm_core.results.listed import table_of
        from xpm_core.words.text import plural

        foreign = foreign_runs(self.workspace.path, experiment)
        found, unsure, runs = self._search.matching(filter, foreign.runs)
        rows = [still(row) for row in found if not experiment or experiment in row.experiments]
        if experiment and not rows and not foreign.runs:
            known = [each.name for each in self.experiments()]
            if experiment not in known:
                raise UnknownExperimentError(experiment, with_foreign(known, self.workspace.path))
        left = f"Left out: {plural(unsure, 'job')} of which a fact that the filter asks about is not known."
        notes, others = [*self.notes, *foreign.notes, *([left] if unsure else [])], [*self._search.known.rows.values()]
        jobs: list[Job] = [*rows, *beside(rows, runs)]
        return lambda: table_of(jobs, self.workspace.path, lambda: others, notes=notes, whole=bool(str(filter).strip()))

    @edge
    def job(self, name: str) -> JobRow:
        """Return the one job that a name means.

        Args:
            name: A prefix of its identity, `task/prefix`, tags that only this job has (`model=svm,lr=0.1`), its
                directory, `last` or `failed`.

        Raises:
            UnknownJobError: No job has that name.
            AmbiguousJobError: Several have.
        """
        return self._search.named(name)

    def rows(self, identities: Iterable[str]) -> list[JobRow]:
        """Return these jobs, in order, with all that is known of them. Unknown ones are left out."""
        return self._search.rows(identities)

    def needs(self, rows: Iterable[JobRow]) -> dict[str, list[str] | None]:
        """Return which jobs each of some jobs needs: identities, sorted; None if that is not known.

        The server forgets it of a done job. Then the job's directory says it. Without the server, only directories do.
        """
        listed = list(rows)
        known = {} if self.away is not None else self.reader.jobs.needs_of([row.identity for row in listed])
        return {row.identity: known.get(row.identity) or self._kept_needs(row) for row in listed}

    def _kept_needs(self, row: JobRow) -> list[str] | None:
        if self.away is None and row.state is not State.DONE:
            return []
        kept = self.workspace.job(row.task, row.identity).kept(row.task) if row.task else None
        return sorted(kept.needs) if kept else None

    @edge
    def workers(self) -> list[WorkerState]:
        """Return the workers of the workspace.

        Raises:
            XpmError: Only the server knows them, and it cannot be had; this is `away`.
        """
        return self.reader.workers.read(self.now_s)

    @edge
    def tokens(self) -> list[TokenState]:
        """Return the tokens of the server. It raises what `workers` raises."""
        return self.reader.tokens.read()

    @edge
    def queues(self) -> list[QueueState]:
        """Return the queues of the workspace. It raises what `workers` raises."""
        return self.reader.queues.read(self.reader.workers.read(self.now_s))

    @edge
    def survey(self) -> Survey:
        """Return how the workspace stands as a whole: how many jobs are in each state, which have failed, who works.

        It takes three round trips, however many jobs there are. It raises what `workers` raises.
        """
        found, self._survey = self._survey, None
        return found or self.reader.survey.read()

    @edge
    def forecast(self, experiment: str = "", *, survey: Survey | None = None) -> Forecast:
        """Return when the unfinished jobs may have ended, by how long earlier jobs of their classes took.

        Args:
            experiment: The experiment that is asked about; empty for all. Jobs of the others take workers, too.
            survey: How the workspace stands; None to read that.

        Raises:
            XpmError: As for `workers`.

        Example:
            >>> print(view.forecast())
            1 h 50 min
        """
        from xpm_core.forecast.forecast import MOST  # late, because most looks do without it
        from xpm_core.index.merged import MergedIndex
        from xpm_core.reading.survey.ends import ends, unfinished
        from xpm_core.reading.survey.survey import UNFINISHED

        survey, reader = survey or self.survey(), self.reader
        entries = MergedIndex(self.workspace.path).read()
        jobs = reader.jobs.read(unfinished(reader.client, self.workspace.id, survey, MOST))
        total = sum(survey.counts[state] for state in UNFINISHED)
        waiting = [job.identity for job in jobs if job.state is State.WAITING] if total <= MOST else []
        asked = {each.identity for each in entries.values() if experiment in each.experiments} if experiment else None
        return ends(entries.values(), survey, jobs, total, reader.jobs.needs_of(waiting), asked)

    @edge
    def events(self, *, after: str = "0-0") -> Iterator[Record]:
        """Return what has happened in the workspace, as far back as the server keeps it, in order.

        Args:
            after: The cursor of an event: the ones after it are returned.

        Raises:
            XpmError: As for `workers`.
        """
        reader = self.reader.events
        while records := reader.after(after):
            yield from records
            after = records[-1].cursor

    @edge
    def why(self, name: str) -> Why:
        """Return why a job does not run, or how it runs; see docs/reference/why.md.

        Raises:
            UnknownJobError, AmbiguousJobError: See `job`.
            ForgottenJobError: Only the index knows the job.
            XpmError: As for `workers`.
        """
        identity = self.job(name).identity
        try:
            return self.reader.reasons.why(identity)
        except UnknownJobError:
            raise ForgottenJobError(identity) from None

    # -- the parts -------------------------------------------------------------------------------------------------

    @cached_property
    def _search(self) -> JobSearch:
        from xpm_core.reading.listing.search import JobSearch  # late, because a look at the server does without it

        reader = None if self._connector is None else self.reader
        return JobSearch(self.workspace.path, reader, self.now_s, self._experiment_names)

    def _experiment_names(self) -> list[str]:
        if self._connector is None:
            return [each.name for each in offline.experiments(self.workspace, self._search.known)]
        return self.reader.experiments.names()

    @property
    def vocabulary(self) -> Vocabulary:
        """The names that filters may use: tags, parameters, tasks and experiments."""
        return self._search.vocabulary

    @cached_property
    def blocking_reader(self) -> Reader:
        """The readers over a connection that can wait for events; it raises what `reader` raises."""
        return Reader(self.connector.blocking, self.workspace.id)

    def refresh(self) -> None:
        """Let jobs be listed anew, as they stand when they are asked for next.

        Raises:
            RedisUnavailableError: The server has gone away. The jobs then stay as they were listed.
        """
        self.now_s = time.time() if self._connector is None else self._first_look(self._connector, False)
        self.__dict__.pop("_search", None)

    def ranked(self, filter: Filter) -> Ranking:
        """Return the jobs that match a filter, in the order of a list. `Ranking.update` takes what `update` returns.

        Raises:
            FilterError: As for `jobs`.
        """
        return self._search.ranked(filter)

    def order(self, filter: str | Filter, sort: str) -> list[str]:
        """Return the identities of the jobs that match a filter, in an order that is asked for.

        A program that shows a part of a long list calls it: `rows` then reads only what it shows.

        Raises:
            FilterError: As for `jobs`.
        """
        return self._search.order(filter, sort)

    def known(self, identities: Iterable[str] | None = None) -> Iterator[JobRow]:
        """Return these jobs, in order, as they were listed; None for all. Nothing is read of the server; see `rows`."""
        known = self._search.known.rows
        return (known[identity] for identity in (known if identities is None else identities) if identity in known)

    def update(self, identities: Iterable[str]) -> list[JobRow]:
        """Let some jobs be known as they stand now, also new ones. The other jobs stay as they were listed.

        A program that follows the events calls it with the jobs of these. So it need not list all jobs anew.

        Returns:
            These jobs, in order, and jobs of earlier calls of which the index has said more now. Jobs that neither the
            server nor the index knows are left out; `gone` has those of them that were known before.

        Raises:
            XpmError: As for `workers`.
        """
        self.now_s = server_time(self.connector.client)
        return self._search.update(identities, self.now_s)

    @property
    def awaits(self) -> bool:
        """Whether the index is to say more of some jobs. Then call `update` again soon, maybe without any job."""
        search: JobSearch | None = self.__dict__.get("_search")
        return search is not None and search.awaits

    @property
    def gone(self) -> list[str]:
        """The jobs that `update` found to be removed when it was called last."""
        return self._search.gone

    def joined(self) -> list[JobRow]:
        """Return jobs that have come to another experiment since this was asked last; no event may say so."""
        return self._search.joined()

    def close(self) -> None:
        """Close the connection."""
        if self._connector is not None:
            self._connector.close()
            self._connector = None

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@edge
def look(workspace: str | os.PathLike[str], *, redis: str | None = None) -> View:
    """Look at a workspace from a script or a notebook: what `xpm` shows, as objects. It writes nothing.

    The server is found as for an experiment. A workspace's own server is started for the time of the look. If the
    server cannot be had, the files of the workspace answer; `View.away` says so.

    Args:
        workspace: The directory of the workspace, or its name in the user's settings.
        redis: The address of the server, as for `experiment`.

    Raises:
        WorkspaceError: There is no such workspace.
        RedisUrlError, SettingsError: The address of the server cannot be understood.

    Example:
        with look("workspace") as view:
            print(len(view.jobs("state=done")), "are done")
    """
    return View(Workspace.open(directory_of(workspace), create=False, writable=False), redis)
