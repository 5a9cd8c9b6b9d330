"""What the file of an experiment holds, after one reading: a digest of each file, and the content of small ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from xpm_core.errors import ExchangeError
from xpm_core.exchange.importing.archive import Archive
from xpm_core.exchange.layout import (
    DOCUMENTS,
    EXPORT,
    FILES,
    FOLDERS,
    JOBS,
    NOT_OURS,
    ExportRecord,
    is_moment,
    is_record,
)
from xpm_core.words.text import amount

PIECE = 1 << 20
MOST_RECORDS = 2 * 10**9
"""Bytes of records that are kept in memory while they are checked."""

_JOB = re.compile(r"(jobs/[a-z0-9_-][a-z0-9._-]*/[0-9a-f]{64})/(.+)", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}")

Tick = Callable[[int], None]
"""Called with the number of bytes that were read since the last call."""


class FileFacts(NamedTuple):
    """A file in the archive.

    Attributes:
        size: Bytes.
        digest: Its SHA-256.
        mode: Its permissions.
        mtime: When it was last changed.
    """

    size: int
    digest: str
    mode: int
    mtime: int


@dataclass
class Contents:
    """What a file holds.

    Attributes:
        archive: The file.
        record: What it says of itself.
        files: All its files, by their names below the folder of the experiment.
        kept: The contents of the small ones.
        jobs: The names of the files of each job, within its directory, by the job's directory.
        size: How large all of it is, bytes.
    """

    archive: Archive
    record: ExportRecord
    files: dict[str, FileFacts] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, list[str]] = field(default_factory=dict)
    size: int = 0

    @property
    def where(self) -> str:
        """The file, as messages name it."""
        return str(self.archive.path)

    def refusal(self, what: str, problem: str, remedy: str = NOT_OURS) -> ExchangeError:
        """The error about a part of the file."""
        return ExchangeError(self.where, f"{what}: {problem}", remedy)


def read_contents(archive: Archive, tick: Tick = lambda size: None) -> Contents:
    """Read a file from its beginning to its end. Nothing is written.

    Raises:
        ExchangeError: It holds what no export holds, or was written by a later xpm.
    """
    found = Contents(archive, ExportRecord("", 0.0))
    records = 0
    for name, member, content in archive.members():
        keeps = _is_small(name)
        records += member.size if keeps else 0
        if records > MOST_RECORDS:
            problem = f"its records have more than {amount(MOST_RECORDS)}"
            raise ExchangeError(found.where, problem, "Export the experiment in parts, or without its failed jobs.")
        _refuse_unknown(found, name)
        digest, pieces = sha256(), []
        while piece := content.read(PIECE):
            digest.update(piece)
            tick(len(piece))
            if keeps:
                pieces.append(piece)
        found.files[name] = FileFacts(member.size, digest.hexdigest(), member.mode & 0o755, _mtime(member.mtime))
        found.size += member.size
        if keeps:
            found.kept[name] = b"".join(pieces)
        if match := _JOB.fullmatch(name):
            found.jobs.setdefault(match[1], []).append(match[2])
    if EXPORT not in found.kept:
        raise ExchangeError(found.where, f"it has no {EXPORT}", "Name a file of xpm export.")
    found.record = ExportRecord.read(found.where, found.kept[EXPORT])
    return found


def _mtime(said: float) -> int:
    """When a file was last changed; 0 if the header says what is no time."""
    return int(said) if is_moment(said) else 0


def _refuse_unknown(found: Contents, name: str) -> None:
    folder, _, rest = name.partition("/")
    if name in FILES:
        return
    known = folder in FOLDERS and bool(rest)
    if folder == "jobs":
        match = _JOB.fullmatch(name)
        known = match is not None and (not _in_records(match[2]) or is_record(match[2]))
    elif folder == "documents":
        kind, _, digest = rest.partition("/")
        known = kind in DOCUMENTS and _DIGEST.fullmatch(digest) is not None
    elif folder in ("parts", "arguments"):
        known = _DIGEST.fullmatch(rest) is not None
    if not known:
        raise found.refusal(repr(name[:200]), "no export has such a file")


def _in_records(name: str) -> bool:
    """Whether a file lies among the records, also on a file system that takes capitals for small letters."""
    return name.partition("/")[0].casefold() == ".xpm"


def _is_small(name: str) -> bool:
    """Whether the content of a file is needed for the checks."""
    if name in (EXPORT, JOBS) or name.startswith(("documents/", "parts/", "arguments/")):
        return True
    match = _JOB.fullmatch(name)
    return match is not None and (match[2] == "params.json" or _in_records(match[2]))
