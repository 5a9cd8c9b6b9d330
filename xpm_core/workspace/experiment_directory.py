"""An experiment's directory: its runs, and links to the directories of its jobs.

    runs/<time>/                    one run of the script: `results/` and `run.log`
    latest                          a link to the newest run
    jobs/<task>/<tags>-<first 7>    a link to a job's directory (job_links.py)

Links are relative, so that they still work when the workspace is moved, or mounted elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from xpm_core.workspace.files import explained, link_atomic


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


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True
