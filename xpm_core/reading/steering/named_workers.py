"""The workers that a name means: one slot, all slots of a daemon, or all of a machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xpm_core.errors import AmbiguousWorkerError, UnknownWorkerError
from xpm_core.reading.workers import WorkerState
from xpm_core.store.refusals import daemon_of

Group = frozenset[str]
"""The names of some workers."""


def named(workers: Sequence[WorkerState], name: str) -> list[WorkerState]:
    """Return the workers that a name means.

    A whole name comes first: of a slot (`node7-4f21aa09.0`), of a daemon (`node7-4f21aa09`), of daemons as the user
    named them (`xpm-worker --name node7`), or of a machine. Else it is the beginning of such a name. It must then lead
    to the same workers whichever name is meant.

    Args:
        workers: The workers of the workspace.
        name: The name.

    Raises:
        UnknownWorkerError: No worker has it.
        AmbiguousWorkerError: It leads to different workers.
    """
    slots, wider = _slots(workers), _wider(workers)
    groups = {slots[name]} if name in slots else {group for known, group in wider if known == name}
    if not groups:
        fitting = [(known, group) for known, group in wider if name and known.startswith(name)]
        fitting = fitting or [(known, group) for known, group in slots.items() if name and known.startswith(name)]
        groups = {group for _, group in fitting}
        if len(groups) > 1:
            raise AmbiguousWorkerError(name, tuple(sorted({known for known, _ in fitting})))
    if not groups:
        raise UnknownWorkerError(name, tuple(sorted({known for known, _ in wider})))
    meant = frozenset().union(*groups)
    return [worker for worker in workers if worker.name in meant]


def _slots(workers: Iterable[WorkerState]) -> dict[str, Group]:
    return {worker.name: frozenset({worker.name}) for worker in workers}


def _wider(workers: Sequence[WorkerState]) -> list[tuple[str, Group]]:
    """The names of machines and daemons, with their workers."""
    found: dict[tuple[str, str], set[str]] = {}
    for worker in workers:
        daemon = daemon_of(worker.name)
        given = daemon.rpartition("-")[0] or daemon  # after it, the daemon has put something random
        for kind, name in (("machine", worker.host), ("daemon", daemon), ("given", given)):
            found.setdefault((kind, name), set()).add(worker.name)
    return [(name, frozenset(group)) for (_, name), group in found.items()]
