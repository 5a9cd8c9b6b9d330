"""Errors about where and how a script runs an experiment: in a job, without a guard, or as a dry run."""

from __future__ import annotations

from xpm_core.errors.experiment import ExperimentError
from xpm_core.labels import short


class InsideJobError(ExperimentError):
    """Raised when a job begins an experiment. A worker would run the experiment again.

    Message:
        sweep.py:57: this process is job 3f9ac2e, and a job cannot run an experiment. Put what starts it under `if
        __name__ == "__main__":`, so that importing the file does not.

    Remedy:
        Put the call of `experiment` under `if __name__ == "__main__":`.
    """

    def __init__(self, where: str, identity: str) -> None:
        super().__init__(
            where,
            f"this process is job {short(identity)}, and a job cannot run an experiment",
            'Put what starts it under `if __name__ == "__main__":`, so that importing the file does not.',
        )
        self.args = (where, identity)


class UnguardedScriptError(ExperimentError):
    """Raised when a script submits a task of its own class without `if __name__ == "__main__":` around it.

    Message:
        sweep.py:57: class Train is defined in this script, and a worker that imports it would run the experiment again.
        Put line sweep.py:55 and what belongs to it under `if __name__ == "__main__":`, or the class into a module.

    Remedy:
        Put the experiment under `if __name__ == "__main__":`, or the classes into a module.
    """

    def __init__(self, where: str, name: str, line: str) -> None:
        super().__init__(
            where,
            f"class {name} is defined in this script, and a worker that imports it would run the experiment again",
            f'Put line {line} and what belongs to it under `if __name__ == "__main__":`, or the class into a module.',
        )
        self.args = (where, name, line)


class DryRunError(ExperimentError):
    """Raised when the script of a dry run asks for what only a run has, such as a file that a job would have written.

    Message:
        Train/3f9ac2e: this is a dry run, so it has not run, and loss.json is not there. Read its results only in a run:
        if not xp.dry_run.

    Remedy:
        The plan up to that line is printed. To let a dry run go further, put what reads results under `if not
        xp.dry_run:`.
    """
