"""The list of checks, and making them: each by itself, so that one that cannot be made hinders no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xpm_core.diagnosis.findings import Finding, Level, unknown
from xpm_core.diagnosis.jobs import contents, index, links, lists, markers, view
from xpm_core.diagnosis.patient import Patient
from xpm_core.diagnosis.surroundings import imports, machine, place, server, workers
from xpm_core.errors import XpmError
from xpm_core.server.connection import ServerError
from xpm_core.server.faults import fault_of

Check = Callable[[Patient], Iterator[Finding]]

NO_SERVER = "not checked, because the server cannot be had"
AGAIN = "start the server, then try again"

CHECKS: tuple[tuple[str, Check, bool], ...] = (
    ("program", machine.check, False),
    ("redis", server.check, False),
    ("workspace", place.check, False),
    ("workers", workers.check, True),
    ("imports", imports.check, True),
    ("jobs", markers.check, False),
    ("files of jobs", contents.check, False),
    ("links", links.check, False),
    ("index", index.check, False),
    ("lists", lists.check, True),
    ("view for RQ", view.check, True),
)
"""Of each check: its subject, the check itself, and whether it needs the server."""


def examine(patient: Patient, *, repair: bool = False) -> Iterator[Finding]:
    """Make all checks.

    Args:
        patient: The workspace.
        repair: Whether to mend what can be mended. A check that has mended something is made again.
    """
    for subject, check, needs_server in CHECKS:
        patient.progress(subject, 0, 0)
        if needs_server and patient.away:
            yield unknown(subject, NO_SERVER, AGAIN)
            continue
        found = list(_made(patient, subject, check))
        if repair and any(finding.mend for finding in found):
            yield from _mended(patient, subject, found)
            patient.forget()
            found = list(_made(patient, subject, check))
        yield from found


def _made(patient: Patient, subject: str, check: Check) -> Iterator[Finding]:
    """Make one check. What hinders it is a finding, too."""
    try:
        yield from check(patient)
    except (XpmError, ServerError, OSError) as error:
        yield unknown(subject, f"not checked: {_problem(patient, error)}")


def _mended(patient: Patient, subject: str, found: list[Finding]) -> Iterator[Finding]:
    for finding in found:
        if finding.mend is None:
            continue
        try:
            yield Finding(Level.MENDED, finding.subject, finding.mend())
        except (XpmError, ServerError, OSError) as error:
            yield unknown(subject, f"not mended: {_problem(patient, error)}")


def _problem(patient: Patient, error: Exception) -> str:
    if isinstance(error, ServerError):
        return fault_of(error, patient.client).problem
    return str(error)
