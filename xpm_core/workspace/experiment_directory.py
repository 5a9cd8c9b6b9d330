"""An experiment's directory: its runs, and links to the directories of its jobs.

    runs/<time>/                    one run of the script: `results/`, `run.log`, and `jobs`, which names its jobs
    latest                          a link to the newest run
    jobs/<task>/<tags>-<first 7>    a link to a job's directory (job_links.py)
    sampled.jsonl                   how each sampling of `xp.until` has ended, one a line

Links are relative, so that they still work when the workspace is moved, or mounted elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from xpm_core.workspace.files import append_line, explained, link_atomic
from xpm_core.workspace.job_records import object_in

ENDED = b"ended"
"""The last line of a run's record, once the script has left its experiment."""
SAMPLED = "sampled.jsonl"
"""The file that says how samplings have ended."""
WIDTH, LIMIT, HOPELESS, UNREPORTED = "width", "limit", "hopeless", "unreported"
"""Why a sampling has ended: see `Sampling.why`."""

_IDENTITY = re.compile(rb"[0-9a-f]{64}")


class RunRecord(NamedTuple):
    """Which jobs a run has named.

    Attributes:
        identities: The jobs.
        ended: Whether the script has left its experiment, so that it names no more. A script that was killed has not.
    """

    identities: frozenset[str]
    ended: bool


class Sampling(NamedTuple):
    """How a sampling of `xp.until` has ended. Tables that are made later say so in their captions.

    Attributes:
        metric: The name of the result.
        over: The names of what was varied.
        width: How wide the interval was to be.
        most: How many jobs there were to be at most.
        why: "width": the interval was narrow enough. "limit": there were as many jobs as there may be. "hopeless": no
            further job could give an interval. "unreported": none of the last jobs has reported the result.
        n: How many jobs counted in the interval.
        jobs: The identities of all jobs that were sampled.
    """

    metric: str
    over: tuple[str, ...]
    width: float
    most: int
    why: str
    n: int
    jobs: frozenset[str]

    def is_of(self, shared: int) -> bool:
        """Whether so many of its jobs are enough for an interval to be that of this sampling: more than half of `n`.

        A few seeds of it, which another experiment has taken, are not: they did not stop it. That some are lost, as by
        a retry that has failed, does not make the others a fair sample.
        """
        return 2 * shared > self.n

    def written(self) -> str:
        """Its line in the file."""
        return json.dumps({"schema": 1, **self._asdict(), "jobs": sorted(self.jobs)})

    @classmethod
    def read(cls, line: bytes) -> Sampling | None:
        """Read a line; None if it is damaged, or of a later version."""
        said = object_in(line)
        if said.get("schema") != 1:
            return None
        values: list[Any] = [said.get(name) for name in cls._fields]
        metric, over, width, most, why, n, jobs = values
        texts = [metric, *over, *jobs] if isinstance(over, list) and isinstance(jobs, list) and jobs else [None]
        numbers = type(width) in (int, float) and type(most) is type(n) is int
        known = why in (WIDTH, LIMIT, HOPELESS, UNREPORTED)
        if not known or not numbers or not all(type(each) is str for each in texts):
            return None
        return cls(metric, tuple(over), width, most, why, n, frozenset(jobs))


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
            count = self._last_of(time) + 1
            while not _made(run := runs / (time if count == 1 else f"{time}-{count}")):
                count += 1
        link_atomic(self.latest, f"runs/{run.name}")
        return RunDirectory(run)

    def samplings(self) -> list[Sampling]:
        """How samplings have ended. Of those of one result that share a job, only the last one stays."""
        try:
            lines = (self.path / SAMPLED).read_bytes().split(b"\n")
        except OSError:
            return []
        found = [sampling for line in lines if (sampling := Sampling.read(line))]
        last = {(each.metric, each.over, job): each for each in found for job in each.jobs}
        return [each for each in found if all(last[each.metric, each.over, job] is each for job in each.jobs)]

    def keep_sampling(self, sampling: Sampling) -> None:
        """Write how a sampling has ended, unless that is known already.

        Raises:
            WorkspaceError: It cannot be written.
        """
        if sampling not in self.samplings():
            append_line(self.path / SAMPLED, sampling.written())

    def _last_of(self, time: str) -> int:
        """Which run of this second the newest run is; 0 if it began in another one.

        `xpm gc` may have removed the runs before it. Their names are not given again, because names order the runs.
        """
        try:
            name, _, number = os.readlink(self.latest).rpartition("/")[2].removeprefix(time).partition("-")
        except OSError:
            return 0
        return 0 if name else int(number) if number.isdecimal() else 1


def _identities(lines: Iterable[bytes]) -> Iterable[str]:
    return (line.decode() for line in lines if _IDENTITY.fullmatch(line))


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True
