"""The server's lists of jobs by state, which a worker of an earlier xpm does not keep."""

from __future__ import annotations

from collections.abc import Iterator

from xpm_core.diagnosis.findings import REPAIR, Finding, error, ok
from xpm_core.diagnosis.patient import Patient
from xpm_core.reading.listing.states import StateReader
from xpm_core.store.jobs import Store
from xpm_core.words.text import plural

SUBJECT = "lists"
TRIES = 3
"""How often the lists are read before they count as wrong: jobs move meanwhile."""


def check(patient: Patient) -> Iterator[Finding]:
    """Compare the lists with the counts and the jobs."""
    states = StateReader(patient.client, patient.w)
    if any(states.not_done() is not None for _ in range(TRIES)):
        yield ok(SUBJECT, "the server's lists of jobs by state are whole")
        return

    def mend() -> str:
        jobs = sorted({*patient.view.reader.jobs.identities(), *states.listed()})
        store = Store(patient.client, patient.w)
        moved = sum(store.relist(page) for page in patient.pages("lists", jobs))
        return f"{plural(moved, 'job')} put into the lists of their states"

    yield error(SUBJECT, "the server's lists of jobs by state lack some: listing is slow", REPAIR, mend)
