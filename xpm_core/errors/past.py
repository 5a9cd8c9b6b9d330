"""Past runs, and jobs that are run again to see whether they give the same."""

from __future__ import annotations

from xpm_core.errors.base import ShapedError, XpmError

LISTED = 8
"""How many runs an error lists."""


class UnknownRunError(XpmError, LookupError):
    """Raised when no run of an experiment has the name that was given, or several have.

    Message:
        Run '20261123' of 'digits': there is none of that name. There are 20261124-053312, 20261124-091500.

    Remedy:
        Name a run by the time when it began, as its directory in `experiments/<name>/runs/` is named, or `latest`.
    """

    def __init__(self, experiment: str, name: str, runs: tuple[str, ...], several: bool) -> None:
        super().__init__(experiment, name, runs, several)
        self.experiment, self.name, self.runs, self.several = experiment, name, runs, several

    def __str__(self) -> str:
        where, listed = f"Run {self.name!r} of {self.experiment!r}", ", ".join(self.runs[:LISTED])
        more = f" and {len(self.runs) - LISTED} more" if len(self.runs) > LISTED else ""
        if self.several:
            return f"{where}: it names several: {listed}{more}. Give more of the name."
        return f"{where}: there is none of that name. {f'There are {listed}{more}.' if listed else 'It has none.'}"


class ReproduceError(ShapedError):
    """Raised when a job cannot be run again with the code that it ran with.

    Message:
        Train/3f2a91c: no snapshot of its code was kept, so nobody knows which code ran. To run today's: --code live.

    Remedy:
        Do what the message says. Jobs that an xpm before snapshots has run, and jobs with `code="live"`, have none.
    """
