"""What people have accepted of the results of exported jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpm_core.errors import SnapshotError
from xpm_core.exchange.hidden import scrubbed
from xpm_core.judging.acceptance import Acceptance, standing
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.workspace.job_directory import JobDirectory


def exported(directory: JobDirectory, store: CodeStore) -> Iterator[Acceptance]:
    """What is exported of this, the oldest first, without passwords in URLs.

    What was accepted of an earlier execution holds no more, so it stays behind. So does what was accepted with code
    that is gone: nobody could compare with it.
    """
    for each in reversed(standing(directory)):
        try:
            store.manifest(each.snapshot)
            store.get("provenance", each.provenance)
        except SnapshotError:
            continue
        yield replace(each, why=scrubbed(each.why))
