"""Siblings that a template forks: they have another parent, and draw their own numbers."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from typing import Any

import pytest

SIBLINGS = """
import json, os, random, sys, threading
from xpm_worker.system import kernel
from xpm_worker.template import sibling

def tell():
    known = noted() != 0
    thread = threading.Thread(target=lambda: None)  # the interpreter's lock and the notes about threads are in order
    thread.start()
    thread.join()
    os.write(write, json.dumps([os.getpid(), os.getppid(), random.random(), known]).encode() + b"\\n")

noted = sibling._tid_address.__wrapped__
kernel.adopt_orphans()
read, write = os.pipe()
starter = os.getpid()
if (template := os.fork()) == 0:
    {before}
    for code in (7, 8):
        if sibling.fork(starter):
            tell()
            os._exit(code)
    os._exit(3)
ended = {{}}
for _ in range(3):
    pid, status = os.wait()
    ended[pid] = os.waitstatus_to_exitcode(status)
os.close(write)
print(json.dumps([starter, template, list(ended.items()), [json.loads(line) for line in open(read)]]))
"""

AT_ONCE = "sibling._fork_twice = None"
TWICE = "sibling._tid_address = lambda: 0"
WITH_A_THREAD = "threading.Thread(target=threading.Event().wait, daemon=True).start()"


HOLDS = """
import ctypes, json, mmap, os, signal, time
from xpm_worker.system import kernel
from xpm_worker.template import sibling

{before}
libc = ctypes.CDLL(None)
memory = mmap.mmap(-1, mmap.PAGESIZE)
mutex = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
kind = ctypes.create_string_buffer(64)
libc.pthread_mutexattr_init(kind)
libc.pthread_mutexattr_setpshared(kind, 1)
libc.pthread_mutexattr_setrobust(kind, 1)
libc.pthread_mutex_init(mutex, kind)
kernel.adopt_orphans()
starter = os.getpid()
if os.fork() == 0:
    if sibling.fork(starter):
        libc.pthread_mutex_lock(mutex)
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0)
os.wait()
os.wait()
print(libc.pthread_mutex_trylock(mutex))
"""


def output(script: str) -> Any:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("before", [AT_ONCE, TWICE, WITH_A_THREAD])
def test_siblings_are_children_of_the_parent_and_each_draws_its_own_numbers(before: str) -> None:
    starter, template, ended, told = output(SIBLINGS.format(before=before))
    codes = dict(ended)
    assert codes.pop(template) == 3
    assert sorted(codes.values()) == [7, 8]
    pids, parents, numbers, noted = map(set, zip(*told, strict=True))
    assert pids == set(codes)
    assert parents == {starter}
    assert len(numbers) == 2
    assert noted == {True}, "the C library knows the process's id"


@pytest.mark.skipif(sys.platform != "linux", reason="mutexes have other forms")
@pytest.mark.parametrize("before", [AT_ONCE, TWICE])
def test_a_lock_that_a_killed_sibling_held_is_passed_on(before: str) -> None:
    """As LMDB has for its files."""
    assert output(HOLDS.format(before=before)) == errno.EOWNERDEAD
