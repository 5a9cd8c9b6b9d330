"""Why a file that a job should have written is not there.

Owns: which job a missing file belongs to, and the note about it. A `FileNotFoundError` names a path only. If it leaves
the block of an experiment, this module adds which job has not written the file, and why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from xpm_core.labels import short
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.show.report import error_of, place_of
from xpm_core.states import State
from xpm_core.tracebacks.prompt import rerun
from xpm_core.words.commands import Commands
from xpm_core.words.text import say


def explain(error: BaseException, jobs: Mapping[str, TrackedJob], commands: Commands) -> None:
    """Add to each missing file behind an error why its job has not written it.

    Args:
        error: The error that leaves the block. Errors that it is chained to, or a group of, are looked at, too.
        jobs: The jobs of the run, by identity.
        commands: Writes the command lines.
    """
    for missing in missing_files(error):
        path = Path(os.path.abspath(os.fsdecode(missing.filename)))
        job = owner(path, jobs)
        if job is not None and job.state is not State.DONE:
            note(missing, f"{job.label}: {reason(job, path.name, jobs, commands)}")


def missing_files(error: BaseException) -> Iterator[FileNotFoundError]:
    """The errors about missing files, behind an error."""
    found, seen = [error], set()
    while found:
        each = found.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, FileNotFoundError) and isinstance(each.filename, (str, bytes, os.PathLike)):
            yield each
        found += [other for other in (each.__cause__, each.__context__) if other is not None]
        found += getattr(each, "exceptions", ())  # of a group


def owner(path: Path, jobs: Mapping[str, TrackedJob]) -> TrackedJob | None:
    """The job in whose directory a path lies."""
    for folder in (path, *path.parents):
        job = jobs.get(folder.name)
        if job is not None and job.jobpath == folder:
            return job
    return None


def reason(job: TrackedJob, file: str, jobs: Mapping[str, TrackedJob], commands: Commands) -> str:
    """Why a job that is not done has not written a file, and what to do."""
    lacks = f"so {file} is not there"
    if job.state is State.FAILED:
        place = place_of(job)
        at = f", {place}" if place else ""
        return f"it failed, {lacks} ({error_of(job)}{at}). All about it: {commands.show(job.identity)}"
    if job.state is State.BLOCKED:
        needed = jobs[job.root].label if job.root in jobs else short(job.root)
        return f"it is blocked, {lacks}: it needs job {needed}, which is not done. See: {commands.show(job.root)}"
    if job.state is State.CANCELLED:
        return f"it was cancelled, {lacks}. To run it, {rerun()}."
    return f"it is not done yet ({job.state.value}), {lacks}. Call xp.wait() before you read it."


def note(error: BaseException, text: str) -> None:
    """Add a line to an error's message."""
    if hasattr(error, "add_note"):
        error.add_note(text)
    else:  # before Python 3.11
        say(text)
