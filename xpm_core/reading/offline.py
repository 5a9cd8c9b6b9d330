"""What the files of a workspace say of it, without the server."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from xpm_core.reading.experiments import Experiment
from xpm_core.words.text import plural
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from xpm_core.reading.listing.known_jobs import KnownJobs


def experiments(workspace: Workspace, known: KnownJobs) -> list[Experiment]:
    """The experiments that have a directory, the latest run first. The names of their runs say when these began."""
    jobs = Counter(name for row in known.rows.values() for name in row.experiments)
    folder = workspace.path / "experiments"
    found = [_experiment(folder / name, jobs[name]) for name in listed(folder)]
    return sorted(found, key=lambda each: -each.started_s)


def _experiment(folder: Path, jobs: int) -> Experiment:
    runs = _runs_s(folder)
    return Experiment(folder.name, max(runs, default=0.0), min(runs, default=0.0), {}, jobs)


def first_run_s(folder: Path) -> float:
    """When the first run of an experiment with this directory began, epoch seconds; 0 if no name of a run says it."""
    return min(_runs_s(folder), default=0.0)


def linked(folder: Path) -> int:
    """How many links an experiment with this directory has to its jobs. A job whose tags have changed has several."""
    return sum(len(listed(folder / "jobs" / task)) for task in listed(folder / "jobs"))


def _runs_s(folder: Path) -> list[float]:
    return [moment for name in listed(folder / "runs") if (moment := _moment(name))]


def _moment(run: str) -> float:
    """When a run began, by its name; 0 if that is no run."""
    try:
        return datetime.strptime(run[:15], "%Y%m%d-%H%M%S").timestamp()
    except ValueError:
        return 0.0


def listed(folder: Path) -> list[str]:
    """The names in a folder, sorted, without hidden ones; none if it cannot be read."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []


def notes(damaged: Mapping[str, int], known: KnownJobs) -> list[str]:
    """What one should know of the facts, each a sentence."""
    found = [
        f"{plural(lines, 'line')} of the index cannot be read: {path}. Repair it: xpm doctor --repair."
        for path, lines in damaged.items()
    ]
    if known.missing:
        found.append(
            f"The index lacks {plural(known.missing, 'job')}: filters do not see their parameters. "
            "Repair it: xpm doctor --repair. A job without a directory is added when its script runs again."
        )
    if known.forgotten:
        found.append(f"The server does not know {plural(known.forgotten, 'job')} that the index has. Run their script.")
    return found
