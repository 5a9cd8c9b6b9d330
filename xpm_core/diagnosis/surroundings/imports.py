"""Modules that workers cannot import, and options that they do not know: what they have refused jobs for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from xpm_core.diagnosis.findings import NAMED, Finding, error, named, ok
from xpm_core.diagnosis.patient import Patient
from xpm_core.reading.why.avoided import Avoided, avoided
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.refusals import daemon_of, project_in
from xpm_core.store.replies import text_of
from xpm_core.words.text import plural

FAILED_OF_IMPORT = ("TaskImportError", "ImportTimeout")
"""The types of errors of jobs that no worker could import."""


def check(patient: Patient) -> Iterator[Finding]:
    """Name what workers lack, and which jobs need it."""
    workers = patient.view.reader.workers.read(patient.view.now_s)
    refused = avoided(patient.client, patient.w, workers)
    for each in refused:
        queues = {queue for worker in workers if daemon_of(worker.name) == each.daemon for queue in worker.queues}
        yield error(f"worker {each.daemon}", each.refusal.problem + _jobs(patient, each, queues), each.refusal.remedy)
    failed = list(_failed_of_import(patient))
    if failed:
        text = f"{plural(len(failed), 'job')} failed because no worker could import their code: {named(failed)}"
        yield error("imports", text, "install it where workers run, then: xpm retry --failed")
    if not refused and not failed:
        yield ok("imports", "no worker lacks what a job needs")


def _jobs(patient: Patient, found: Avoided, queues: set[str]) -> str:
    """The ready jobs that avoid a daemon because of what it lacks, in words."""
    if not found.jobs:
        return "; no job waits for it now"
    project = found.project
    jobs = list(islice(_ready(patient, project, queues), NAMED + 1))
    return f"; {plural(found.jobs, 'ready job')} may need it: {named(jobs)}"


def _ready(patient: Patient, project: str, queues: set[str]) -> Iterator[str]:
    client, w = patient.client, patient.w
    for queue in sorted(queues):
        for line in map(text_of, client.zrange(keys.lines(w, queue), 0, -1)):
            if project_in(line) == project:
                yield from map(text_of, client.zrange(keys.line(w, queue, line), 0, NAMED))


def _failed_of_import(patient: Patient) -> Iterator[str]:
    """The jobs that have failed because no worker could import their code."""
    failed = [job.identity for job in patient.jobs.values() if job.state is State.FAILED]
    for page in patient.pages("failed jobs", failed):
        for job in patient.view.reader.jobs.read(page):
            if job.error.get("type") in FAILED_OF_IMPORT:
                yield job.identity
