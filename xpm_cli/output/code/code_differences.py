"""How the code of two jobs differs: their files, line by line, and their packages.

Owns: what is compared, what is said where nothing can be compared, and how much is shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from xpm_cli.lookup.code.job_code import JobCode
from xpm_cli.output.terminal import Terminal
from xpm_core.labels import short
from xpm_core.snapshot.comparison import Differing, differing
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Link
from xpm_core.store.replies import shown
from xpm_core.words.text import plural

MOST_FILES = 100
"""Files whose lines are compared; the others are named."""
MOST_LINES = 1000
"""Lines that are shown of the differences of one file."""
LARGEST = 10**6
"""Bytes of a file up to which its lines are compared."""


class CodeSide(NamedTuple):
    """One of the two that are compared.

    Attributes:
        title: How people name it.
        code: Its code; None if it is no job.
    """

    title: str
    code: JobCode | None


@dataclass(frozen=True)
class CodeDifference:
    """The difference of the code of two jobs."""

    first: CodeSide
    second: CodeSide

    @property
    def hints(self) -> list[str]:
        """What differs, in a few words each, as far as the digests say it: `code` and `packages`."""
        ours, theirs = self.first.code, self.second.code
        if ours is None or theirs is None:
            return []
        differ_in = [*(["code"] if ours.known and theirs.known and ours.snapshot != theirs.snapshot else [])]
        both = ours.packages_digest and theirs.packages_digest
        return [*differ_in, *(["packages"] if both and ours.packages_digest != theirs.packages_digest else [])]

    @property
    def _comparable(self) -> tuple[JobCode, JobCode] | None:
        """The code of both, if both have a snapshot."""
        ours, theirs = self.first.code, self.second.code
        return (ours, theirs) if ours and theirs and ours.snapshot and theirs.snapshot else None

    @cached_property
    def files(self) -> list[Differing] | None:
        """The files that differ; None if one of the two has no snapshot.

        Raises:
            SnapshotError: The list of the files is missing, or was changed.
        """
        both = self._comparable
        if both is None:
            return None
        return [] if both[0].snapshot == both[1].snapshot else differing(both[0].manifest, both[1].manifest)

    @property
    def packages(self) -> list[tuple[str, str, str]] | None:
        """The packages that differ, with the version of each side, empty if it lacks it; None if one is not known."""
        ours, theirs = self.first.code, self.second.code
        if not (ours and theirs and ours.packages and theirs.packages):
            return None
        known, other = _versions(ours), _versions(theirs)
        names = sorted(known.keys() | other.keys())
        return [(n, known.get(n, ""), other.get(n, "")) for n in names if known.get(n) != other.get(n)]

    @property
    def unknown(self) -> list[str]:
        """Why the files cannot be compared: a sentence for each of the two that has no snapshot."""
        return [_unknown(side) for side in (self.first, self.second) if not (side.code and side.code.snapshot)]

    # -- for people ------------------------------------------------------------------------------------------------

    def lines(self, terminal: Terminal) -> Iterator[str]:
        """The lines to print.

        Raises:
            SnapshotError: A file of a snapshot is missing, or was changed.
        """
        files, packages = self.files, self.packages
        if files is None:
            yield from self.unknown
        elif files:
            yield f"{plural(len(files), 'file')} {'differs' if len(files) == 1 else 'differ'}"
        else:
            yield "the same files"
        if packages is None:
            yield "the packages of both are not known, so they are not compared"
        elif packages:
            rows = [["PACKAGE", self.first.title, self.second.title]]
            yield from terminal.table([*rows, *([name, a or "-", b or "-"] for name, a, b in packages)])
        else:
            yield "the same packages"
        for number, each in enumerate(files or ()):
            for written in self.of_file(each, with_lines=number < MOST_FILES):
                yield written if terminal.width is None else str(shown(written))

    def of_file(self, each: Differing, *, with_lines: bool = True) -> Iterator[str]:
        """How a file differs: its lines as `diff -u` writes them, or what it is if it has none to compare.

        Raises:
            SnapshotError: Its content is missing, or was changed.
        """
        both = self._comparable
        assert both is not None
        texts = [_text(code, entry) for code, entry in zip(both, each[1:], strict=True)] if with_lines else [None]
        if None in texts:
            yield f"{each.path}: {each.change}: {_what(each.first)} -> {_what(each.second)}"
            return
        if (mode := _mode(each)) is not None:
            yield f"{each.path}: {mode}"
        before = f"a/{each.path}" if each.first is not None else "/dev/null"
        after = f"b/{each.path}" if each.second is not None else "/dev/null"
        ours, theirs = (_lines_of(text or "") for text in texts)
        for count, written in enumerate(difflib.unified_diff(ours, theirs, before, after, lineterm="")):
            if count == MOST_LINES:
                yield f"({MOST_LINES} lines of {each.path} are shown, there are more)"
                return
            yield written

    # -- for programs ----------------------------------------------------------------------------------------------

    def as_data(self, *, whole: bool) -> dict[str, Any]:
        """The JSON form; with the files and the packages if `whole`."""
        ours, theirs = (side.code.snapshot if side.code else "" for side in (self.first, self.second))
        code = {"first": ours or None, "second": theirs or None, "same": ours == theirs if ours and theirs else None}
        if not whole:
            return {"code": code}
        packages = self.packages
        files = None if self.files is None else [self._file_data(n, each) for n, each in enumerate(self.files)]
        return {
            "code": code,
            "files": files,
            "packages": None
            if packages is None
            else [{"name": name, "first": a or None, "second": b or None} for name, a, b in packages],
        }

    def _file_data(self, number: int, each: Differing) -> dict[str, Any]:
        written = self.of_file(each, with_lines=number < MOST_FILES)
        return {"path": each.path, "change": each.change, "diff": "".join(f"{line}\n" for line in written)}


def _unknown(side: CodeSide) -> str:
    if side.code is None:
        return f"{side.title} is no job: there is no code of it to compare"
    if side.code.known:
        return f"{side.title} runs live code, which is not kept: its files cannot be compared"
    return f"{side.title}: it is not known which code it ran, because its worker was of an earlier version"


def _versions(code: JobCode) -> dict[str, str]:
    """What to compare of each package, and of Python: the version, and the digest of one that comes from a folder."""
    found = dict(code.versions)
    sources = code.packages.get("sources")
    for name, source in sources.items() if isinstance(sources, dict) else ():
        digest = source.get("digest") if isinstance(source, dict) else None
        if digest and name in found:
            found[name] = f"{found[name]} (files {short(str(digest))})"
    return {"python": str(code.packages.get("python", "")), **found}


def _text(code: JobCode, entry: Entry | None) -> str | None:
    """The text of a file; empty for one that is not there, None for one that has no lines to compare."""
    if entry is None:
        return ""
    if not isinstance(entry, KeptFile) or entry.size > LARGEST:
        return None
    data = code.content(entry.digest)
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def _lines_of(text: str) -> list[str]:
    """The lines of a text. A last line without its end differs from the same line with one."""
    lines = text.split("\n")
    return lines[:-1] if not lines[-1] else [*lines[:-1], f"{lines[-1]}\n\\ No newline at end of file"]


def _what(entry: Entry | None) -> str:
    """What a file is that has no lines to compare."""
    if entry is None:
        return "none"
    if isinstance(entry, KeptFile):
        return f"{entry.size} bytes, {short(entry.digest)}"
    if isinstance(entry, LargeFile):
        return f"large file of {entry.size} bytes, not kept"
    assert isinstance(entry, Link)
    return f"link to {entry.target}"


def _mode(each: Differing) -> str | None:
    """The modes of a file, if they differ."""
    first, second = each.first, each.second
    if not isinstance(first, KeptFile) or not isinstance(second, KeptFile) or first.mode == second.mode:
        return None
    return f"mode {first.mode:o} -> {second.mode:o}"
