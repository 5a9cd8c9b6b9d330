"""Forking a sibling: a new process whose parent is the parent of this process.

A template forks the processes of jobs in this way. They are children of the starter, which waits for them and guards
them, and they outlive the template.

Linux can do this in one step (CLONE_PARENT in clone(2)). Where that is not safe or not possible, this process forks
twice instead: the process in the middle exits at once, and the starter adopts its child. That takes a millisecond more.

The single step is not safe if a loaded library has registered fork handlers (pthread_atfork(3)), as some libraries for
random numbers do. Only the C library's `fork` calls these handlers, and it does not show whether there are any.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from functools import cache

_PR_GET_TID_ADDRESS = 40
_CLONE3 = 435
"""The number of this system call, which is the same on all processors."""
_ROBUST_LIST = {"x86_64": (273, 274), "aarch64": (99, 100)}
"""The numbers of the system calls set_robust_list and get_robust_list, by processor."""
_ROBUST_SIZE = 24
"""Bytes of `struct robust_list_head`."""
_CLONE_PARENT, _CLONE_CHILD_CLEARTID, _CLONE_CHILD_SETTID = 0x8000, 0x200000, 0x1000000


class _Arguments(ctypes.Structure):
    """`struct clone_args`. With CLONE_PARENT, the parent gets the same signal as when this process ends: SIGCHLD."""

    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in ("flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size", "tls")
    )


def fork(parent: int, *, at_once: bool = True) -> bool:
    """Fork a sibling.

    Args:
        parent: Process id of this process's parent, which must adopt orphans (`kernel.adopt_orphans`).
        at_once: Whether the single step is safe: this process has loaded only known libraries, see `libraries`.

    Returns:
        True in the new process, false in this one.

    Raises:
        OSError: No process can be started.
    """
    tid, robust = _tid_address(), _robust_list()
    pid = _clone(tid, robust) if at_once and tid and robust else -1
    return pid == 0 if pid >= 0 else _fork_twice(parent)


def libraries() -> set[str]:
    """Return the files of the shared libraries that this process has loaded."""
    with contextlib.suppress(OSError), open("/proc/self/maps") as maps:
        return {line.split(maxsplit=5)[5] for line in maps if ".so" in line}
    return set()


def _clone(tid: int, robust: int) -> int:
    """Do what `os.fork` does, with other flags. Returns -1 if the system refuses.

    Python's own state is prepared by the functions that its C interface offers for this (PyOS_BeforeFork and others).
    The C library's `fork` does two more things that matter in a process of one thread. It notes the id of the new
    process. And it registers the list of robust mutexes again, which the kernel unlocks if the process is killed.

    Args:
        tid: Address of the thread's id, see `_tid_address`.
        robust: Address of the list, see `_robust_list`.
    """
    arguments = _Arguments(flags=_CLONE_PARENT | _CLONE_CHILD_SETTID | _CLONE_CHILD_CLEARTID, child_tid=tid)
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = int(_syscall(_CLONE3, ctypes.byref(arguments), ctypes.sizeof(arguments)))
    if pid:
        python.PyOS_AfterFork_Parent()
    else:
        _syscall(_ROBUST_LIST[os.uname().machine][0], ctypes.c_void_p(robust), ctypes.c_size_t(_ROBUST_SIZE))
        python.PyOS_AfterFork_Child()
    return pid


@cache
def _tid_address() -> int:
    """Where the C library notes the id of this thread; 0 if this process has more than one thread.

    With more threads, as OpenBLAS starts them, the handlers of `pthread_atfork` must be called, which only the C
    library can do.
    """
    try:
        alone = len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return 0
    address = ctypes.c_void_p()
    if not alone or ctypes.CDLL(None).prctl(_PR_GET_TID_ADDRESS, ctypes.byref(address), 0, 0, 0):
        return 0
    found = address.value or 0
    return found if found and ctypes.c_int.from_address(found).value == os.getpid() else 0


@cache
def _robust_list() -> int:
    """Where the C library lists the robust mutexes that this thread holds; 0 if that cannot be found out."""
    if os.uname().machine not in _ROBUST_LIST or ctypes.sizeof(ctypes.c_void_p) != 8:
        return 0
    head, size = ctypes.c_void_p(), ctypes.c_size_t()
    failed = _syscall(_ROBUST_LIST[os.uname().machine][1], 0, ctypes.byref(head), ctypes.byref(size))
    return 0 if failed or size.value != _ROBUST_SIZE else head.value or 0


def _fork_twice(parent: int) -> bool:
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return False
    if os.fork():
        os._exit(0)
    while os.getppid() != parent:
        if os.getppid() == 1:
            os._exit(1)  # the parent died meanwhile
        os.sched_yield()
    return True


_syscall = ctypes.PyDLL(None).syscall
"""Called without releasing the interpreter's lock, as PyOS_BeforeFork requires."""
