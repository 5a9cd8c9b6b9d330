"""What a process does while it stands by for a job: everything once, and nothing of it is seen."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, os, sys
from xpm_core.config import Config
from xpm_worker import rehearsal

def below(cls):
    return [name for each in cls.__subclasses__() for name in (each.__name__, *below(each))]

def stands():
    descriptors = sorted(os.listdir("/proc/self/fd"))
    return [sorted(sys.modules), sorted(below(Config)), sorted(os.environ), descriptors, sys.path]

rehearsal.play()
list(rehearsal.steps())
before, taken = stands(), 0
for _ in rehearsal.steps():
    taken += 1
    if taken == int(sys.argv[1]):
        break
print(json.dumps([before, stands(), taken]))
"""


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_nothing_of_a_rehearsal_stays_also_when_it_is_broken_off(most: int) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(most)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    before, after, taken = json.loads(done.stdout)
    assert before == after
    assert taken == min(most, 3)
