"""The experiments of a workspace, and which jobs belong to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpm_core.store import keys
from xpm_core.store.replies import map_of, seconds_of, shown, text_of

if TYPE_CHECKING:
    from redis import Redis


FIELDS = ("started", "created", "about")


@dataclass(frozen=True)
class Experiment:
    """An experiment and its last run.

    Attributes:
        name: Its name.
        started_s: When the last run began, epoch seconds.
        created_s: When the first run began, epoch seconds.
        about: Host, pid, user, script and directory of the last run.
        jobs: How many jobs it has, of all its runs.
    """

    name: str
    started_s: float
    created_s: float
    about: dict[str, Any]
    jobs: int


class ExperimentReader:
    """Reads the experiments of one workspace. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id

    def read(self) -> list[Experiment]:
        """Return the experiments of the workspace, the latest run first."""
        return [self._experiment(name) for name in self.names()]

    def names(self) -> list[str]:
        """Return the names of the experiments of the workspace, the latest run first."""
        return list(map(text_of, self._client.zrange(keys.experiments(self._w), 0, -1, desc=True)))

    def identities(self, name: str) -> list[str]:
        """Return the identities of an experiment's jobs, of all its runs, sorted."""
        return sorted(map(text_of, self._client.smembers(keys.experiment_jobs(self._w, name))))

    def size(self, name: str) -> int:
        """Return how many jobs an experiment has, of all its runs."""
        return int(self._client.scard(keys.experiment_jobs(self._w, name)))

    def _experiment(self, name: str) -> Experiment:
        row: Any = self._client.hmget(keys.experiment(self._w, name), FIELDS)
        return experiment_of(name, row, self.size(name))


def experiment_of(name: str, row: Sequence[Any], jobs: int) -> Experiment:
    """An experiment, by the values of `FIELDS`, and how many jobs it has."""
    started, created, about = row
    return Experiment(name, seconds_of(started), seconds_of(created), shown(map_of(about)), jobs)
