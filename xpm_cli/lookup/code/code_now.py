"""Today's code of done jobs, from the folders from which they were submitted. None of them runs again.

Owns: that it is taken once for all jobs that were submitted together, and why it is not known of some.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from xpm_cli.lookup.code.retried_code import NotTaken, RetriedCode
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.errors import SettingsError, SnapshotError
from xpm_core.reading.listing.row import JobRow
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.snapshot.taking.changes import retaken

Code = tuple[str, str]
"""A snapshot, and how it came to be taken."""

UNTOLD = "its directory does not say what it ran, or another user has run it. Only that user can do this."
HOMELESS = "it ran with live code, and does not say where that lay. Run it again."
FOREIGN = "it ran with live code of another user. Only that user can do this."


def code_now(opened: OpenWorkspace, rows: Sequence[JobRow]) -> Iterator[tuple[JobRow, Code | str]]:
    """Today's code of each job; or why it is not known.

    Code that was live then is taken from where it lay.

    Args:
        opened: The workspace.
        rows: The jobs, which are done.

    Raises:
        WorkspaceError: The workspace cannot be written.

    Example:
        >>> dict(code_now(opened, rows))[rows[0]]
        ('8c1f2e0…', '5d20b11…')
    """
    code, live = RetriedCode(opened, rows), dict[str, Code | str]()
    taken = code.now(skips=True)
    for row in rows:
        ended = code.ended.get(row.identity)
        if ended is None:
            yield row, UNTOLD
        elif row.identity in taken:
            options = taken[row.identity].after.options
            yield row, (options.snapshot, options.provenance)
        elif ended.spec.options.snapshot:
            yield row, _problem(code.refused[row.identity])
        else:
            provenance = ended.spec.options.provenance
            if provenance not in live:
                live[provenance] = _live(opened, provenance)
            yield row, live[provenance]


def _live(opened: OpenWorkspace, provenance: str) -> Code | str:
    """Today's code of jobs that ran with live code. Only where files of this user lay, it is read."""
    store = CodeStore(opened.workspace.path)
    if not provenance:
        return HOMELESS
    try:
        told = Provenance.read(store.get("provenance", provenance))
        if os.stat(store.document_path("provenance", provenance)).st_uid != os.geteuid():
            return FOREIGN
        if not told.trees:
            return HOMELESS
        taken = retaken(opened.workspace.path, told, Manifest([tree.name for tree in told.trees], []))
    except (SnapshotError, SettingsError) as error:
        return _problem(error)
    described = replace(told, snapshot=taken.snapshot, trees=taken.trees)
    return taken.snapshot, store.put("provenance", described.written())


def _problem(error: NotTaken) -> str:
    return f"today's code cannot be taken: {error.where}: {error.problem}."
