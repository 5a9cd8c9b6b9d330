"""The index, which makes lists of jobs quick: damaged lines, and jobs that it lacks."""

from __future__ import annotations

from collections.abc import Iterator

from xpm_core.diagnosis.findings import REPAIR, Finding, error, ok
from xpm_core.diagnosis.patient import Patient
from xpm_core.index import rebuild
from xpm_core.index.merged import MergedIndex
from xpm_core.words.text import plural

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
    missing = rebuild.lacking(patient.workspace).jobs
    if missing:
        text = f"it lacks something of {plural(missing, 'job')}: filters do not see all of their parameters"
        yield error(SUBJECT, text, REPAIR, mend)
    unseen = [each for each in patient.jobs if each not in entries or not entries[each].task]
    if len(unseen) > missing:
        count = len(unseen) - missing
        whose = "its" if count == 1 else "their"
        text = f"it lacks {plural(count, 'job')} of the server: no directory has {whose} parameters"
        yield error(SUBJECT, text, "run their script again, it adds them")
    forgotten = 0 if patient.away else len(entries.keys() - patient.jobs.keys())
    if forgotten:
        yield ok(SUBJECT, f"{plural(forgotten, 'job')} of it the server does not know: it was wiped, or is another one")
    if not damaged and not missing and len(unseen) <= missing:
        yield ok(SUBJECT, f"{plural(len(entries), 'job')}, none is missing")
