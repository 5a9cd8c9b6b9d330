"""What of the code of a job has changed since it ran: the diff of just those definitions, in groups.

Owns: the order, the words, and how much is shown.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import click

from xpm_cli.lookup.code.job_code import JobCode
from xpm_cli.output.terminal import Terminal
from xpm_core.fingerprints.comparison import Change
from xpm_core.fingerprints.source.lines import SourceLines
from xpm_core.fingerprints.source.pieces import MODULE
from xpm_core.judging.acceptance import standing
from xpm_core.judging.since import Since, since
from xpm_core.snapshot.facts.packages import packages_document
from xpm_core.store.replies import shown
from xpm_core.words.text import plural
from xpm_core.workspace.job_directory import JobDirectory

MOST_LINES = 1000
"""Lines that are shown of the difference of one definition."""
MOST_PACKAGES = 30
"""Packages that are listed."""
CONTEXT = 3
"""Lines that are shown before and behind those that differ."""

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


class Told(NamedTuple):
    """A definition that has changed, as people are told it.

    Attributes:
        change: The change.
        place: Where it is now, or where it was if it is gone: `mlp.py:14 MLP.forward`.
        note: What has become of it, if its lines do not say so; else empty.
        lines: How its lines differ, as `diff -u` writes it, without the names of the files.
    """

    change: Change
    place: str
    note: str
    lines: Sequence[str]


@dataclass(frozen=True)
class CodeSince:
    """What has changed since a job ran.

    Args:
        title: How people name the job.
        since: What has changed.
        then: The versions of the packages that it ran with, and of Python; empty if they are not known.
        here: Those of this environment.
        accepted: Why its result was accepted with later code; empty if it was not.
        trees: How many trees the snapshot has. With several, a place begins with the name of its tree.
    """

    title: str
    since: Since
    then: Mapping[str, str]
    here: Mapping[str, str]
    accepted: str = ""
    trees: int = 1

    @cached_property
    def groups(self) -> list[tuple[str, list[Told]]]:
        """The changes in their groups: what ran, what never ran, and what may have run unseen.

        Raises:
            SnapshotError: A file cannot be read.
        """
        parts = self.since.parts
        groups = (("ran", parts.ran), ("never_ran", parts.never), ("unsure", parts.unsure))
        return [(name, list(self._told(changes))) for name, changes in groups]

    @property
    def packages(self) -> list[tuple[str, str, str]] | None:
        """The packages that differ, with the version of then and the one of here; None if those of then are unknown."""
        if not self.then:
            return None
        names = sorted(self.then.keys() | self.here.keys())
        pairs = [(name, self.then.get(name, ""), self.here.get(name, "")) for name in names]
        return [each for each in pairs if each[1] != each[2]]

    # -- for people ------------------------------------------------------------------------------------------------

    def lines(self, terminal: Terminal) -> Iterator[str]:
        """The lines to print, in colours.

        Raises:
            SnapshotError: A file cannot be read.
        """
        for text in self._lines(terminal):
            safe = text if terminal.width is None else str(shown(text))
            yield _coloured(safe)

    def _lines(self, terminal: Terminal) -> Iterator[str]:
        since, heads = self.since, dict(_HEADS)
        yield f"{self.title}: {self._sum()}"
        if self.accepted:
            yield f"its result was accepted with later code: {self.accepted}"
        if since.lacks and since.parts.ran:
            heads["ran"] = _WITHOUT[since.lacks]
        for name, group in self.groups:
            if group:
                yield from ("", f"{heads[name]} ({len(group)})")
                for each in group:
                    yield " ".join(filter(None, [each.place, each.note and f"({each.note})"]))
                    yield from each.lines
        if since.why:
            yield from ("", f"cannot be told ({len(since.why)})", *since.why)
        if since.files:
            yield from ("", f"it read these files, and they changed ({len(since.files)})", *since.files)
        if packages := self.packages:
            yield from ("", f"other packages in the environment of this xpm ({len(packages)})")
            rows = [["PACKAGE", "THEN", "HERE"], *([name, a or "-", b or "-"] for name, a, b in packages)]
            yield from terminal.table(rows[: MOST_PACKAGES + 1])
            if len(packages) > MOST_PACKAGES:
                yield f"and {len(packages) - MOST_PACKAGES} more, see --json"

    def _sum(self) -> str:
        """What has become of its code, in a few words."""
        parts, files = self.since.parts, self.since.files
        what = [
            *([plural(len(parts.ran), "definition")] if parts.ran else []),
            *([plural(len(files), "file") + " that it read"] if files else []),
        ]
        if what:
            return f"{' and '.join(what)} changed since it ran"
        answer = self.since.answer
        return {"same": "the same code", "reached": "all that it ran is the same"}.get(answer, "it cannot be told")

    # -- for programs ----------------------------------------------------------------------------------------------

    def as_data(self) -> dict[str, Any]:
        """The fields of the JSON form.

        Raises:
            SnapshotError: A file cannot be read.
        """
        packages = self.packages
        return {
            "snapshot": self.since.snapshot or None,
            "answer": self.since.answer,
            "accepted": self.accepted or None,
            "unrecorded": self.since.lacks or None,
            **{name: [_as_data(each) for each in group] for name, group in self.groups},
            "unknown": list(self.since.why),
            "files": list(self.since.files),
            "packages": None
            if packages is None
            else [{"name": name, "then": a or None, "here": b or None} for name, a, b in packages],
        }

    # -- the definitions -------------------------------------------------------------------------------------------

    def _told(self, changes: Sequence[Change]) -> Iterator[Told]:
        """The changes of a group, file by file, in the order of their lines. The code of a module is the last."""
        of = self.since.comparisons
        files: dict[tuple[str, str, int], list[Change]] = {}
        for each in changes:
            files.setdefault((each.tree, each.path, id(of[each])), []).append(each)
        for (tree, path, _), group in files.items():
            start = f"{tree}/{path}" if self.trees > 1 else path
            sides = _Sides(*of[group[0]].contents(group[0]), frozenset(each.name for each in group))
            for each in sorted(group, key=lambda each: (each.name == MODULE, each.line, each.name)):
                lines, note = sides.told(each)
                yield Told(each, f"{start}:{each.line} {each.name}", note, lines)


_HEADS = (
    ("ran", "changed, and it ran"),
    ("never_ran", "changed, but it never ran"),
    ("unsure", "changed, and its processes may have run it unseen"),
)


_WITHOUT = {
    "functions": "changed, in modules that it imported; which functions it ran is not recorded",
    "all": "changed, and it could run it; what it ran is not recorded",
}


class _Sides:
    """A file as it was and as it is, and what was shown of it.

    Args:
        before: Its content then; None if there was none.
        now: Its content now; None if there is none.
        names: The definitions that are shown.
    """

    def __init__(self, before: bytes | None, now: bytes | None, names: frozenset[str]) -> None:
        self._before, self._now = SourceLines(before or b""), SourceLines(now or b"")
        self._was, self._is = before is not None, now is not None
        self._names, self._shown = names, set[tuple[tuple[int, ...], tuple[int, ...]]]()

    def told(self, change: Change) -> tuple[list[str], str]:
        """How the lines of a definition differ, and what has become of it."""
        lines = self._differences(*self._places(change.name))
        if change.what == "gone":
            return lines, "the file is gone" if not self._is else "is gone"
        if change.what == "loaded":
            return ([], "is imported now") if self._is else ([], "is gone, and is not imported any more")
        if change.what == "meaning" or not lines:
            imports = self._differences(self._before.imports, self._now.imports)
            note = "a name in it means something else now" if change.what == "meaning" else _SAME_LINES
            return [*lines, *imports], note
        return lines, ""

    def _places(self, name: str) -> tuple[list[int], list[int]]:
        """The lines of a definition on both sides, without those that stand elsewhere in the list."""
        if name == MODULE:
            others = self._names - {MODULE}
        else:
            both = {*self._before.names} & {*self._now.names}
            others = frozenset(each for each in both | self._names if each.startswith(f"{name}."))
        return self._before.of(name, others), self._now.of(name, others)

    def _differences(self, before: list[int], now: list[int]) -> list[str]:
        """How lines differ; none if that was shown already."""
        key = tuple(before), tuple(now)
        if key in self._shown:
            return []
        self._shown.add(key)
        return list(_diff(self._before.texts, before, self._now.texts, now))


_SAME_LINES = "the same lines, or lines that are shown already: what it does has changed"


def _diff(old: Sequence[str], before: Sequence[int], new: Sequence[str], now: Sequence[int]) -> Iterator[str]:
    """How some lines of two files differ, with their true numbers. They need not be next to each other."""
    ours, theirs = [old[number - 1] for number in before], [new[number - 1] for number in now]
    count = 0
    for group in difflib.SequenceMatcher(None, ours, theirs).get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(before, first[1], last[2])} +{_range(now, first[3], last[4])} @@"
        for kind, i1, i2, j1, j2 in group:
            same = ours[i1:i2] if kind == "equal" else []
            lines = [*(f" {each}" for each in same)]
            if kind != "equal":
                lines = [*(f"-{each}" for each in ours[i1:i2]), *(f"+{each}" for each in theirs[j1:j2])]
            yield from lines[: max(MOST_LINES - count, 0)]
            count += len(lines)
    if count > MOST_LINES:
        yield f"... and {count - MOST_LINES} more lines"


def _range(numbers: Sequence[int], start: int, end: int) -> str:
    """A range of lines as `diff -u` writes it."""
    first = numbers[start] if start < end else (numbers[start - 1] if start else 0)
    return str(first) if end - start == 1 else f"{first},{end - start}"


def _coloured(text: str) -> str:
    colour = _COLOURS.get(text[:1])
    return click.style(text, fg=colour) if colour else text


def _as_data(told: Told) -> dict[str, Any]:
    change = told.change
    return {
        "tree": change.tree,
        "path": change.path,
        "name": change.name,
        "line": change.line,
        "what": change.what,
        "diff": "".join(f"{line}\n" for line in told.lines),
    }


def code_since(title: str, directory: JobDirectory, task: str, code: JobCode) -> CodeSince:
    """Find out what of the code of a done job has changed since it ran. It reads all files of the project.

    Args:
        title: How people name the job.
        directory: Its directory.
        task: The name of its class in identities, `train:Train`.
        code: The code that it ran.
    """
    found = since(directory.workspace, directory, task)
    trees = len(code.provenance.trees) if code.provenance is not None else 1
    then = versions_in(code.packages)
    here = versions_in(json.loads(packages_document())) if then else {}
    accepted = next((f"{each.who}: {each.why}" for each in standing(directory)), "")
    return CodeSince(title, found, then, here, accepted, trees)


def versions_in(packages: Mapping[str, Any]) -> dict[str, str]:
    """The versions in a document of packages, with that of Python; empty if nothing is known."""
    found = packages.get("packages")
    if not isinstance(found, dict):
        return {}
    return {"python": str(packages.get("python", "")), **{str(name): str(each) for name, each in found.items()}}
