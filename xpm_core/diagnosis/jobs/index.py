"""The index, which makes lists of jobs quick: damaged lines, jobs that it lacks, and ends that only the server knows.

Owns: which of these ends are proven. The server says how a job stands, and its directory what it has reported.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping

from xpm_core.diagnosis.file_system import is_shared
from xpm_core.diagnosis.findings import REPAIR, Finding, error, named, ok
from xpm_core.diagnosis.jobs import markers
from xpm_core.diagnosis.patient import JobFacts, Patient
from xpm_core.index import rebuild
from xpm_core.index.entries import End, Entry
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import end_by_server
from xpm_core.reading.jobs import Job
from xpm_core.reading.server import server_time
from xpm_core.states import ENDS, Event, State
from xpm_core.words.text import plural
from xpm_core.workspace.files import LISTING_LAG_S

SUBJECT = "index"


def check(patient: Patient) -> Iterator[Finding]:
    """Compare the index with the job directories and the server."""

    def mend() -> str:
        added = rebuild.rebuild(patient.workspace)
        lines = f", {plural(damaged, 'damaged line')} removed" if damaged else ""
        return f"{plural(added.jobs, 'job')} added{lines}"

    index = MergedIndex(patient.workspace.path)
    entries = index.read()
    damaged = sum(index.damaged.values())
    for path, lines in index.damaged.items():
        yield error(SUBJECT, f"{plural(lines, 'line')} cannot be read: {path}", REPAIR, mend)
        mend = None  # type: ignore[assignment]  # it mends all at once
    lacking = rebuild.lacking(patient.workspace)
    missing = lacking.jobs
    if missing:
        text = f"it lacks something of {plural(missing, 'job')}: filters do not see all of their parameters"
        yield error(SUBJECT, text, REPAIR, mend)
    unseen = [each for each in patient.jobs if each not in entries or not entries[each].task]
    if len(unseen) > missing:
        count = len(unseen) - missing
        whose = "its" if count == 1 else "their"
        text = f"it lacks {plural(count, 'job')} of the server: no directory has {whose} parameters"
        yield error(SUBJECT, text, "run their script again, it adds them")
    endless = _endless(patient, index, lacking.ends)
    if endless:
        text = f"it lacks how {plural(len(endless), 'job')} ended, which the server knows: {named(endless)}"
        yield error(SUBJECT, text, REPAIR, _adder(patient, endless))
    forgotten = 0 if patient.away else len(entries.keys() - patient.jobs.keys())
    if forgotten:
        yield ok(SUBJECT, f"{plural(forgotten, 'job')} of it the server does not know: it was wiped, or is another one")
    if not damaged and not missing and len(unseen) <= missing and not endless:
        yield ok(SUBJECT, f"{plural(len(entries), 'job')}, none is missing")


def _lacks_end(job: JobFacts | Job, entry: Entry | None) -> bool:
    """Whether a job has ended by the server, and the index says nothing of that, or how an earlier execution ended."""
    if entry is None or job.state not in ENDS:
        return False
    known = entry.end.execution if entry.end is not None else ""
    return entry.state is not job.state or bool(known and job.execution and known != job.execution)


def _endless(patient: Patient, index: MergedIndex, found: Collection[str]) -> list[str]:
    """The jobs whose ends the index lacks, and that are proven: their writers died before they wrote them.

    A writer may be about to write: one on this machine has a moment for that, and the line of another one may be hidden
    by a shared file system.

    Args:
        patient: The workspace.
        index: What was read of the index, to be read on.
        found: Jobs whose ends the directories alone have.
    """
    doubtful: Collection[str] = patient.jobs.keys() - set(found)
    shared, deadline = is_shared(patient.workspace.path), time.monotonic() + markers.MOMENT_S
    known: Mapping[str, JobFacts] = patient.jobs
    while True:
        entries = index.read_on()
        doubtful = [each for each in doubtful if each in known and _lacks_end(known[each], entries.get(each))]
        if not doubtful or (known is not patient.jobs and (shared or time.monotonic() > deadline)):
            break
        if known is not patient.jobs:
            time.sleep(markers.POLL_S)
        known = patient.read(doubtful)
    if not doubtful:
        return []
    late_s = server_time(patient.client) - LISTING_LAG_S if shared else math.inf
    jobs = patient.view.reader.jobs.read(doubtful)
    return sorted(job.identity for job in jobs if job.ended_s < late_s and _proven(patient, job) is not None)


def _proven(patient: Patient, job: Job) -> End | None:
    """How a job has ended, if that is proven: by its directory, or by the server alone where no worker reports it."""
    directory = patient.workspace.job(job.task, job.identity)
    end = rebuild.ended(directory)
    if end is not None and (end.state, end.execution) == (job.state, job.execution):
        return end
    if job.state is State.CANCELLED and (end is not None or not job.execution):  # it was to run again, or never ran
        return End(State.CANCELLED, job.ended_s)
    is_alone = job.state is State.CANCELLED or (job.state is State.FAILED and job.reason == Event.LOST)
    return end_by_server(directory, job) if is_alone else None


def _adder(patient: Patient, identities: Collection[str]) -> Callable[[], str]:
    """Adds the ends of jobs, each only if the server still says that it has ended so."""

    def mend() -> str:
        entries, ends = MergedIndex(patient.workspace.path).read(), dict[str, End]()
        for job in patient.view.reader.jobs.read(identities):
            entry, end = entries.get(job.identity), _proven(patient, job)
            if entry is not None and end is not None and _lacks_end(job, entry):
                earlier_s = entry.end.ended_s if entry.end is not None else None
                ends[job.identity] = rebuild.end_that_counts(end, earlier_s)
        rebuild.add_ends(patient.workspace, ends)
        return f"{plural(len(ends), 'end')} added"

    return mend
