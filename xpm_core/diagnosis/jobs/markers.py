"""The markers in job directories: whether they say what the server says, and whether they can be believed.

A marker is written anew only if that is proven: the server names the execution that counts, and the record of that
execution says how it ended. If the server has forgotten the job, the kind of the marker and the newest record have to
agree.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from xpm_core.diagnosis.file_system import is_shared
from xpm_core.diagnosis.findings import REPAIR, Finding, error, named, ok, unknown, warning
from xpm_core.diagnosis.jobs.seen import DAMAGED, FAILURES, HINDRANCES, Seen, look_at, proven
from xpm_core.diagnosis.patient import JobFacts, Patient
from xpm_core.errors import WorkspaceError
from xpm_core.reading.server import server_time
from xpm_core.states import State
from xpm_core.words.text import plural
from xpm_core.workspace.files import LISTING_LAG_S
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import Kind

MOMENT_S = 1.0
"""How long a worker may take to write a marker after the server has learnt of the end, seconds."""
POLL_S = 0.02
SETTLED = (State.DONE, State.FAILED)
SUBJECT = "jobs"
RUN_AGAIN = "run their script again, it runs these jobs anew"


class Kept(NamedTuple):
    """A kind of fault of jobs: what is wrong, how bad that is, and what to do where it cannot be mended."""

    text: str
    remedy: str
    is_error: bool = True


GONE = Kept("done, and the directory is gone", RUN_AGAIN)
MISSING = Kept("done by the server, without a marker", RUN_AGAIN)
UNMARKED = Kept("failed by the server, without a marker", "nothing; or: xpm retry --failed", False)
BOTH = Kept("both markers, done and failed", "run their script again")
TORN = Kept("damaged marker", RUN_AGAIN)
OTHER = Kept("marker of another execution than the server's", "look at them: xpm show JOB; then: xpm retry JOB")
UNRECORDED = Kept("marker of an execution that has no record", "to have one: xpm retry JOB", False)
CONTRARY = Kept("marker that says something else than the server", "look at them: xpm show JOB; then: xpm retry JOB")


class Fault(NamedTuple):
    """A fault of one job. `marker` is the right marker, if it is proven: its kind and execution."""

    kind: Kept
    marker: tuple[Kind, str] | None = None


def check(patient: Patient) -> Iterator[Finding]:
    """Compare the markers in all job directories with the server, or with the records."""
    found = dict(_faults(patient))
    late = list(_not_yet(patient, found))
    for identity in late:
        del found[identity]
    grouped: defaultdict[tuple[Kept, bool], list[str]] = defaultdict(list)
    for identity, fault in found.items():
        grouped[fault.kind, fault.marker is not None].append(identity)
    for (kind, mendable), identities in grouped.items():
        text = f"{plural(len(identities), 'job')}: {kind.text}: {named(identities)}"
        mend = _mender(patient, {each: found[each] for each in identities}) if mendable else None
        yield (error if kind.is_error else warning)(SUBJECT, text, REPAIR if mendable else kind.remedy, mend)
    if late:
        text = f"{plural(len(late), 'job')} ended just now, and their markers are not seen yet: {named(late)}"
        yield unknown(SUBJECT, text, "try again in two minutes")
    if patient.away:
        yield unknown(SUBJECT, "markers were compared with the records alone, because the server cannot be had")
    if not found and not late:
        count = len(patient.jobs.keys() | patient.on_disk.keys())
        text = f"{plural(count, 'job')}, {len(patient.on_disk)} with a directory; no marker is wrong"
        yield ok(SUBJECT, text)


def _faults(patient: Patient) -> Iterator[tuple[str, Fault]]:
    """The faults of all jobs, the first of each."""
    jobs, on_disk = patient.jobs, patient.on_disk
    identities = sorted(jobs.keys() | on_disk.keys())
    for identity in patient.counted("job directories", identities, len(identities)):
        job = jobs.get(identity)
        fault = _of_known(patient, job) if job else _of_forgotten(on_disk[identity], away=patient.away)
        if fault is not None:
            yield identity, fault


def _of_known(patient: Patient, job: JobFacts) -> Fault | None:
    """What is wrong with the markers of a job that the server knows. Those of a job that has not ended mean nothing."""
    if job.state not in SETTLED or not job.task:
        return None
    directory = patient.directory(job)
    seen = look_at(directory)
    kind: Kind = "done" if job.state is State.DONE else "failed"
    if not seen.there:
        return Fault(GONE) if kind == "done" else None
    if seen.markers == {kind: job.execution}:
        return None if job.execution in seen.numbers or kind == "failed" else Fault(UNRECORDED)
    lost = kind == "failed" and job.reason == "lost" and not seen.markers
    if kind == "failed" and not lost and job.execution not in seen.numbers and _is_of_before(seen):
        return None  # a job can fail before it enters its directory
    is_proven = lost or _is_proven(directory, seen, kind, job.execution)
    return Fault(_kind_of(seen, kind), (kind, job.execution) if is_proven else None)


def _is_of_before(seen: Seen) -> bool:
    """Whether the markers can be those of an earlier attempt that has failed, too."""
    return not seen.markers or (seen.markers.keys() == {"failed"} and DAMAGED not in seen.markers.values())


def _is_proven(directory: JobDirectory, seen: Seen, kind: Kind, execution: str) -> bool:
    """Whether the record of the execution that the server names says the same; and of a result, that none is newer."""
    if kind == "done" and seen.newest != execution:
        return False
    return proven(directory, execution, failures=FAILURES + HINDRANCES) == kind


def _kind_of(seen: Seen, kind: Kind) -> Kept:
    if len(seen.markers) == 2:
        return BOTH
    if DAMAGED in seen.markers.values():
        return TORN
    if not seen.markers:
        return MISSING if kind == "done" else UNMARKED
    return OTHER if kind in seen.markers else CONTRARY


def _of_forgotten(directory: JobDirectory, *, away: bool) -> Fault | None:
    """What is wrong with the markers of a job that the server does not know, or cannot be asked for."""
    seen = look_at(directory)
    if not seen.markers:
        return None
    end = proven(directory, seen.newest) if len(seen.markers) == 2 or DAMAGED in seen.markers.values() else None
    right = (end, seen.newest) if end in seen.markers and end is not None and not away else None
    if len(seen.markers) == 2:
        return Fault(BOTH, right)
    [execution] = seen.markers.values()
    if execution == DAMAGED:
        return Fault(TORN, right)
    return None if execution in seen.numbers or not seen.markers.get("done") else Fault(UNRECORDED)


def _not_yet(patient: Patient, found: dict[str, Fault]) -> Iterator[str]:
    """Jobs that were moving while they were looked at: their workers write the markers a moment after the end.

    Those whose markers may still be hidden by a shared file system are yielded; those that are right now are taken out.
    """
    shared = is_shared(patient.workspace.path)
    deadline = time.monotonic() + MOMENT_S
    doubtful = [identity for identity in found if identity in patient.jobs]
    while doubtful:
        now = patient.read(doubtful)
        for identity in list(doubtful):
            fault = _of_known(patient, now[identity]) if identity in now else None
            if fault is None:
                del found[identity]
                doubtful.remove(identity)
            else:
                found[identity] = fault
        now_s = server_time(patient.client)
        young = {each for each in doubtful if now_s - now[each].ended_s < LISTING_LAG_S}
        if shared:
            yield from young
            return
        if not young or time.monotonic() > deadline:
            return
        time.sleep(POLL_S)


def _mender(patient: Patient, faults: dict[str, Fault]) -> Callable[[], str]:
    """Writes the right markers, each only if the server still says the same of the job."""

    def mend() -> str:
        count = 0
        for identity, fault in faults.items():
            before = patient.jobs.get(identity)
            directory = patient.directory(before) if before else patient.on_disk[identity]
            if fault.marker is None or patient.read([identity]).get(identity) != before:
                continue
            kind, execution = fault.marker
            try:
                directory.write_marker(kind, execution)
            except WorkspaceError:  # the next look names it again
                continue
            count += 1
            if patient.read([identity]).get(identity) != before:  # it was retried just then: its worker begins anew
                _take_back(directory, kind, execution)
        return f"{plural(count, 'marker')} written anew from the records: {named(list(faults))}"

    return mend


def _take_back(directory: JobDirectory, kind: Kind, execution: str) -> None:
    if look_at(directory).markers.get(kind) == execution:
        (directory.path / ".xpm" / kind).unlink(missing_ok=True)
