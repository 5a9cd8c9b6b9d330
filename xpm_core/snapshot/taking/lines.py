"""What people are told about a snapshot, in at most a few lines.

Owns: the words. What is said once is not said again by the same process; its caller sees to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xpm_core.labels import short
from xpm_core.snapshot.taking.files.selection import LARGE, Notes
from xpm_core.words.text import amount, line, plural

_SHOWN = 3
_LONGEST = 400
_NAME = 60

Files = dict[tuple[str, str], str]
"""The digests of files, or what else they are, by tree and path."""


def first_line(snapshot: str, files: int, size: int, new: int) -> str:
    """What is said of the first snapshot of a run.

    Example:
        >>> first_line(digest, 214, 1_900_000, 3)
        'code 8c1f2e0: 214 files, 1.9 MB, 3 new'
    """
    return f"code {short(snapshot)}: {plural(files, 'file')}, {amount(size)}, {new} new"


def change_line(snapshot: str, before: str, changed: Sequence[str]) -> str:
    """What is said of a later snapshot.

    Example:
        >>> change_line(digest, earlier, ["train.py", "util.py"])
        'code 9d3e1aa: 2 files changed since 8c1f2e0 (train.py, util.py); jobs submitted from now on use it'
    """
    what = f"{plural(len(changed), 'file')} changed since {short(before)} ({cut(changed)})"
    return line(f"code {short(snapshot)}: {what}; jobs submitted from now on use it", _LONGEST)


def joined_line(snapshot: str, before: str, trees: Sequence[str]) -> str:
    """What is said if a snapshot has more roots than the one before."""
    what = f"{cut(trees)} joined the code since {short(before)}"
    return line(f"code {short(snapshot)}: {what}; jobs submitted from now on use it", _LONGEST)


def cut(names: Sequence[str], shown: int = _SHOWN) -> str:
    """Some names, and how many more there are.

    Example:
        >>> cut(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
    """
    rest = len(names) - shown
    listed = ", ".join(_end(name) for name in names[:shown])
    return f"{listed} and {rest} more" if rest > 0 else listed


def _end(name: str) -> str:
    """A path with its end, which tells files apart, if it is long."""
    text = line(name, 1000)
    return text if len(text) <= _NAME else f"…{text[1 - _NAME :]}"


def note_lines(root: str, notes: Notes) -> Iterable[str]:
    """What is said of the files of a root, beside their number.

    Args:
        root: The root.
        notes: What was noticed there.
    """
    table = "[tool.xpm.snapshot]"
    if notes.refused:
        yield line(f"code: git does not list {root} ({notes.refused}), so all files in it are looked at", _LONGEST)
    if notes.narrowed:
        yield line(
            f"code: of {root}, only {notes.only} are kept, because {notes.narrowed}. Others: "
            f'{table} include = ["..."] in pyproject.toml',
            _LONGEST,
        )
    if notes.secrets:
        keep = f'To keep one: {table} include = ["{line(notes.secrets[0], 60)}"]'
        yield line(f"code: left out, because such names hold secrets: {cut(notes.secrets)}. {keep}", _LONGEST)
    if notes.outputs and not notes.narrowed:
        keep = f'To keep such files: {table} include = ["{notes.outputs[0]}"]'
        yield line(f"code: left out, because programs write them: {cut(notes.outputs, 10)}. {keep}", _LONGEST)
    if notes.leaving:
        yield line(f"code: links that leave {root}, or lead nowhere, stay links: {cut(notes.leaving)}", _LONGEST)
    if notes.large:
        names = [f"{path} ({amount(size)})" for path, size in notes.large]
        yield line(f"code: files over {amount(LARGE)} are linked to where they lie: {cut(names)}", _LONGEST)
    if notes.closed:
        yield line(f"code: folders that cannot be read are left out: {cut(notes.closed)}", _LONGEST)
    if notes.unmatched:
        yield line(f"code: no file matches include = {cut(notes.unmatched)}", _LONGEST)


def outside_line(files: Sequence[str], settings: str, also: Sequence[str]) -> str:
    """What is said of files that were imported from outside of all roots.

    Args:
        files: The files.
        settings: The pyproject.toml of the first root.
        also: The folders that hold them, as these settings would name them.
    """
    wanted = ", ".join(f'"{each}"' for each in also)
    keep = f"To keep them, write into {settings}: [tool.xpm.snapshot] also = [{wanted}]"
    return line(f"code: jobs use {cut(files)} as they are then, because no root holds them. {keep}", 2 * _LONGEST)
