"""When a worker leaves for lack of work, and when it gives up, by a clock that the test sets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desk import OTHER, WORKER, Desk, submission

from xpm_core.store import events
from xpm_worker import claimer
from xpm_worker.claimer import Claimer
from xpm_worker.orders import Orders


class Clock:
    """A clock that goes on while a worker waits for work."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.meanwhile: Callable[[], None] = lambda: None

    def read(self) -> float:
        """What the time is."""
        return self.now_s

    def wait(self, _: object, seconds: float) -> None:
        """Let time go by, in which something may happen."""
        self.meanwhile()
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the claimer's clock shows."""
    clock = Clock()
    monkeypatch.setattr(claimer, "boot_time", clock.read)
    return clock


@pytest.fixture
def idle(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Claimer:
    """A worker for which there is nothing to do."""
    monkeypatch.setattr(desk.store, "wait_for_wake", clock.wait)
    return Claimer(desk.store, desk.store, OTHER, Orders(), lambda: None)


def test_a_lingering_worker_leaves_so_long_after_the_end_of_the_last_job(
    desk: Desk, clock: Clock, idle: Claimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after it has next looked, which may be 5 s later."""
    desk.submit(submission("a"))
    lease = desk.claim(WORKER)
    ended: list[float] = []

    def end() -> None:
        if not ended:
            desk.finish(lease)
            ended.append(clock.now_s)

    clock.meanwhile = end
    monkeypatch.setattr(events, "silence", lambda *_: clock.now_s - ended[0])
    assert idle.next(burst=False, linger_s=10.0) is None
    assert clock.now_s == pytest.approx(ended[0] + 10.0)


def test_a_worker_that_comes_after_the_end_of_the_last_job_lingers_all_the_same(
    clock: Clock, idle: Claimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "silence", lambda *_: 1000.0)
    came_s = clock.now_s
    assert idle.next(burst=False, linger_s=10.0) is None
    assert clock.now_s == pytest.approx(came_s + 10.0)
