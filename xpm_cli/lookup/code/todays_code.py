"""Today's code of done jobs, from the folders from which they were submitted. None of them runs again.

Owns: that it is taken once for all jobs that were submitted together, and why it is not known of some.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from xpm_cli.lookup.code.retried_code import RetriedCode
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.errors import SettingsError, SignatureError, SnapshotError
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


def todays_code(opened: OpenWorkspace, rows: Sequence[JobRow]) -> Iterator[tuple[JobRow, Code | str]]:
    """Today's code of each job; or why it is not known.

    Code that was live then is taken from where it lay.

    Args:
        opened: The workspace.
        rows: The jobs, which are done.

    Raises:
        WorkspaceError: The workspace cannot be written.

    Example:
        >>> dict(todays_code(opened, rows))[rows[0]]
        ('8c1f2e0…', '5d20b11…')
    """
    groups: dict[Code, list[JobRow]] = {}
    for row in rows:
        kept = opened.kept(row)
        if kept is None:
            yield row, UNTOLD
        else:
            groups.setdefault((kept.spec.options.snapshot, kept.spec.options.provenance), []).append(row)
    for (snapshot, provenance), group in groups.items():
        if not snapshot:
            live = _live(opened, provenance)
            yield from ((row, live) for row in group)
            continue
        found = _taken(opened, group)
        for row in group:  # if it failed, one of them may be the reason
            alone = _taken(opened, [row]) if isinstance(found, str) and len(group) > 1 else found
            yield row, alone if isinstance(alone, str) else alone[row.identity]


def _taken(opened: OpenWorkspace, rows: Sequence[JobRow]) -> Mapping[str, Code] | str:
    try:
        recoded = RetriedCode(opened, rows).now()
    except (SnapshotError, SettingsError, SignatureError) as error:
        return _problem(error)
    options = {identity: each.after.options for identity, each in recoded.items()}
    return {identity: (each.snapshot, each.provenance) for identity, each in options.items()}


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


def _problem(error: SnapshotError | SettingsError | SignatureError) -> str:
    return f"today's code cannot be taken: {error.where}: {error.problem}."
