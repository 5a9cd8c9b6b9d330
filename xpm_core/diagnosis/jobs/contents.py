"""The larger files of jobs: what is needed to run them, and what their attempts came to. Only `--deep` reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from xpm_core.diagnosis.findings import Finding, error, named, ok, warning
from xpm_core.diagnosis.patient import Patient
from xpm_core.errors import PayloadError, UnknownJobError
from xpm_core.states import State
from xpm_core.words.text import plural
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import object_in, read_whole
from xpm_core.workspace.payload_parts import Parts

SUBJECT = "files of jobs"
PAYLOAD = "what they run cannot be read"
RECORDS = "records of attempts that cannot be read, as after a power cut"
PARAMS = "params.json cannot be read"
KEPT = "done, but what they ran is not kept (.xpm/handed.json is missing or damaged)"

REMEDIES = {
    PAYLOAD: "run their script again",
    RECORDS: "nothing, if the result is good; to have one: xpm retry JOB",
    PARAMS: "it is written when the job runs again: xpm retry JOB",
    KEPT: "to run them again, run their script",
}


def check(patient: Patient) -> Iterator[Finding]:
    """Read the files of all jobs."""
    if not patient.deep:
        yield ok(SUBJECT, "not read: xpm doctor --deep reads records, parameters, and what jobs run")
        return
    found: defaultdict[str, list[str]] = defaultdict(list)
    for kind, identity in _faults(patient):
        found[kind].append(identity)
    for kind, identities in found.items():
        finding = error if kind == PAYLOAD else warning
        yield finding(SUBJECT, f"{plural(len(identities), 'job')}: {kind}: {named(identities)}", REMEDIES[kind])
    if not found:
        yield ok(SUBJECT, "records, parameters, and what jobs run can be read")


def _faults(patient: Patient) -> Iterator[tuple[str, str]]:
    """Each fault: its kind and the job."""
    readable = _Payloads(patient.workspace.path).readable
    on_disk = patient.on_disk
    for identity, directory in patient.counted("files of jobs", on_disk.items(), len(on_disk)):
        if any(record.get("reason") == "unreadable" for record in directory.records()):
            yield RECORDS, identity
        if directory.params.exists() and not _object_in(directory):
            yield PARAMS, identity
        job = patient.jobs.get(identity)
        if job is not None and job.state is State.DONE:
            kept = directory.kept(job.task)
            if kept is None:
                yield KEPT, identity
            elif not readable(kept.spec.payload):
                yield PAYLOAD, identity
    yield from _unfinished(patient, readable)


def _unfinished(patient: Patient, readable: Callable[[bytes], bool]) -> Iterator[tuple[str, str]]:
    """Jobs that are still to run, and whose payload on the server nobody can read."""
    jobs = [job.identity for job in patient.jobs.values() if job.state is not State.DONE]
    for identity in patient.counted("jobs to run", jobs, len(jobs)):
        try:
            spec = patient.view.reader.jobs.spec(identity)
        except UnknownJobError:  # it is done meanwhile
            continue
        if not readable(spec.payload):
            yield PAYLOAD, identity


def _object_in(directory: JobDirectory) -> bool:
    try:
        return bool(object_in(read_whole(str(directory.params))))
    except OSError:
        return False


class _Payloads:
    """Opens payloads, and the parts that they name. No class is imported, and no code runs."""

    def __init__(self, workspace: Path) -> None:
        self._parts = Parts(workspace)
        self._good: dict[bytes, bool] = {}

    def readable(self, payload: bytes) -> bool:
        """Whether a payload has the form of one, and all parts are there that it names."""
        from xpm_core.wire.unpacker import UNREADABLE, opened  # late, because only `--deep` needs the whole language

        waiting = [payload]
        while waiting:
            try:
                content = opened(waiting.pop())
                for digest, _ in content.get("imports", ()):
                    if digest not in self._good:
                        self._good[digest] = False  # until it was read
                        waiting.append(self._parts.get(digest))
                        self._good[digest] = True
                    elif not self._good[digest]:
                        return False
            except (PayloadError, *UNREADABLE):
                return False
        return True
