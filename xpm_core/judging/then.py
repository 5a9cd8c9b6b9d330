"""What the directory of a done job says of its code: the snapshot, what its process ran, and from where it imported.

What the job could reach is in no document. It follows from the snapshot and from the classes in the job's payload,
and both are kept: so no submission waits for it, and a better walk of a later xpm holds for old jobs, too.

Owns: reading this. No class is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from xpm_core.errors import PayloadError, SnapshotError
from xpm_core.fingerprints.project import Folders
from xpm_core.project.moved_code import UNMOVED
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Provenance
from xpm_core.wire.restorer import import_path_in
from xpm_core.wire.unpacker import opened
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.payload_parts import Parts

Place = tuple[str, str, str]
"""Where a class stands: the name of its tree, the path of its file, its qualified name."""

_FORMS = (AttributeError, KeyError, TypeError, ValueError)


class Then(NamedTuple):
    """The code of a job, as its directory names it. Jobs with equal ones have the same verdict.

    Attributes:
        snapshot: The snapshot, 64 hexadecimal digits.
        ran: The document of what its process ran; empty if there is none.
        folders: The folders of the snapshot from which it imported.
        taken: The modules of the standard library in place of which it had a file of the project.
        classes: Its class and those of its configurations, as far as they are in the snapshot.

    Example:
        >>> then_of(directory, "train:Train", partial(roots_in, store))
        Then(snapshot='8c1f2e0…', ran='5d20b11…', classes=(('digits', 'train.py', 'Train'),), …)
    """

    snapshot: str
    ran: str
    folders: tuple[tuple[str, str], ...]
    taken: frozenset[str]
    classes: tuple[Place, ...]


def then_of(
    directory: JobDirectory,
    task: str,
    roots_by: Callable[[str], Mapping[str, str]],
    accepted: Mapping[str, str] | None = None,
) -> Then | str:
    """The code of a done job; or why it is not known, as the end of "cannot tell: ".

    Args:
        directory: The job's directory.
        task: The name of its class in identities, `train:Train`.
        roots_by: Returns the roots that a provenance names, see `roots_in`; many jobs share one.
        accepted: Code in place of its own, see `Acceptance.code`.
    """
    marker = directory.marker()
    record = directory.record(marker.execution) if marker is not None else None
    if record is None:
        return "there is no record of how it ran"
    code = accepted or record.get("code")
    snapshot, provenance = (_digest(code, name) for name in ("snapshot", "provenance"))
    if not snapshot:
        return "it ran with live code, which is not kept"
    kept = directory.kept(task)
    if kept is None:
        return "its directory does not say what it ran, or only another user can read that"
    try:
        roots = roots_by(provenance)
        content = opened(kept.spec.payload)
        path = import_path_in(content, UNMOVED)
        records = list(_classes(content, Parts(directory.workspace), set()))
    except (SnapshotError, PayloadError, *_FORMS):
        return "the description of its submission is gone, or damaged"
    folders = Folders.of(path, roots)
    places = sorted({place for each in records if (place := _place(each, roots)) is not None})
    return Then(snapshot, _digest(record, "ran"), tuple(folders.folders), folders.taken, tuple(places))


def roots_in(store: CodeStore, provenance: str) -> dict[str, str]:
    """The roots that a provenance names, see `Provenance.roots`.

    Raises:
        SnapshotError: The document is missing, or malformed.
    """
    return Provenance.read(store.get("provenance", provenance)).roots


def _digest(fields: Any, name: str) -> str:
    found = fields.get(name) if isinstance(fields, dict) else None
    return found if isinstance(found, str) else ""


def _classes(content: dict[str, Any], parts: Parts, seen: set[bytes]) -> Iterator[dict[str, Any]]:
    """The records of the classes of a payload and of its parts."""
    waiting = [content]
    while waiting:
        each = waiting.pop()
        yield from each["classes"]
        for digest, _ in each.get("imports", ()):
            if digest not in seen:
                seen.add(digest)
                waiting.append(opened(parts.get(digest)))


def _place(record: dict[str, Any], roots: Mapping[str, str]) -> Place | None:
    """Where the class of a record stands in the snapshot; None if it is installed, or built in."""
    file = record["file"] or ""
    above = [root for root in roots if file.startswith(f"{root.rstrip('/')}/")]
    if not above:
        return None
    best = max(above, key=len)
    tree, _, path = f"{roots[best]}{file[len(best.rstrip('/')) :]}".partition("/")
    return tree, path, record["name"]
