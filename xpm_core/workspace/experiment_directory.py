"""An experiment's directory: its runs, and links to the directories of its jobs.

    runs/<time>/                    one run of the script: `results/`, `run.log`, and `jobs`, which names its jobs
    latest                          a link to the newest run
    jobs/<task>/<tags>-<first 7>    a link to a job's directory (job_links.py)

Links are relative, so that they still work when the workspace is moved, or mounted elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from xpm_core.workspace.files import explained, link_atomic

ENDED = b"ended"
"""The last line of a run's record, once the script has left its experiment."""

_IDENTITY = re.compile(rb"[0-9a-f]{64}")


class RunRecord(NamedTuple):
    """Which jobs a run has named.

    Attributes:
        identities: The jobs.
        ended: Whether the script has left its experiment, so that it names no more. A script that was killed has not.
    """

    identities: frozenset[str]
    ended: bool


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run of an experiment's script."""

    path: Path

    @property
    def name(self) -> str:
        """When the run began, in local time: `20261124-053312`; `-2`, `-3` … follows if others began in that second."""
        return self.path.name

    @property
    def results(self) -> Path:
        """Folder for files of the script. It is made at the first use.

        Raises:
            WorkspaceError: It cannot be made.
        """
        folder = self.path / "results"
        with explained(folder, "cannot be made"):
            folder.mkdir(exist_ok=True)
        return folder

    @property
    def log(self) -> Path:
        """The run's log."""
        return self.path / "run.log"

    @property
    def record(self) -> RunRecord | None:
        """Which jobs the run has named; None if that is not known. Then the run may have named any job."""
        lines = self._lines()
        return None if lines is None else RunRecord(frozenset(_identities(lines)), ENDED in lines)

    @property
    def named(self) -> list[str] | None:
        """The same jobs in the order in which the run has named them first."""
        lines = self._lines()
        return None if lines is None else list(dict.fromkeys(_identities(lines)))

    def _lines(self) -> list[bytes] | None:
        try:
            return (self.path / "jobs").read_bytes().split(b"\n")
        except OSError:
            return None

    def name_jobs(self, identities: Iterable[str]) -> None:
        """Write that the run names these jobs, before anybody learns of them. If that is impossible, nothing is known.

        The first call, with no job, begins the record.
        """
        self._add([identity.encode() for identity in identities])

    def end(self) -> None:
        """Write that the run names no more jobs."""
        self._add([ENDED])

    def _add(self, lines: Iterable[bytes]) -> None:
        """Add lines to the record. The file is closed each time, so that other machines see them.

        A record that lacks a job would let `xpm gc` remove that job. So it is removed if it cannot be written.
        """
        file, data = self.path / "jobs", b"".join(b"%s\n" % line for line in lines)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (0 if data else os.O_CREAT)
        try:
            descriptor = os.open(file, flags, 0o666)
            try:
                while data:
                    data = data[os.write(descriptor, data) :]
            finally:
                os.close(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(file)


@dataclass(frozen=True)
class ExperimentDirectory:
    """The directory of an experiment. `Workspace.experiment` returns it.

    Example:
        >>> run = workspace.experiment("digits-grid").new_run()
        >>> run.results
        PosixPath('/data/xpm/experiments/digits-grid/runs/20261124-053312/results')
    """

    workspace: Path
    name: str

    @property
    def path(self) -> Path:
        """Where it lies on this machine."""
        return self.workspace / "experiments" / self.name

    @property
    def latest(self) -> Path:
        """Link to the newest run."""
        return self.path / "latest"

    def new_run(self) -> RunDirectory:
        """Make the directory of a run that begins now, and let `latest` link to it. Its name is the time.

        Raises:
            WorkspaceError: It cannot be made.
        """
        runs = self.path / "runs"
        time = datetime.now().strftime("%Y%m%d-%H%M%S")
        with explained(runs, "cannot be made"):
            runs.mkdir(parents=True, exist_ok=True)
            run = runs / time
            count = 1
            while not _made(run):
                count += 1
                run = runs / f"{time}-{count}"
        link_atomic(self.latest, f"runs/{run.name}")
        return RunDirectory(run)


def _identities(lines: Iterable[bytes]) -> Iterable[str]:
    return (line.decode() for line in lines if _IDENTITY.fullmatch(line))


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True
