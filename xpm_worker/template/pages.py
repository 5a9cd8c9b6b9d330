"""Memory pages that a forked process is going to write to: found once, then copied in advance with few calls.

A process that was just forked shares its memory with its parent. When it first writes to a page, a page fault occurs,
and the kernel gives it a copy of the page. Python writes to every object that it uses, because it counts references. So
the first steps of a job cause more than a thousand page faults, which is most of what a new process costs.

These pages are nearly the same in all processes that are forked from one template. So one process takes the steps
first, and it is looked up which pages it wrote to. All later processes have just these pages copied while they stand
by. Where the system does not show the pages or does not copy them (macOS, some containers), jobs have their page
faults.
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
"""A mapping with more bytes is not looked at, because such a large one holds data."""
_AT_ONCE = 64
"""Pages that one call copies. It takes 0.1 ms, for which other processes may have to wait."""


class _Byte(ctypes.Structure):
    """An iovec of the C library, of one byte."""

    _fields_ = (("address", ctypes.c_void_p), ("length", ctypes.c_size_t))


Pages = list["ctypes.Array[_Byte]"]
"""The first byte of each page, grouped by call."""


def written(steps: Callable[[], object]) -> Pages:
    """Return the pages that a process forked from this one writes to when it takes some steps.

    Args:
        steps: Called in such a process, which then ends. Its exceptions are ignored.

    Example:
        >>> found = written(lambda: json.loads("[1, 2]"))
        >>> if os.fork() == 0:
        ...     copy(found)
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
        ours.recv(1)  # no byte, if the process has crashed
        found = list(_own(pid, mappings))
    os.waitpid(pid, 0)
    groups = (found[at : at + _AT_ONCE] for at in range(0, len(found), _AT_ONCE))
    return [(_Byte * len(group))(*(_Byte(address, 1) for address in group)) for group in groups]


def copy(pages: Pages) -> None:
    """Give this process its own copies of pages: the kernel writes one byte of each page over itself.

    That takes less time than as many page faults (process_vm_writev(2), since Linux 3.2).

    Args:
        pages: As `written` returned them, in the process that this one was forked from.
    """
    for group in pages:
        _writev(os.getpid(), group, len(group), group, len(group), 0)
        os.sched_yield()


def _writable() -> list[tuple[int, int]]:
    """First address and number of pages of each private mapping that this process can write to."""
    with contextlib.suppress(OSError), open("/proc/self/maps") as maps:
        fields = [line.split(maxsplit=2) for line in maps]
        spans = [[int(each, 16) for each in span.split("-")] for span, mode, _ in fields if mode == "rw-p"]
        return [(start, (end - start) // _PAGE) for start, end in spans if end - start <= _LARGEST]
    return []


def _own(pid: int, mappings: list[tuple[int, int]]) -> Iterator[int]:
    """Addresses of the pages in mappings that a process shares with no other."""
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
