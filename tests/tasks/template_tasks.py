"""Tasks whose modules import installed packages, so that templates are made for them."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import uuid
from pathlib import Path

import numpy as np

from xpm_core.config import Param, Task, field

GENERATOR = np.random.default_rng()
STATE: dict[str, int] = {}


class Draw(Task):
    """Writes down random numbers from every generator that nobody has seeded, and who forked it."""

    number: Param[int]

    def execute(self) -> None:
        drawn = {
            "numpy": np.random.random(),
            "generator": GENERATOR.random(),
            "random": random.random(),
            "uuid": str(uuid.uuid4()),
            "tempfile": tempfile.mktemp(),
        }
        Path("drawn.json").write_text(json.dumps({**drawn, "threads": os.environ.get("OMP_NUM_THREADS")}))


class Mutate(Task):
    """Changes what a process has of its own; or, with `look`, writes down what it finds."""

    look: Param[bool] = field(default=False)

    def execute(self) -> None:
        if self.look:
            found = [STATE, os.environ.get("LEAK"), os.getcwd() == str(self.__taskdir__), random.getstate()[0]]
            found.append(signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL)
            Path("found.json").write_text(json.dumps([*found, float(np.random.get_state()[1][0])]))
            return
        STATE["leaked"] = 1
        os.environ["LEAK"] = "1"
        np.random.seed(7)
        random.seed(7)
        os.chdir("/")
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)


class Cold(Draw):
    """Wants no template."""

    template = False
