"""What is known of the execution that counts of a job: its record, and the documents that it names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xpm_core.errors import ReproduceError, SnapshotError
from xpm_core.labels import short
from xpm_core.reproduction.pinning import Then
from xpm_core.reproduction.requirements import Packages
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Provenance
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobSpec


def facts_of(spec: JobSpec, directory: JobDirectory, workspace: Path, *, live: bool) -> Then:
    """What is known of the execution that counts.

    Args:
        spec: What the job runs.
        directory: Its directory.
        workspace: The directory of its workspace.
        live: Whether today's code is to run, whatever ran then.

    Raises:
        ReproduceError: Nobody knows which code ran.
        SnapshotError: What is kept of the code is missing or damaged.
    """
    store, options = CodeStore(workspace), spec.options
    provenance = Provenance.read(store.get("provenance", options.provenance)) if options.provenance else None
    if not options.snapshot and not live and (provenance is None or provenance.trees):
        when = (
            "a version without snapshots has submitted it"
            if provenance is None
            else "it was submitted with code='live'"
        )
        problem = f"no snapshot of its code was kept, because {when}: nobody knows which code ran"
        raise ReproduceError(spec.label, problem, "To run today's code instead: --code live")
    record = record_of(directory)
    ran = record.get("code")
    if isinstance(ran, dict) and ran.get("snapshot", "") != options.snapshot and not live:
        ran_code, next_code = _named(ran.get("snapshot")), _named(options.snapshot)
        problem = f"it ran the code {ran_code}, and was submitted again with code {next_code}"
        raise ReproduceError(spec.label, problem, "Wait until it has run again.")
    manifest = store.manifest(options.snapshot) if options.snapshot and not live else None
    return Then(record, provenance, manifest, _packages(store, record, provenance), live)


def _named(snapshot: Any) -> str:
    return f"of snapshot {short(str(snapshot))}" if snapshot else "that was not kept"


def record_of(directory: JobDirectory) -> Mapping[str, Any]:
    """The record of the execution that counts; empty without one."""
    marker = directory.marker()
    return (directory.record(marker.execution) or {}) if marker is not None else {}


def _packages(store: CodeStore, record: Mapping[str, Any], provenance: Provenance | None) -> Packages | None:
    """The packages of the execution, else those of the script; None if neither can be had."""
    for digest in (record.get("packages"), provenance.packages if provenance is not None else ""):
        if isinstance(digest, str) and digest:
            try:
                return Packages.read(store.get("packages", digest))
            except SnapshotError:
                continue
    return None
