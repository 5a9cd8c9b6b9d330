"""The command lines that messages name, written so that they work as printed.

Owns: how a command line finds the workspace and its server, and the quoting.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from xpm_core.defaults import DEFAULT_QUEUE
from xpm_core.labels import short


@dataclass(frozen=True)
class Commands:
    """Command lines for the jobs of one workspace. Without arguments, they name no workspace.

    Args:
        place: Options of `xpm` that name the workspace and its server, with a blank before each; empty if the shell in
            which the command is typed leads there.
        worker_place: The same options for `xpm-worker`, which always has to be given the workspace.
        variables: Variables set before the command, each with a blank after it; usually empty.
        unnamed_queue: A queue that need not be named, because `xpm-worker` serves it by itself; empty for none.

    Example:
        >>> Commands.of_script(Path("/data/xpm")).show("3f2a91c04b")
        'xpm show 3f2a91c --workspace /data/xpm'
    """

    place: str = ""
    worker_place: str = ""
    variables: str = ""
    unnamed_queue: str = ""

    @classmethod
    def of_script(cls, workspace: Path, server: str = "") -> Commands:
        """Commands that a script names. They work in whatever directory they are typed.

        Args:
            workspace: Its directory.
            server: The address of its server if only the script names one (`redis=`), without a password; else empty.
        """
        place = f" --workspace {shlex.quote(str(workspace))}"
        return cls(place, place, f"XPM_REDIS_URL={shlex.quote(server)} " if server else "")

    @classmethod
    def of_program(cls, workspace: Path, given: str | None, server: str = "") -> Commands:
        """Commands that `xpm` names. They are typed in the shell in which this command was typed.

        Args:
            workspace: Its directory.
            given: What this command was given as `--workspace`; None without it.
            server: The address that this command was given as `--redis`, without a password; else empty.
        """
        redis = f" --redis {shlex.quote(server)}" if server else ""
        place = f" --workspace {shlex.quote(given)}" if given else ""
        worker_place = f" --workspace {shlex.quote(str(workspace))}{redis}"
        return cls(place + redis, worker_place, unnamed_queue=DEFAULT_QUEUE)

    def show(self, identity: str) -> str:
        """Show all about a job."""
        return f"{self.variables}xpm show {short(identity)}{self.place}"

    def jobs(self, options: str) -> str:
        """List jobs; `options` select them."""
        return f"{self.variables}xpm jobs {options}{self.place}"

    def why(self, identity: str) -> str:
        """Show why a job does not run."""
        return f"{self.variables}xpm why {short(identity)}{self.place}"

    def why_all(self) -> str:
        """Sum up why jobs wait."""
        return f"{self.variables}xpm why{self.place}"

    def logs(self, identity: str) -> str:
        """Print what a job has printed."""
        return f"{self.variables}xpm logs {short(identity)}{self.place}"

    def results(self, experiment: str) -> str:
        """Print a table of what the jobs of an experiment have reported."""
        return f"{self.variables}xpm results {shlex.quote(experiment)}{self.place}"

    def reproduce(self, identity: str) -> str:
        """Run a finished job again, and compare what it writes."""
        return f"{self.variables}xpm reproduce {short(identity)}{self.place}"

    def debug(self, identity: str, options: str = "") -> str:
        """Run a job in the foreground."""
        return f"{self.variables}xpm debug {short(identity)}{options}{self.place}"

    def on_jobs(self, verb: str, options: str) -> str:
        """Do something to jobs, such as `cancel` or `retry`; `options` select them."""
        return f"{self.variables}xpm {verb} {options}{self.place}"

    def cancel(self, *identities: str) -> str:
        """Cancel some jobs."""
        return f"{self.variables}xpm cancel {' '.join(map(short, identities))}{self.place}"

    def cancel_blocked(self) -> str:
        """Cancel all blocked jobs."""
        return f"{self.variables}xpm cancel --state blocked{self.place}"

    def cancel_all(self, experiment: str) -> str:
        """Cancel all unfinished jobs of an experiment."""
        return f"{self.variables}xpm cancel --experiment {experiment}{self.place}"

    def retry(self, identity: str) -> str:
        """Run a job again."""
        return f"{self.variables}xpm retry {short(identity)}{self.place}"

    def retry_failed(self, experiment: str = "") -> str:
        """Run the failed jobs of an experiment again, or all failed jobs of the workspace."""
        which = f" --experiment {experiment}" if experiment else ""
        return f"{self.variables}xpm retry --failed{which}{self.place}"

    def gc(self, options: str = "") -> str:
        """Show what may be removed; `options` select it."""
        return f"{self.variables}xpm gc{f' {options}' if options else ''}{self.place}"

    def status(self) -> str:
        """Show how the workspace stands."""
        return f"{self.variables}xpm status{self.place}"

    def resume_workers(self, *names: str) -> str:
        """Take an order to drain back; the names are as they were typed."""
        return f"{self.variables}xpm workers resume {' '.join(map(shlex.quote, names))}{self.place}"

    def resume_queue(self, queue: str) -> str:
        """Resume a paused queue."""
        return f"{self.variables}xpm queues resume {queue}{self.place}"

    def diff_all(self, first: str, second: str) -> str:
        """Compare two jobs or configurations, as they were named, in all parameters."""
        return f"{self.variables}xpm diff {shlex.quote(first)} {shlex.quote(second)} --all{self.place}"

    def diff_code(self, first: str, second: str) -> str:
        """Compare the code of two jobs, as they were named."""
        return f"{self.variables}xpm diff {shlex.quote(first)} {shlex.quote(second)} --code{self.place}"

    def code_since(self, identity: str) -> str:
        """Show what of the code of a job has changed since it ran."""
        return f"{self.variables}xpm diff {short(identity)} --code{self.place}"

    def retry_changed(self, experiment: str) -> str:
        """Run the done jobs of an experiment again that ran code which has changed."""
        return f"{self.variables}xpm retry --changed --experiment {experiment}{self.place}"

    def accept(self, experiment: str) -> str:
        """Say of the same jobs that their results still stand. The reason is to be written by the user."""
        return f"{self.variables}xpm accept --experiment {experiment} --why '...'{self.place}"

    def start_worker(self, queue: str) -> str:
        """Start a worker of a queue."""
        which = "" if queue == self.unnamed_queue else f" --queue {queue}"
        return f"{self.variables}xpm-worker{self.worker_place}{which}"
