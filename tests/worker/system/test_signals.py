"""Signals and rings arrive as bytes on a pipe."""

from __future__ import annotations

import os
import select
import signal

from helpers.waiting import wait_until

from xpm_worker.system import signals


def test_signals_and_rings_wake_a_poll() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    pipe = signals.SignalPipe(signal.SIGUSR1)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_until(lambda: select.select([pipe], [], [], 0)[0])
        assert pipe.read() == [signal.SIGUSR1]
        pipe.wake()
        assert select.select([pipe], [], [], 0)[0]
        assert pipe.read() == []
    finally:
        pipe.close()
        signal.signal(signal.SIGUSR1, before)
