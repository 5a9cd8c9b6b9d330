"""Whether files beside the code, which a job has read, are what they were.

Owns: this comparison. Each file is read once, and none that is larger than LARGEST.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

from xpm_core.errors import SnapshotError
from xpm_core.fingerprints.ran import OpenedFile, Ran
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Manifest
from xpm_core.snapshot.taking.reading import read_stable

LARGEST = 64 * 1024 * 1024
"""Bytes of a file outside of the snapshot that is read to be compared. Of a larger one, it cannot be told."""

Fate = Literal["same", "changed", "unknown"]


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
        self._kept = {_place(each, manifest): each for each in manifest.entries}
        self._roots = roots
        self._known: dict[OpenedFile, Fate] = {}

    def of(self, ran: Ran, before: Manifest) -> tuple[tuple[str, ...], list[str]]:
        """What has become of the files that a job has read.

        Args:
            ran: What it ran.
            before: Its snapshot.

        Returns:
            The paths of those that have changed, sorted; and why it cannot be told of others.
        """
        fates = [(each.path, self.fate(each, before)) for each in ran.files]
        unknown = [f"the file {path}, which it has read" for path, fate in fates if fate == "unknown"]
        if "files" in ran.lacks:
            unknown.append("it has read more files than are noted")
        return tuple(sorted({path for path, fate in fates if fate == "changed"})), sorted(set(unknown))

    def fate(self, file: OpenedFile, before: Manifest) -> Fate:
        """What has become of a file.

        Args:
            file: The file as the job has read it.
            before: The snapshot of the job. It says what the job has read if the file was too large to be read again.
        """
        if file not in self._known:
            self._known[file] = self._fate(file, before)
        return self._known[file]

    def now(self, file: OpenedFile) -> OpenedFile:
        """A file as it is now, in the form in which a job that read it now would note it."""
        kept, place = self._kept.get((file.tree, file.path)), file[:2]
        if isinstance(kept, KeptFile):
            return OpenedFile(*place, "digest", kept.digest)
        if file.tree not in self._roots:
            return OpenedFile(*place, "unknown")
        path = os.path.realpath(self._path(file))
        try:
            if not os.path.exists(path):
                return OpenedFile(*place, "absent")
            about = os.stat(path)
            if about.st_size > LARGEST:
                return OpenedFile(*place, "large", "", about.st_size, about.st_mtime_ns)
            content = read_stable(path, file.path)
        except (OSError, SnapshotError):
            content = None
        if content is None:
            return OpenedFile(*place, "unknown")
        return OpenedFile(*place, "digest", sha256(content.data).hexdigest())

    def _fate(self, file: OpenedFile, before: Manifest) -> Fate:
        if file.state == "unknown" or file.tree not in self._roots:
            return "unknown"
        now = self._kept.get((file.tree, file.path))
        if file.state == "large":
            return self._large(file, next((e for e in before.entries if _place(e, before) == file[:2]), None), now)
        if isinstance(now, KeptFile):
            return "same" if file.digest == now.digest else "changed"
        return self._on_disk(file)

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


def _place(entry: Entry, manifest: Manifest) -> tuple[str, str]:
    return manifest.trees[entry.tree], entry.path
