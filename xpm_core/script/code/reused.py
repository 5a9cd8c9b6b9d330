"""Results that a run reuses, and that other code has made than the run submits.

Owns: finding them in the index, when the run ends, and the words for them. Only runs with a snapshot ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from xpm_core.errors import XpmError
from xpm_core.index.entries import code_name
from xpm_core.index.merged import MergedIndex
from xpm_core.labels import LIVE, short
from xpm_core.script.code.fates import named
from xpm_core.words.text import plural

MOST = 3
"""How many codes are named, those of the most jobs."""


def reused_lines(
    workspace: Path, reused: Collection[str], today: str, changed: Callable[[str], Sequence[str] | None]
) -> list[str]:
    """Lines for the report of the run: how many results other code has made, and in which files it differs.

    Args:
        workspace: The workspace.
        reused: The jobs that were done before.
        today: The snapshot that the run submits last; empty for live code, of which nothing can be said.
        changed: Returns the files in which a snapshot differs from today's; None if that cannot be said.

    Example:
        >>> reused_lines(workspace.path, reused, snapshot, code.changed)
        ["note    2 reused jobs ran with code 269ceeb, which differs from today's in 1 file (rates.py)"]
    """
    if not reused or not today:
        return []
    try:
        entries = MergedIndex(workspace).read()
    except XpmError:  # the report is worth more than this note
        return []
    ends = [entry.end for identity in reused if (entry := entries.get(identity)) is not None]
    codes = Counter(end.code for end in ends if end is not None and end.code not in ("", code_name(today)))
    found = [line for code, count in codes.most_common() if (line := _line(workspace, code, count, changed))]
    more = [f"        and with {plural(len(found) - MOST, 'other code')}"] if len(found) > MOST else []
    return [*found[:MOST], *more]


def _line(workspace: Path, code: str, count: int, changed: Callable[[str], Sequence[str] | None]) -> str:
    """What is said of the jobs of a code; empty if it has the same files as today's."""
    jobs = plural(count, "reused job")
    if code == LIVE:
        return f"note    {jobs} ran with live code, which is not kept"
    digests = [path.name for path in (workspace / "code" / "snapshots").glob(f"{code}*")]
    files = changed(digests[0]) if len(digests) == 1 else None
    if files is None:
        return f"note    {jobs} ran with code {short(code)}"
    return f"note    {jobs} ran with code {short(code)}, which differs from today's in {named(files)}" if files else ""
