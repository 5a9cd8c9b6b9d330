"""What the directory of a done job says of its code: the snapshot, what its process ran, and from where it imported.

What the job could reach is in no document. It follows from the snapshot and from the classes in the job's payload,
and both are kept: so no submission waits for it, and a better walk of a later xpm holds for old jobs, too.

Owns: reading this. No class is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from xpm_core.errors import PayloadError, SnapshotError
from xpm_core.fingerprints.project import Folders
from xpm_core.project.import_path import ImportPath
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


class Packages(NamedTuple):
    """Installed packages.

    Attributes:
        document: The list of them, 64 hexadecimal digits; empty if it is not known.
        python: The version of Python, such as 3.12.4; empty if it is not known.
    """

    document: str = ""
    python: str = ""


class Then(NamedTuple):
    """The code of a job, as its directory names it. Jobs with equal ones have the same verdict.

    Attributes:
        snapshot: The snapshot, 64 hexadecimal digits.
        ran: The document of what its process ran; empty if there is none.
        folders: The folders of the snapshot from which it imported.
        taken: The modules of the standard library in place of which it had a file of the project.
        classes: Its class and those of its configurations, as far as they are in the snapshot.
        packages: Those with which it ran.
        given: The packages of the script that submitted it.
        earlier: The earlier attempts, if the job continues what they have left in its directory. A part of the result
            is theirs.

    Example:
        >>> then_of(directory, "train:Train", provenances(store))
        Then(snapshot='8c1f2e0…', ran='5d20b11…', classes=(('digits', 'train.py', 'Train'),), …)
    """

    snapshot: str
    ran: str
    folders: tuple[tuple[str, str], ...]
    taken: frozenset[str]
    classes: tuple[Place, ...]
    packages: Packages = Packages()
    given: Packages = Packages()
    earlier: tuple[Then, ...] = ()


def then_of(
    directory: JobDirectory,
    task: str,
    provenance_of: Callable[[str], Provenance],
    execution: str = "",
    accepted: Mapping[str, str] | None = None,
) -> Then | str:
    """The code of a done job; or why it is not known, as the end of "cannot tell: ".

    Args:
        directory: The job's directory.
        task: The name of its class in identities, `train:Train`.
        provenance_of: Returns the provenance of a digest, see `provenances`; many jobs share one.
        execution: The execution that counts, if that is known. Without it, or its record, the job's marker is read.
        accepted: Code in place of its own, see `Acceptance.code`.
    """
    record = directory.record(execution) if execution else None
    if record is None and (marker := directory.marker()) is not None:
        record = directory.record(marker.execution)
    if record is None:
        return "there is no record of how it ran"
    if not _text(accepted or record.get("code"), "snapshot"):
        return "it ran with live code, which is not kept"
    kept = directory.kept(task)
    if kept is None:
        return "its directory does not say what it ran, or only another user can read that"
    try:
        content = opened(kept.spec.payload)
        path = import_path_in(content, UNMOVED)
        files = {(each["file"] or "", each["name"]) for each in _classes(content, directory.workspace)}

        def attempt(record: Mapping[str, Any]) -> Then:
            code = accepted or record.get("code")
            provenance = provenance_of(_text(code, "provenance"))
            roots = provenance.roots
            folders, taken = _folders(tuple(path.folders), tuple(path.standard.items()), tuple(roots.items()))
            places = sorted({place for each in files if (place := _place(*each, roots)) is not None})
            packages = Packages(_text(record, "packages"), _text(record, "python"))
            given = Packages(provenance.packages, provenance.python)
            snapshot, ran = _text(code, "snapshot"), _text(record, "ran")
            return Then(snapshot, ran, folders, taken, tuple(places), packages, given)

        last = attempt(record)
        if not kept.spec.options.resumable:
            return last
        before = _before(directory.records(), record)
        if not all(_text(accepted or each.get("code"), "snapshot") for each in before):
            return "an earlier attempt, which it continues, ran with live code, or has no record that can be read"
        return last._replace(earlier=tuple(sorted({*map(attempt, before)} - {last})))
    except (SnapshotError, PayloadError, *_FORMS):
        return "the description of its submission is gone, or damaged"


def _before(records: Iterable[Mapping[str, Any]], last: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records of the attempts before one. An attempt that has left none is taken for one of which nothing was seen.

    A worker that was killed with its job writes no record, so its number is missing.
    """
    known = {each["number"]: each for each in records}
    nobody_saw = {"code": last.get("code")}
    return [known.get(number, nobody_saw) for number in range(1, last["number"])]


def provenances(store: CodeStore) -> Callable[[str], Provenance]:
    """A function that reads the provenance of a digest. Each one is read once.

    It raises SnapshotError if the document is missing, or malformed.
    """
    return lru_cache(maxsize=64)(lambda digest: Provenance.read(store.get("provenance", digest)))


def _text(fields: Any, name: str) -> str:
    found = fields.get(name) if isinstance(fields, dict) else None
    return found if isinstance(found, str) else ""


@lru_cache(maxsize=64)
def _folders(
    folders: tuple[str, ...], standard: tuple[tuple[str, bool], ...], roots: tuple[tuple[str, str], ...]
) -> tuple[tuple[tuple[str, str], ...], frozenset[str]]:
    """The folders of an import path, and which modules of the standard library they replace. Many jobs share them."""
    found = Folders.of(ImportPath(list(folders), dict(standard)), dict(roots))
    return tuple(found.folders), found.taken


def _classes(content: dict[str, Any], workspace: Path) -> Iterator[dict[str, Any]]:
    """The records of the classes of a payload and of its parts."""
    waiting, seen = [content], set[bytes]()
    while waiting:
        each = waiting.pop()
        yield from each["classes"]
        for digest, _ in each.get("imports", ()):
            if digest not in seen:
                seen.add(digest)
                waiting.append(opened(Parts(workspace).get(digest)))


def _place(file: str, name: str, roots: Mapping[str, str]) -> Place | None:
    """Where the class of a record stands in the snapshot; None if it is installed, or built in."""
    above = [root for root in roots if file.startswith(f"{root.rstrip('/')}/")]
    if not above:
        return None
    best = max(above, key=len)
    tree, _, path = f"{roots[best]}{file[len(best.rstrip('/')) :]}".partition("/")
    return tree, path, name
