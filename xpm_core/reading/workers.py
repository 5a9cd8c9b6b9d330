"""The workers of a workspace: where each runs, when it was last heard of, and which job it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpm_core.reading.jobs import JobReader
from xpm_core.store import keys
from xpm_core.store.replies import shown, text_of

if TYPE_CHECKING:
    from redis import Redis

KEPT_LEASES = 3
"""For how many leases a worker is listed after its own lease is over."""


@dataclass(frozen=True)
class WorkerState:
    """A worker that was heard of lately.

    Attributes:
        name: Its name: that of its daemon, and the number of its slot.
        host: The machine that it runs on.
        pid: Its process.
        queues: The queues that it serves.
        path: The workspace's directory, as this machine names it.
        version: The version of xpm that it runs.
        started_s: When it started, epoch seconds.
        alive: Whether its last heartbeat is younger than its lease.
        job: The identity of the job that it holds; empty without one.
        silent_s: How long ago its last heartbeat was, seconds.
        left_s: In how many seconds its lease is over; the job that it holds is then free for others.
        leaving_s: Since when it takes no more jobs, epoch seconds; 0 if it does.
        order: What it was ordered to do from afar: drain, stop, stop_now; empty for nothing.
        ordered_by: Who has ordered that.
        takes_orders: Whether its version of xpm knows such orders.
        ends_s: When its time is over, epoch seconds; 0 if it may live for ever.
    """

    name: str
    host: str
    pid: int
    queues: list[str]
    path: str
    version: str
    started_s: float
    alive: bool
    job: str
    silent_s: float
    left_s: float
    leaving_s: float = 0.0
    order: str = ""
    ordered_by: str = ""
    takes_orders: bool = True
    ends_s: float = 0.0

    @property
    def silent(self) -> bool:
        """Whether a heartbeat is overdue: a worker sends one each third of its lease."""
        return self.silent_s > 2 * self.left_s


class WorkerReader:
    """Reads the workers of one workspace. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id
        self._jobs = JobReader(client, workspace_id)

    def read(self, now_s: float) -> list[WorkerState]:
        """Return the workers of the workspace.

        Args:
            now_s: The server's time, epoch seconds; see `server_time`.
        """
        leased = map(text_of, self._client.zrange(keys.leases(self._w), 0, -1))
        held = {job.worker: job.identity for job in self._jobs.read(leased)}
        listed: Any = self._client.zrange(keys.workers(self._w), 0, -1, withscores=True)
        found = (self._worker(text_of(name), until / 1000 - now_s, held) for name, until in listed)
        return [worker for worker in found if worker is not None]

    def _worker(self, name: str, left_s: float, held: dict[str, str]) -> WorkerState | None:
        """A worker by its name; None if it has just left."""
        return worker_of(name, left_s, self._client.hgetall(keys.worker(self._w, name)), held)


def worker_of(name: str, left_s: float, hashed: Mapping[Any, Any], held: Mapping[str, str]) -> WorkerState | None:
    """A worker, by its hash; None if that is gone, because the worker has left, or was silent for so long.

    Args:
        name: Its name.
        left_s: In how many seconds its lease is over.
        hashed: Its hash.
        held: The jobs that workers hold, by the name of the worker.
    """
    fields = {text_of(field): shown(text_of(value)) for field, value in hashed.items()}
    if not fields:
        return None
    lease_s = int(fields["lease_ms"]) / 1000
    if left_s < -KEPT_LEASES * lease_s:  # its hash stays only because of an order
        return None
    return WorkerState(
        name=name,
        host=fields["host"],
        pid=int(fields["pid"]),
        queues=fields["queues"].split(","),
        path=fields["path"],
        version=fields["version"],
        started_s=int(fields["started"]) / 1000,
        alive=left_s >= 0,
        job=held.get(name, ""),
        silent_s=max(lease_s - left_s, 0.0),
        left_s=left_s,
        leaving_s=int(fields.get("leaving") or 0) / 1000,
        order=fields.get("order", ""),
        ordered_by=fields.get("ordered_by", ""),
        takes_orders="orders" in fields,
        ends_s=int(fields.get("until") or 0) / 1000,
    )
