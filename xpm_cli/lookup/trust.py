"""Whether what an imported job runs may be run here: somebody else has made it.

Owns: that nobody runs it unawares. A job that runs in a workspace of one's own by one's own script needs no trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xpm_core.reading.listing.row import JobRow
from xpm_core.store.replies import shown
from xpm_core.workspace.job_directory import JobDirectory


def origin(directory: JobDirectory) -> Mapping[str, Any] | None:
    """From where a job was imported, fit to be shown; None for a job of one's own."""
    found = directory.imported()
    return None if found is None else dict(shown(found))


def source_of(mark: Mapping[str, Any]) -> str:
    """From where a job was imported, in words: `digits.tar, exported by alice on head`."""
    by, on = mark.get("exported_by"), mark.get("exported_on")
    who = f", exported by {by}" if by else ""
    return f"{mark.get('file') or 'a file'}{who}{f' on {on}' if on else ''}"


def hidden(mark: Mapping[str, Any]) -> list[str]:
    """The variables and options whose values were hidden when the job was exported."""
    names = mark.get("hidden")
    return [str(name) for name in names] if isinstance(names, list) else []


def untrusted(directory: JobDirectory, row: JobRow, again: str, *, trusts: bool, given: Mapping[str, str]) -> str:
    """Why what an imported job runs is not run; empty if it may be.

    Args:
        directory: The directory of the job.
        row: The job.
        again: The command that runs it all the same.
        trusts: Whether the user has said that he trusts it.
        given: Variables that the job gets from elsewhere.
    """
    mark = origin(directory)
    if mark is None:
        return ""
    if not trusts:
        return f"it was imported from {source_of(mark)}: its code is somebody else's. If you trust it: {again} --trust"
    if lacking := [name for name in hidden(mark) if name not in given]:
        return (
            f"the values of {', '.join(lacking)} were hidden when it was exported, so it would run without them. "
            "Run its script, which sets them"
        )
    return ""
