"""Pages of memory that a forked process is going to write to: found out once, then copied ahead in few calls.

A process that was just forked shares its memory with the one it comes from, and gets a copy of each page when it first
writes to it. Python writes to whatever it uses, for it counts references, so that a job's first steps cost more than a
thousand page faults, most of what a new process costs. They are nearly the same pages in all processes that are forked
from one template. So a first one takes these steps, it is looked up what it wrote to, and all others have just that
copied while they stand by.

Where the system does not tell, or does not copy (macOS, some containers), jobs pay for their page faults.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from array import array
from collections.abc import Callable, Iterator

_PAGE = os.sysconf("SC_PAGESIZE")
_ENTRY = 8
"""Bytes that `/proc/<pid>/pagemap` has for each page."""
_OWN = 1 << 63 | 1 << 56
"""Bits of an entry: the page is in memory, and in no other process's (pagemap.rst in Linux's documentation)."""
_LARGEST = 1 << 28
"""Bytes of a mapping beyond which it is not looked at: what is so large is data."""
_AT_ONCE = 64
"""Pages that are copied in one call: 0.1 ms, for which others may have to wait."""


class _Byte(ctypes.Structure):
    """An iovec of the C library, of one byte."""

    _fields_ = (("address", ctypes.c_void_p), ("length", ctypes.c_size_t))


Pages = list["ctypes.Array[_Byte]"]
"""The first byte of each page, some pages in each call."""


def written(steps: Callable[[], object]) -> Pages:
    """The pages that a process forked from this one writes to when it takes some steps.

    Args:
        steps: Called in such a process, which then ends. What it raises is of no interest.
    """
    mappings = _writable()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = os.fork()
        if pid == 0:
            try:
                ours.close()
                with contextlib.suppress(Exception):
                    steps()
                theirs.send(b"+")
                theirs.recv(1)
            finally:
                os._exit(0)
        theirs.close()
        ours.recv(1)  # nothing, if it has crashed
        found = list(_own(pid, mappings))
    os.waitpid(pid, 0)
    groups = (found[at : at + _AT_ONCE] for at in range(0, len(found), _AT_ONCE))
    return [(_Byte * len(group))(*(_Byte(address, 1) for address in group)) for group in groups]


def copy(pages: Pages) -> None:
    """Give this process copies of its own of pages: the kernel writes a byte of each over itself.

    That takes less than as many page faults (process_vm_writev, since Linux 3.2).

    Args:
        pages: Told by `written`, in the process that this one was forked from.
    """
    for group in pages:
        _writev(os.getpid(), group, len(group), group, len(group), 0)
        os.sched_yield()


def _writable() -> list[tuple[int, int]]:
    """First address, and number of pages, of each mapping that this process can write to and that is its alone."""
    with contextlib.suppress(OSError), open("/proc/self/maps") as maps:
        fields = [line.split(maxsplit=2) for line in maps]
        spans = [[int(each, 16) for each in span.split("-")] for span, mode, _ in fields if mode == "rw-p"]
        return [(start, (end - start) // _PAGE) for start, end in spans if end - start <= _LARGEST]
    return []


def _own(pid: int, mappings: list[tuple[int, int]]) -> Iterator[int]:
    """Addresses of those pages in mappings that no process has but this one."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap:
        for start, count in mappings:
            pagemap.seek(start // _PAGE * _ENTRY)
            entries = array("Q", pagemap.read(count * _ENTRY))
            yield from (start + at * _PAGE for at, entry in enumerate(entries) if entry & _OWN == _OWN)


def _function() -> Callable[..., int]:
    vector, count = ctypes.c_void_p, ctypes.c_ulong
    form = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_int, vector, count, vector, count, count)
    try:
        return form(("process_vm_writev", ctypes.CDLL(None)))
    except AttributeError:  # no Linux
        return lambda *_: -1


_writev = _function()
