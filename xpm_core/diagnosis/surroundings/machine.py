"""The program on this machine: the versions of Python, xpm and the packages on which it rests."""

from __future__ import annotations

from collections.abc import Iterator

from xpm_core.diagnosis.findings import Finding, error, ok
from xpm_core.diagnosis.mark import PACKAGES, versions
from xpm_core.diagnosis.patient import Patient

SHOWN = {"redis": "redis-py"}
"""The names of packages that could be taken for something else."""


def check(_: Patient) -> Iterator[Finding]:
    """Name the versions that this process would use."""
    found = dict(versions())
    missing = [name for name in PACKAGES if name not in found]
    python = found.pop("python")
    rest = ", ".join(f"{SHOWN.get(name, name)} {version}" for name, version in found.items())
    if missing:
        yield error(f"python {python}", f"{rest}; not installed: {', '.join(missing)}", "pip install xpm-queue")
    else:
        yield ok(f"python {python}", rest)
