"""An alarm by the clock that goes on while the machine sleeps."""

from __future__ import annotations

import select

from xpm_worker.system import clock


def test_an_alarm_wakes_a_poll_at_its_moment_and_not_before() -> None:
    alarm = clock.Alarm()
    alarm.set(clock.boot_time() + 0.05)
    assert not select.select([alarm], [], [], 0)[0]
    assert select.select([alarm], [], [], 10)[0]
    alarm.set(None)
    assert not select.select([alarm], [], [], 0)[0]
    alarm.set(clock.boot_time() - 1)
    assert select.select([alarm], [], [], 10)[0]
    alarm.close()
