"""What a slot tells hooks, and what it takes from them.

Owns: the checks of what they return, and the times: a hook delays no lease, and no next job.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from xpm_core.hooks import LIMIT_S, HookedJob, Hooks, JobOutcome, LateCalls
from xpm_core.index.entries import End
from xpm_core.labels import title
from xpm_core.store.records import Lease, WorkerId
from xpm_core.workspace.workspace import Workspace

log = logging.getLogger(__name__)

_OWN = "XPM_"
"""Variables that begin so are xpm's own."""


class JobHooks:
    """The hooks of one slot.

    Args:
        workspace: The workspace that the slot serves.
        worker: The slot.

    Example:
        >>> hooks.variables(lease)
        {'COMET_EXPERIMENT_KEY': '3f2a91c04b'}
        >>> hooks.ended(lease, end)
    """

    def __init__(self, workspace: Workspace, worker: WorkerId) -> None:
        self._workspace, self._worker = workspace, worker
        self._hooks = Hooks()
        self._late = LateCalls(self._hooks, "job_ended")

    def find(self) -> None:
        """Find the hooks now, because this reads a folder that may lie far away: so no job waits for it."""
        self._hooks.any("job_environment")

    def variables(self, lease: Lease) -> dict[str, str]:
        """Ask the hooks `job_environment` for variables of a job that is about to start.

        The lease is not renewed meanwhile, so they get at most a quarter of it.
        """
        if not self._hooks.any("job_environment"):
            return {}
        limit_s = min(LIMIT_S, self._worker.lease_s / 4)
        found: dict[str, str] = {}
        directory = self._workspace.job_at(lease.spec.directory)
        job = self._job(lease, directory.numbered(lease.attempt))
        for hook, returned in self._hooks.call("job_environment", job, limit_s=limit_s):
            if problems := list(_problems(returned)):
                log.warning("%s: what it returned is not used: %s", hook, problems[0])
            else:
                found.update(returned or {})
        return found

    def ended(self, lease: Lease, end: End) -> None:
        """Let the hooks `job_ended` know that a job has ended. Nobody waits for them."""
        if self._hooks.any("job_ended"):
            seconds = max(end.ended_s - end.started_s, 0.0) if end.started_s else 0.0
            self._late.put(
                self._job(lease, end.attempt), JobOutcome(end.state, seconds, dict(end.error), dict(end.results))
            )

    def close(self) -> None:
        """Wait for the calls that are not made yet, for some seconds: the slot leaves."""
        self._late.close()

    def _job(self, lease: Lease, number: int) -> HookedJob:
        spec = lease.spec
        return HookedJob(
            identity=spec.identity,
            task=spec.task,
            title=title(spec.name, lease.tags),
            tags=dict(lease.tags),
            experiment=lease.experiment,
            execution=lease.execution,
            attempt=number,
            queue=lease.queue,
            workspace=self._workspace.path,
            directory=self._workspace.path / spec.directory,
            host=self._worker.host,
            worker=self._worker.name,
        )


def _problems(returned: object) -> Iterator[str]:
    """What is wrong with variables that a hook has returned. None stands for no variables."""
    if returned is None:
        return
    if not isinstance(returned, Mapping):
        yield f"expected a dict of texts, got {type(returned).__name__}"
        return
    for name, value in returned.items():
        if not isinstance(name, str) or not isinstance(value, str):
            yield f"expected texts, got {type(name).__name__} and {type(value).__name__}"
        elif not name or "=" in name or not _is_fit(name) or not _is_fit(value):
            yield f"{name[:100]!r} cannot be a variable with its value"
        elif name.startswith(_OWN):
            yield f"{name[:100]!r} is xpm's own"


def _is_fit(text: str) -> bool:
    """Whether a text can stand in an environment."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
