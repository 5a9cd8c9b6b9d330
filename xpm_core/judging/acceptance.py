"""Acceptances: somebody has said that the result of a job still stands with the code and the data of that moment.

They stand in the job's directory, in `.xpm/accepted.jsonl`, an object of JSON a line:

    version      1
    execution    the execution whose result was accepted; after another one, the acceptance holds no more
    snapshot     the accepted code
    provenance   how that came to be taken
    files        the files that the job has read and that had changed, as they were then (`OpenedFile.written`)
    why, who, host, accepted_s
    file         the name of the file with which `xpm import` has brought it; empty for one of this workspace

A line is only ever added, so earlier acceptances stay. A line that was cut, as by a power cut, counts as missing.

Owns: this form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from xpm_core.fingerprints.ran import MOST_FILES, OpenedFile, Ran, opened_file
from xpm_core.workspace.files import append_line
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import ACCEPTED, EXECUTION, object_in, read_whole

VERSION = 1
LONGEST_WHY = 1000
"""Characters of a reason."""
_LONGEST = 1000
_LATEST_S = 10**10
"""Epoch seconds. A later time is none."""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Acceptance:
    """Somebody has accepted the result of a job.

    Attributes:
        execution: The execution that had the result.
        snapshot: The accepted code, 64 hexadecimal digits.
        provenance: How that came to be taken, 64 hexadecimal digits.
        why: Why the result still stands.
        who: Who has said so.
        host: On which machine.
        accepted_s: When, epoch seconds.
        files: The files that the job has read and that were not the same any more, as they were then.
        file: The name of the file with which it was imported; empty if it was made in this workspace.

    Example:
        >>> add(directory, Acceptance("e1", code.snapshot, code.provenance, "only logging", "ana", "head", time.time()))
        >>> [each.why for each in standing(directory)]
        ['only logging']
    """

    execution: str
    snapshot: str
    provenance: str
    why: str
    who: str
    host: str
    accepted_s: float
    files: tuple[OpenedFile, ...] = ()
    file: str = ""

    @property
    def code(self) -> Mapping[str, str]:
        """The accepted code, as the record of an execution names code."""
        return {"snapshot": self.snapshot, "provenance": self.provenance}

    @property
    def written(self) -> str:
        """Its line."""
        return json.dumps({"version": VERSION, **asdict(self), "files": [each.written for each in self.files]})

    @classmethod
    def read(cls, line: bytes) -> Acceptance | None:
        """Read what `written` made; None if it was cut or changed, or was written by a later xpm."""
        fields = object_in(line)
        try:
            if fields.pop("version") != VERSION:
                return None
            files = tuple(opened_file(*each) for each in fields.pop("files"))
            found = cls(**{name: fields[name] for name in cls.__dataclass_fields__ if name != "files"}, files=files)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        return found if found._is_sound() else None

    def after(self, ran: Ran) -> Ran:
        """What a job ran and read, with the accepted files in place of those that it has read."""
        now = {(each.tree, each.path, each.live): each for each in self.files}
        return replace(ran, files=tuple(now.get((each.tree, each.path, each.live), each) for each in ran.files))

    def _is_sound(self) -> bool:
        digests = (self.snapshot, self.provenance)
        texts = (self.why, self.who, self.host, self.file)
        return (
            isinstance(self.execution, str)
            and EXECUTION.fullmatch(self.execution) is not None
            and all(isinstance(each, str) and len(each) == 64 and not set(each) - _HEX for each in digests)
            and all(isinstance(each, str) and len(each) <= _LONGEST for each in texts)
            and type(self.accepted_s) in (int, float)
            and 0 <= self.accepted_s < _LATEST_S
            and len(self.files) <= MOST_FILES
        )


def content_of(acceptances: Iterable[Acceptance]) -> bytes:
    """The content of the file that has these."""
    return "".join(f"{each.written}\n" for each in acceptances).encode()


def acceptances(folder: Path) -> list[Acceptance]:
    """All that was accepted of a job and its earlier executions, in order. What cannot be read is passed over.

    Args:
        folder: The folder `.xpm` of the job.
    """
    try:
        lines = read_whole(f"{folder}/{ACCEPTED}").split(b"\n")
    except OSError:  # nearly always because there is none; without it, nothing is accepted
        return []
    return [found for line in lines if (found := Acceptance.read(line)) is not None]


def standing(directory: JobDirectory) -> list[Acceptance]:
    """What was accepted of the result that the job has now, the newest first."""
    found = acceptances(directory.path / ".xpm")
    marker = directory.marker() if found else None
    if marker is None or marker.kind != "done":
        return []
    return [each for each in reversed(found) if each.execution == marker.execution]


def add(directory: JobDirectory, acceptance: Acceptance) -> None:
    """Write an acceptance. It is on the disk before this returns.

    Raises:
        WorkspaceError: It cannot be written, or the directory is gone.
    """
    append_line(f"{directory.path}/.xpm/{ACCEPTED}", acceptance.written)
