"""Whether files beside the code, which a job has read, are what they were.

A job whose reading nobody has seen may have read any file of its snapshot. So each of these that has changed is named.

Owns: this comparison. Each file is read once, and none that is larger than LARGEST.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Literal, NamedTuple

from xpm_core.errors import SnapshotError
from xpm_core.fingerprints.ran import BYTECODE, CODE, OpenedFile, Ran
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Manifest
from xpm_core.snapshot.taking.reading import read_stable

LARGEST = 64 * 1024 * 1024
"""Bytes of a file outside of the snapshot that is read to be compared. Of a larger one, it cannot be told."""

Fate = Literal["same", "changed", "unknown"]

_ABOUT = ("readme", "license", "licence", "changelog", "contributing", "authors", "citation", "makefile", "pyproject.")
"""How the names of files begin that speak about a project. They count if a job was seen to read them."""
_TEXTS = (".md", ".rst", ".ipynb")
"""How they end."""


class Changed(NamedTuple):
    """What has become of all files beside the code that a job has read.

    Attributes:
        files: The paths of those that have changed, sorted.
        why: Why that cannot be told of others, sorted.
    """

    files: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


class Data:
    """The files beside the code, as they are now.

    Args:
        manifest: Today's snapshot.
        roots: For each of its trees, where the root lies.

    Example:
        >>> data.fate(OpenedFile("digits", "rates.csv", "digest", digest))
        'changed'
    """

    def __init__(self, manifest: Manifest, roots: Mapping[str, str]) -> None:
        self._kept = _by_place(manifest)
        self._roots = roots
        self._known: dict[tuple[OpenedFile, str], Fate] = {}
        self._before = lru_cache(maxsize=64)(_by_place)

    def of(self, ran: Ran | None, before: Manifest) -> Changed:
        """What has become of the files that a job has read.

        Args:
            ran: What its process ran; None if nobody has seen that.
            before: The snapshot of the job.
        """
        files = () if ran is None else ran.files
        fates = [(each, self.fate(each, before)) for each in files]
        why = {f"the file {each.path}, which it has read" for each, fate in fates if fate == "unknown"}
        if ran is None or ran.processes:
            why.update(f"the file {path}, which it may have read unseen" for path in self._may_have(files, before))
        if ran is not None and "files" in ran.lacks:
            why.add("it has read more files than are noted")
        return Changed(tuple(sorted({each.path for each, fate in fates if fate == "changed"})), tuple(sorted(why)))

    def _may_have(self, seen: Iterable[OpenedFile], before: Manifest) -> Iterator[str]:
        """The files beside the code that were in the snapshot of a job, and have changed since."""
        known = {each[:2] for each in seen}
        for place, then in self._before(before).items():
            if place in known or place[1].endswith((*CODE, *BYTECODE)) or _is_about(place[1]):
                continue
            now = self._kept.get(place)
            if now is None or type(now) is not type(then) or _content(now) != _content(then):
                yield place[1]

    def fate(self, file: OpenedFile, before: Manifest) -> Fate:
        """What has become of a file.

        Args:
            file: The file as the job has read it.
            before: The snapshot of the job. It says what the job has read if the file was too large to be read again.
        """
        key = file, before.digest if file.state == "large" else ""
        if key not in self._known:
            self._known[key] = self._fate(file, before)
        return self._known[key]

    def now(self, file: OpenedFile) -> OpenedFile:
        """A file as it is now, in the form in which a job that read it now would note it."""
        kept = self._kept.get((file.tree, file.path))
        known = OpenedFile(file.tree, file.path, "unknown", live=file.live)
        if isinstance(kept, KeptFile):
            return known._replace(state="digest", digest=kept.digest)
        if file.tree not in self._roots:
            return known
        if kept is None and not file.live:  # today's copy does not have it
            return known._replace(state="absent")
        path = os.path.realpath(self._path(file))
        try:
            if not os.path.exists(path):
                return known._replace(state="absent")
            about = os.stat(path)
            if about.st_size > LARGEST:
                return known._replace(state="large", size=about.st_size, mtime_ns=about.st_mtime_ns)
            content = read_stable(path, file.path)
        except (OSError, SnapshotError):
            content = None
        return known if content is None else known._replace(state="digest", digest=sha256(content.data).hexdigest())

    def _fate(self, file: OpenedFile, before: Manifest) -> Fate:
        if file.state == "unknown" or file.tree not in self._roots:
            return "unknown"
        now = self._kept.get((file.tree, file.path))
        if file.state == "large":
            return self._large(file, self._before(before).get(file[:2]), now)
        if isinstance(now, KeptFile):
            found: Fate = "same" if file.digest == now.digest else "changed"
        elif now is None and not file.live:  # today's copy does not have it
            found = "same" if file.state == "absent" else "changed"
        else:
            found = self._on_disk(file)
        return "unknown" if found == "changed" and file.path.endswith(CODE) else found

    def _large(self, file: OpenedFile, then: Entry | None, now: Entry | None) -> Fate:
        """A file that was too large to be read again. If no snapshot keeps it, only its size and its time are known."""
        if isinstance(then, KeptFile) and isinstance(now, KeptFile):
            return "same" if then.digest == now.digest else "changed"
        known = (then.size, then.mtime_ns) if isinstance(then, LargeFile) else (file.size, file.mtime_ns)
        try:
            about = os.stat(self._path(file))
        except OSError:
            return "changed"
        if about.st_size != known[0]:
            return "changed"
        return "same" if about.st_mtime_ns == known[1] else "unknown"

    def _on_disk(self, file: OpenedFile) -> Fate:
        """A file that today's snapshot does not keep."""
        path = os.path.realpath(self._path(file))
        try:
            if not os.path.exists(path):
                return "same" if file.state == "absent" else "changed"
            if file.state == "absent":
                return "changed"
            if os.path.getsize(path) > LARGEST:
                return "unknown"
            content = read_stable(path, file.path)
        except (OSError, SnapshotError):
            return "unknown"
        return "same" if content is not None and sha256(content.data).hexdigest() == file.digest else "changed"

    def _path(self, file: OpenedFile) -> str:
        return os.path.join(self._roots[file.tree], file.path)


def _by_place(manifest: Manifest) -> dict[tuple[str, str], Entry]:
    """The entries of a snapshot by their tree and their path."""
    return {(manifest.trees[each.tree], each.path): each for each in manifest.entries}


def _content(entry: Entry) -> tuple[object, ...]:
    """What of an entry is its content."""
    return (entry.digest,) if isinstance(entry, KeptFile) else tuple(entry)[2:]


def _is_about(path: str) -> bool:
    name = os.path.basename(path).lower()
    return name.startswith((".git", *_ABOUT)) or name.endswith(_TEXTS)
