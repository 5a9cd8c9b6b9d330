"""Pages that a forked process writes to: found, and copied unchanged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

COPIES = """
import ctypes, json, mmap, os
from xpm_worker.template import pages

PAGE = mmap.PAGESIZE
memory = mmap.mmap(-1, 300 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.write(b"x" * len(memory))
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))

def own():
    return [(address - start) // PAGE for address in pages._own(os.getpid(), [(start, 300)])]

def steps():
    for at in (3, *range(100, 250)):
        memory[at * PAGE + 5] = 0
    raise RuntimeError("of no interest")

found = pages.written(steps)
addresses = [each.address for group in found for each in group]
told = [(each - start) // PAGE for each in addresses if start <= each < start + len(memory)]
if os.fork() == 0:
    before = own()
    pages.copy(found)
    print(json.dumps([told, before, own(), set(memory[:]) == {ord("x")}]), flush=True)
    os._exit(0)
os.wait()
"""


def output(script: str) -> Any:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.skipif(not os.path.exists("/proc/self/pagemap"), reason="the system does not tell")
def test_what_steps_write_to_is_found_and_copied_unchanged() -> None:
    written = [3, *range(100, 250)]
    told, before, after, unchanged = output(textwrap.dedent(COPIES))
    assert told == written
    assert before == []
    assert after == written
    assert unchanged
