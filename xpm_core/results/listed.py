"""The table of jobs that were listed.

Owns: which of them have no place in it, and what a reader should know of the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from xpm_core.labels import label
from xpm_core.results.foreign import ForeignRun
from xpm_core.results.jobs import Job, Known
from xpm_core.results.table import Table
from xpm_core.states import State
from xpm_core.words.text import listed, plural
from xpm_core.workspace.files import LISTING_LAG_S
from xpm_core.workspace.workspace import Workspace

NAMED = 3
"""How many results, or jobs, a note names."""
FEW = 50
"""How many directories of a task are looked for one by one; of more, the folder of the task is listed."""


def table_of(
    jobs: Sequence[Job],
    workspace: Path,
    others: Callable[[], Collection[Job]],
    *,
    notes: Sequence[str] = (),
    whole: bool = False,
) -> Table:
    """The table of some jobs.

    Args:
        jobs: The jobs.
        workspace: The directory of their workspace.
        others: Returns all jobs of the workspace.
        notes: What is known already that a reader should know.
        whole: Whether to keep tasks none of whose jobs have reported anything.
    """
    reporting = {job.task for job in jobs if job.results}
    silent: dict[str, int] = {}
    for job in jobs:
        if job.task not in reporting:
            silent[job.name or "?"] = silent.get(job.name or "?", 0) + 1
    kept = list(jobs) if whole or not reporting else [job for job in jobs if job.task in reporting]
    said = list(notes)
    if silent and len(kept) < len(jobs):
        said.append(f"Left out, because none has reported anything: {_counts(silent)}.")
    elif not reporting and jobs:
        said.append("No job has reported a result: return it from execute(), or call result().")
    return Table(kept, Known(workspace, others), [*said, *_lacking(kept), *_gone(kept, workspace)])


def _counts(jobs: dict[str, int]) -> str:
    return listed([f"{plural(count, 'job')} of {name}" for name, count in jobs.items()], NAMED)


def _lacking(jobs: Sequence[Job]) -> Iterator[str]:
    """What done jobs of a task lack: all that they have reported, by the index; or some, as of an older class."""
    unknown = sum(job.results is None for job in jobs)
    if unknown:
        which = f"{plural(unknown, 'done job')} whose results the index has not got yet"
        yield f"There {'is' if unknown == 1 else 'are'} {which}. If they stay missing: xpm doctor --repair."
    done: dict[str, list[Job]] = {}
    for job in jobs:
        if job.state is State.DONE and job.task and job.results is not None:
            done.setdefault(job.task, []).append(job)
    for task in done.values():
        counts: dict[str, int] = {}
        for job in task:
            for name in job.results or ():
                counts[name] = counts.get(name, 0) + 1
        short = {name: len(task) - count for name, count in counts.items() if count < len(task)}
        if short:
            words = [f"{count} without {name}" for name, count in short.items()]
            yield f"Of {len(task)} done jobs of {task[0].name}: {listed(words, NAMED)}."


def _gone(jobs: Sequence[Job], workspace: Path) -> Iterator[str]:
    """The done jobs whose directories were deleted, so that only the index has what they have reported."""
    late_s, done = time.time() - LISTING_LAG_S, dict[str, list[Job]]()
    for job in jobs:
        if job.state is State.DONE and job.task and not isinstance(job, ForeignRun):
            done.setdefault(job.task, []).append(job)
    gone: list[str] = []
    for task, of_task in done.items():
        there = _there(workspace / Workspace(workspace, "").folder_of(task), [job.identity for job in of_task])
        if there is not None:
            lacking = [job for job in of_task if job.identity not in there]
            gone += [label(job.name or "?", job.identity) for job in lacking if (job.ended_s or late_s) < late_s]
    if len(gone) == 1:
        yield f"The directory of a done job is gone: {gone[0]}. Only the index has its values. Run its script again."
    elif gone:
        which = f"The directories of {len(gone)} done jobs are gone: {listed(gone, NAMED)}"
        yield f"{which}. Only the index has their values. Run their script again."


def _there(folder: Path, names: Sequence[str]) -> set[str] | None:
    """Those of some names that a folder has, and maybe others; None if it cannot be read.

    The folder is listed once if the names are many. Few are looked for one by one, because it may have 100,000 others.
    """
    try:
        if len(names) > FEW:
            return set(os.listdir(folder))
        return {name for name in names if _is_there(f"{folder}/{name}")}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError:
        return None


def _is_there(path: str) -> bool:
    """Whether there is something at a path. It raises the error of a folder that cannot be read."""
    with suppress(FileNotFoundError, NotADirectoryError):
        os.lstat(path)
        return True
    return False
