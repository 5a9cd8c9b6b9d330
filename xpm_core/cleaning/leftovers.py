"""What processes have left behind: temporary files, links that lead nowhere, logs and files of the index.

A temporary file is one that `workspace/files.py` has begun, and that was never renamed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from xpm_core.cleaning.facts import Facts
from xpm_core.cleaning.places import listed
from xpm_core.cleaning.records import Item, Kind
from xpm_core.cleaning.runs import links_of
from xpm_core.index.folders import END

DAY_S = 86400.0
LOG_S = 7 * DAY_S
"""How long a log of workers must have been silent, seconds."""
TEMPORARY, LINK, LOG, INDEX, GONE = (
    "temporary file", "link that leads nowhere", "log of workers that have left",
    "files of the index, to be merged", "lines of the index on jobs that exist no more",
)  # fmt: skip

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}")
_PARAMS = re.compile(r"\.params\.json\.[0-9a-f]{8}")  # beside it lie files of the user


def leftovers(facts: Facts) -> list[Item]:
    """What may go of it, in a workspace."""
    root = facts.workspace.path
    stay = facts.known.union(facts.forgotten)  # a job has a link before it has a directory; another server may have it
    found = [_item(facts, entry.path, TEMPORARY) for entry in _temporaries(facts)]
    for experiment in (root / "experiments" / name for name in facts.runs.all):
        gone = [link for link in links_of(experiment) if link.identity not in stay]
        found += [_item(facts, link.path, LINK) for link in gone]
    logs = [entry for entry in listed(root / ".xpm" / "workers") if entry.name.endswith(".log")]
    found += [_item(facts, entry.path, LOG) for entry in logs if _is_older(facts, entry, LOG_S)]
    found += [_index_item(facts, folder, files) for folder, files in mergeable(facts)]
    named = facts.runs.named()
    lost = [identity for identity in facts.entries if identity not in facts.known and identity not in named]
    return [*found, *(_gone_item(facts, identity) for identity in lost)]


def mergeable(facts: Facts) -> Iterator[tuple[Path, list[str]]]:
    """The folders of the index, each with its files that nobody has written for a day, if there are several."""
    root = facts.workspace.path
    experiments = (root / "experiments" / name / "index" for name in facts.runs.all)
    for folder in (root / ".xpm" / "index", *experiments):
        files = [each for each in listed(folder) if each.name.endswith(END) and _is_older(facts, each, DAY_S)]
        if len(files) > 1:
            yield folder, [each.path for each in files]


def _temporaries(facts: Facts) -> Iterator[os.DirEntry[str]]:
    """Temporary files in the folders in which xpm writes, but not in those of the user."""
    for folder, form in _folders(facts):
        for entry in listed(folder):
            ours = form.fullmatch(entry.name) and not entry.is_dir(follow_symlinks=False)
            if ours and _is_older(facts, entry, DAY_S):
                yield entry


def _folders(facts: Facts) -> Iterator[tuple[Path, re.Pattern[str]]]:
    """The folders in which xpm writes, each with the form of its temporary files there."""
    yield from ((folder, _TEMPORARY) for folder in _own_folders(facts))
    for identity, relative in facts.places.jobs.items():
        if identity not in facts.unfinished:
            job = facts.workspace.path / relative
            yield job, _PARAMS
            yield from ((folder, _TEMPORARY) for folder in (job / ".xpm", job / ".xpm" / "executions"))


def _own_folders(facts: Facts) -> Iterator[Path]:
    root = facts.workspace.path
    yield root / ".xpm"
    for name in ("index", "removed", "parts", "arguments", "workers", "marks"):
        yield root / ".xpm" / name
    yield root / "code"
    yield from (Path(each.path) for each in listed(root / "code") if each.is_dir(follow_symlinks=False))
    yield from (Path(each.path) for each in listed(root / "code" / "objects") if each.is_dir(follow_symlinks=False))
    for experiment in (root / "experiments" / name for name in facts.runs.all):
        yield experiment
        yield from (Path(task.path) for task in listed(experiment / "jobs") if task.is_dir(follow_symlinks=False))
        yield experiment / "index"


def _is_older(facts: Facts, entry: os.DirEntry[str], seconds: float) -> bool:
    try:
        return facts.now_s - entry.stat(follow_symlinks=False).st_mtime >= seconds
    except OSError:  # it has gone
        return False


def _item(facts: Facts, path: str, what: str) -> Item:
    relative = os.path.relpath(path, facts.workspace.path)
    size = facts.size(relative)
    return Item(Kind.LEFTOVERS, relative, what=what, changed_s=size.newest_s, size=size.bytes)


def _index_item(facts: Facts, folder: Path, files: list[str]) -> Item:
    sizes = [facts.size(os.path.relpath(file, facts.workspace.path)) for file in files]
    whole = sum(os.stat(file).st_size for file in files)
    return Item(
        Kind.LEFTOVERS, os.path.relpath(folder, facts.workspace.path), what=f"{len(files)} {INDEX}",
        changed_s=max(size.newest_s for size in sizes), size=max(sum(size.bytes for size in sizes) - whole, 0),
    )  # fmt: skip


def _gone_item(facts: Facts, identity: str) -> Item:
    entry = facts.entries[identity]
    return Item(Kind.LEFTOVERS, "", identity, GONE, changed_s=max(entry.described_s, entry.submitted_s))
