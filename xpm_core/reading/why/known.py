"""Reasons that follow from what the caller knows: some jobs, or some queues. Nothing is read here.

A script shows them while it waits. `reader.py` reads more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from xpm_core.states import State
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_in_line import AboutToStart, Busy, TokenHeld
from xpm_core.words.reasons_of_workers import Paused, Unserved

if TYPE_CHECKING:
    from xpm_core.store.records import Pause, Serving


class Demanding(Protocol):
    """A job, as far as this module looks at it."""

    @property
    def state(self) -> State: ...

    @property
    def demand(self) -> Mapping[str, int]: ...


def unserved(queues: Iterable[Serving], among: Collection[str] | None = None) -> list[Unserved]:
    """The queues that have ready jobs and no living worker. A paused one is left out: no worker would help.

    Args:
        queues: What `Store.look` has seen.
        among: The queues that the caller asks about; None for all.
    """
    found = [Unserved(each.queue, each.ready) for each in queues if each.ready and not each.workers and not each.pause]
    return [each for each in found if among is None or each.queue in among]


def paused(queue: str, pause: Pause, now_s: float | None) -> Paused:
    """The pause of a queue as a reason; `now_s` is the server's time, epoch seconds, None if it is not known."""
    for_s = max(now_s - pause.since_s, 0.0) if pause.since_s and now_s is not None else None
    return Paused(queue, for_s, pause.by, pause.why)


def all_paused(queues: Iterable[Serving], now_s: float | None, among: Collection[str] | None = None) -> list[Paused]:
    """The queues that have ready jobs and are paused. The arguments are those of `unserved` and `paused`."""
    found = [paused(each.queue, each.pause, now_s) for each in queues if each.ready and each.pause]
    return [each for each in found if among is None or each.queue in among]


def reason_of_ready(jobs: Collection[Demanding], obstacles: Sequence[Reason]) -> Reason:
    """Why the ready ones among some jobs do not run, as far as these jobs show it.

    Args:
        jobs: The jobs that the caller knows, in any state.
        obstacles: What is known to be in the way of ready ones: queues that are paused, or that no worker serves.
    """
    if obstacles:
        return obstacles[0]
    running = [job for job in jobs if job.state is State.RUNNING]
    held = {name for job in running for name in job.demand}
    wanted = {name for job in jobs if job.state is State.READY for name in job.demand}
    if held & wanted:
        return TokenHeld(tuple(sorted(held & wanted)))
    return Busy() if running else AboutToStart()
