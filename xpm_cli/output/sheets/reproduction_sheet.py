"""A job that was run again: what is not pinned, and how the files compare, for people and for programs.

Owns: the lines of `xpm reproduce`, and the fields that programs get (docs/reference/json.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from xpm_cli.output.json_form import SCHEMA
from xpm_cli.output.terminal import Terminal
from xpm_core.reproduction.comparison import MOST_BYTES, Compared, Written
from xpm_core.reproduction.pinning import Note
from xpm_core.reproduction.reported import Parting, Value
from xpm_core.words.text import amount, line, plural

SHOWN = 12
"""How many notes of one kind are shown. `README.md` and `--json` have all."""
LONGEST = 300
SHORT = 60


@dataclass(frozen=True)
class Reproduction:
    """What came of it.

    Attributes:
        identity: The job.
        task: Its class.
        snapshot: The snapshot that was taken; empty for today's code.
        folder: Where it was run.
        notes: What is not pinned.
        exit_code: That of the job now; None if it was not run.
        files: The files then and now; None if they were not compared.
    """

    identity: str
    task: str
    snapshot: str
    folder: Path
    notes: Sequence[Note]
    exit_code: int | None = None
    files: Sequence[Compared] | None = None

    @property
    def equal(self) -> bool | None:
        """Whether all files are equal, and the job has not failed; None if nothing was compared."""
        if self.files is None or not (self.files or self.exit_code):
            return None
        return not self.exit_code and all(each.result == "equal" for each in self.files)


def note_lines(notes: Sequence[Note], terminal: Terminal) -> Iterator[str]:
    """What is not pinned, as messages."""
    counted: dict[str, int] = {}
    for note in notes:
        counted[note.what] = counted.get(note.what, 0) + 1
        if counted[note.what] <= SHOWN:
            yield terminal.entry("not pinned", [line(note.text, LONGEST)])
    for what, count in counted.items():
        if count > SHOWN:
            yield terminal.entry("", [f"{count - SHOWN} more of this kind ({what}): README.md has them"])


def lines(found: Reproduction, terminal: Terminal) -> Iterator[str]:
    """How the files compare."""
    if found.files is None:
        return
    if not found.files:
        yield "The job wrote no file then, and none now: nothing was compared."
        return
    rows = [["FILE", "RESULT", "THEN", "NOW"]]
    rows += [[line(each.path, LONGEST), _result(each), _size(each.then), _size(each.now)] for each in found.files]
    yield from terminal.table(rows)
    equal = sum(each.result == "equal" for each in found.files)
    whole = "all files are equal" if equal == len(found.files) else f"{equal} of them equal"
    yield f"{plural(len(found.files), 'file')}, {whole}"


def document(found: Reproduction) -> dict[str, Any]:
    """The JSON form."""
    files = None if found.files is None else [_file(each) for each in found.files]
    return {
        "schema": SCHEMA,
        "id": found.identity,
        "task": found.task,
        "snapshot": found.snapshot or None,
        "folder": str(found.folder),
        "unpinned": [note._asdict() for note in found.notes],
        "exit_code": found.exit_code,
        "files": files,
        "equal": found.equal,
    }


def _result(each: Compared) -> str:
    found = each.result if each.relative is None else f"differs in numbers, by {each.relative:.2g} at most"
    if each.parting is None:
        large = each.then and each.now and max(each.then.size, each.now.size) > MOST_BYTES
        return f"{found}, too large to say where" if found == "differs" and large else found
    metric, step, then, now = each.parting
    return f"{found}, first {line(metric, SHORT)} at step {step:.15g}: {_value(then)} then, {_value(now)} now"


def _value(value: Value) -> str:
    if value is None:
        return "none"
    return line(value, SHORT) if isinstance(value, str) else f"{value:.15g}"


def _size(written: Written | None) -> str:
    return "-" if written is None else amount(written.size)


def _file(each: Compared) -> dict[str, Any]:
    relative = None if each.relative in (None, float("inf")) else each.relative
    return {
        "path": each.path,
        "result": each.result,
        "then": _content(each.then),
        "now": _content(each.now),
        "relative_difference": relative,
        "first_difference": None if each.parting is None else _place(each.parting),
    }


def _place(parting: Parting) -> dict[str, Any]:
    """Where metrics part. JSON has no nan and no infinity: these are texts."""
    found = parting._asdict()
    return {
        name: str(value) if isinstance(value, float) and not isfinite(value) else value for name, value in found.items()
    }


def _content(written: Written | None) -> dict[str, Any] | None:
    return None if written is None else {"bytes": written.size, "sha256": written.digest}
