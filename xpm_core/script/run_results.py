"""`experiment.results`: the table of what the jobs of this run have reported.

Owns: where it comes from. The tracker says how each job stands, and the index what it has reported. Where the index has
not got the end of a job yet, its directory says it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from xpm_core.config import experiments
from xpm_core.states import ENDS, State
from xpm_core.tracebacks.edges import edge
from xpm_core.words.text import listed, plural

if TYPE_CHECKING:
    from xpm_core.filters import Filter
    from xpm_core.index.entries import Entry
    from xpm_core.reading.jobs import Job
    from xpm_core.reading.listing.row import JobRow
    from xpm_core.results.jobs import Job as Row
    from xpm_core.results.table import Table
    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.workspace.workspace import Workspace

REASONS = {State.DONE: ("done",), State.FAILED: ("failed", "killed", "timeout", "refused", "lost")}
"""What the record of the attempt says that has brought a job into a state."""


class RunResults:
    """The part of `experiment` that makes tables."""

    if TYPE_CHECKING:  # what `experiment` has
        name: str
        workspace: Workspace

        def refuse_dry(self, what: str) -> None: ...
        def _begun(self) -> Any: ...  # its run: `open_run` imports this room

    @edge
    def results(self, filter: str | Filter = "") -> Table:
        """Return a table of what the jobs of this run have reported, also those that were done before.

        It has a row for each job as it stands now: `wait` first, or a note says how many have not ended. Tasks none of
        whose jobs have reported anything are left out, unless there is a filter. It can be called after the block, too.
        Foreign rows of the experiment, which `xpm import --csv` and the like have brought, come last.

        Args:
            filter: Such as `task=Train and lr>0.01` (docs/reference/filters.md).

        Raises:
            ExperimentError: The experiment was never open.
            DryRunError: This is a dry run, which has no results.
            FilterError: The filter cannot be understood, or names what no job of this run has.

        Example:
            xp.wait()
            best = max(xp.results("task=Train"), key=lambda row: row["accuracy"])
            print(best["lr"], best.directory)
        """
        self.refuse_dry("the script asks for xp.results()")
        run, read = self._begun(), None
        if self in experiments:
            from xpm_core.reading.jobs import JobReader  # late, because many scripts make no table

            run.submitter.flush()
            read = JobReader(run.connector.client, self.workspace.id).read
        return table_of_run(self.workspace, run.tracker.snapshot().values(), read, filter, self.name)


def table_of_run(
    workspace: Workspace,
    jobs: Iterable[TrackedJob],
    read: Callable[[Iterable[str]], list[Job]] | None,
    filter: str | Filter,
    experiment: str = "",
) -> Table:
    """The table of the jobs of a run.

    Args:
        workspace: The workspace.
        jobs: The jobs.
        read: Reads jobs from the server, by identity; None without one.
        filter: Which of them are wanted.
        experiment: The experiment whose foreign rows come with them; empty for none.
    """
    from xpm_core.filters import Filter, Vocabulary, parse  # late, because many scripts make no table
    from xpm_core.index.merged import MergedIndex
    from xpm_core.reading.listing.known_jobs import KnownJobs, by_index
    from xpm_core.reading.listing.listing import JobSelector
    from xpm_core.results.foreign import Foreign, beside, foreign_runs
    from xpm_core.results.listed import table_of

    foreign = foreign_runs(workspace.path, experiment) if experiment else Foreign([], [])
    entries = MergedIndex(workspace.path).read()
    rows = {job.identity: _row(job, entries) for job in jobs}
    wanted = (parse(filter) if filter.strip() else Filter()) if isinstance(filter, str) else filter
    bound = wanted.bind(Vocabulary.of([*rows.values(), *foreign.runs]), time.time())
    found, unsure = JobSelector(KnownJobs(rows), read).matching(bound)
    notes = [*_notes(found, unsure), *foreign.notes]
    others = by_index(entries).rows
    table: list[Row] = [*found, *beside(found, [run for run in foreign.runs if bound.matches(run)])]
    return table_of(
        table, workspace.path, lambda: {**others, **rows}.values(), notes=notes, whole=bool(str(filter).strip())
    )


def _row(job: TrackedJob, entries: Mapping[str, Entry]) -> JobRow:
    """A job of the run as lists have it."""
    from xpm_core.index.entries import Entry
    from xpm_core.reading.listing.row import JobRow

    entry = entries.get(job.identity) or Entry(job.identity, tags=job.tags)
    if job.state in (State.DONE, State.FAILED) and entry.state is not job.state:
        entry = _with_end(entry, job)
    return JobRow(entry, job.state)


def _with_end(entry: Entry, job: TrackedJob) -> Entry:
    """An entry with the end that the job's directory knows. A worker writes the index after it has told the server."""
    from dataclasses import replace

    from xpm_core.index.rebuild import described, ended, ended_by

    end = ended(job.directory)
    if end is None or end.state is not job.state:  # it writes the marker afterwards, too, and the record before
        records: list[dict[str, Any]] = job.directory.records()
        is_it = bool(records) and records[-1].get("reason") in REASONS[job.state]  # else it is an earlier attempt's
        end = ended_by(records[-1], job.state) if is_it else None
    if end is None:
        return entry
    known = entry if entry.task else described(job.directory) or entry
    return replace(known, end=end, experiments=entry.experiments, tags=job.tags or known.tags)


def _notes(rows: Iterable[JobRow], unsure: int) -> Iterable[str]:
    counts: dict[str, int] = {}
    for row in rows:
        if row.state is not None and row.state not in ENDS:
            counts[row.state.value] = counts.get(row.state.value, 0) + 1
    if counts:
        words = [f"{count} {state}" for state, count in counts.items()]
        yield f"Not all jobs have ended: {listed(words)}."
    if unsure:
        yield f"Left out: {plural(unsure, 'job')} of which a fact that the filter asks about is not known."
