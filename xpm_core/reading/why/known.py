"""Reasons that follow from what the caller knows: some jobs, or some queues. Nothing is read here.

A script shows them while it waits. `reader.py` reads more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from xpm_core.states import State
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_in_line import AboutToStart, Busy, TokenHeld
from xpm_core.words.reasons_of_workers import Unserved

if TYPE_CHECKING:
    from xpm_core.store.records import Serving


class Demanding(Protocol):
    """A job, as far as this module looks at it."""

    @property
    def state(self) -> State: ...

    @property
    def demand(self) -> Mapping[str, int]: ...


def unserved(queues: Iterable[Serving], among: Collection[str] | None = None) -> list[Unserved]:
    """The queues that have ready jobs and no living worker.

    Args:
        queues: What `Store.look` has seen.
        among: The queues that the caller asks about; None for all.
    """
    found = [Unserved(each.queue, each.ready) for each in queues if each.ready and not each.workers]
    return [each for each in found if among is None or each.queue in among]


def reason_of_ready(jobs: Collection[Demanding], unserved: Sequence[Unserved]) -> Reason:
    """Why the ready ones among some jobs do not run, as far as these jobs show it.

    Args:
        jobs: The jobs that the caller knows, in any state.
        unserved: Queues of theirs that no living worker serves.
    """
    if unserved:
        return unserved[0]
    running = [job for job in jobs if job.state is State.RUNNING]
    held = {name for job in running for name in job.demand}
    wanted = {name for job in jobs if job.state is State.READY for name in job.demand}
    if held & wanted:
        return TokenHeld(tuple(sorted(held & wanted)))
    return Busy() if running else AboutToStart()
