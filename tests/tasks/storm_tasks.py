"""The task that the storm runs. It leaves a trace of each moment in which it ran."""

from __future__ import annotations

import os
import time
from pathlib import Path

from xpm_core.config import Param, Task, field

TRACE_S = 0.01


def now() -> float:
    """Seconds since boot, by the clock that all processes of this machine share."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Stormy(Task):
    """Runs for a while, and writes down when it ran: `execution seconds`, a line each 10 ms."""

    number: Param[int]
    seconds: Param[float]
    fails_first: Param[bool] = field(default=False)

    def execute(self) -> None:
        execution = os.environ["XPM_EXECUTION"]
        folder = Path(os.environ["XPM_WORKSPACE"], "traces", os.environ["XPM_JOB"])
        folder.mkdir(parents=True, exist_ok=True)
        first = not any(folder.iterdir())
        end = now() + self.seconds
        with open(folder / execution, "a", buffering=1) as trace:
            trace.write(f"{now():.4f}\n")
            while now() < end:
                time.sleep(TRACE_S)
                trace.write(f"{now():.4f}\n")
        if self.fails_first and first:
            raise ValueError("the first attempt fails")
        Path("result.txt").write_text(str(self.number))
