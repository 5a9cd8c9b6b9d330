"""What the operating system offers for keeping hold of processes.

Owns: who dies with whom, finding descendants, the mark in their environment, clocks that count while the
machine sleeps. On Linux all of it works; elsewhere (macOS) psutil finds descendants and the rest is left out.
Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from typing import Any

MARK_VARIABLE = "XPM_STARTER"
"""Holds 32 hexadecimal digits in the environment of a starter and of all that descends from it."""

BLANK_MARK = "0" * 32
"""The mark of a starter that serves nobody yet. It is never swept."""

STARTER_NAME = "xpm-starter"
STANDBY_NAME = "xpm-standby"
JOB_NAME = "xpm-job"

LINUX = sys.platform == "linux"

AS_SIGTERM = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP)
"""Signals that mean to a daemon what SIGTERM means: Slurm sends such a one before a time limit, a terminal hangs up."""

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36
_TIMER_CLOEXEC, _TIMER_NONBLOCK, _TIMER_ABSOLUTE = 0o2000000, 0o4000, 1

_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_libc = ctypes.CDLL(None, use_errno=True)
_libc.signal.argtypes, _libc.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p


def boot_time() -> float:
    """Seconds since the machine started, those included that it slept."""
    return time.clock_gettime(_CLOCK)


def die_with_parent(parent: int) -> None:
    """Let SIGKILL end this process when the thread that forked it ends.

    Args:
        parent: Its process id, as it was before the fork: if it is gone by now, this process ends at once.
    """
    if LINUX:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of all descendants that lose theirs, so that none escapes."""
    if LINUX:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def flush_c_files() -> None:
    """Write what the files of the C library still hold, as extension modules use them.

    Raises:
        OSError: One of them cannot be written.
    """
    if _libc.fflush(None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def set_name(name: str) -> None:
    """Name this process, in at most 15 characters, as `ps` and `top` show it."""
    if LINUX:
        _libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


class Alarm:
    """A moment of the boot clock at which a poll wakes, also when the machine slept meanwhile.

    Example:
        >>> alarm.set(boot_time() + 10)
        >>> poller.register(alarm.fileno(), select.POLLIN)
    """

    def __init__(self) -> None:
        self._fd = _libc.timerfd_create(_CLOCK, _TIMER_CLOEXEC | _TIMER_NONBLOCK) if LINUX else -1
        self._at: float | None = None

    def fileno(self) -> int:
        """A descriptor that can be read once the moment has come; -1 where there is no such thing."""
        return int(self._fd)

    def set(self, at: float | None) -> None:
        """Wake at that moment, or never."""
        if at == self._at:
            return
        self._at = at
        if self._fd >= 0:
            seconds, nanoseconds = divmod(max(int(at * 1e9), 1), 10**9) if at is not None else (0, 0)
            when = (ctypes.c_long * 4)(0, 0, seconds, nanoseconds)
            _libc.timerfd_settime(self._fd, _TIMER_ABSOLUTE, when, None)

    def wait_ms(self) -> int | None:
        """The longest that a poll may wait when there is no descriptor; else None."""
        if self._fd >= 0 or self._at is None:
            return None
        return min(max(int((self._at - boot_time()) * 1000), 0), 1000)

    def close(self) -> None:
        """Forget it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class SignalPipe:
    """Signals as bytes in a pipe, so that one poll waits for them and for everything else.

    Example:
        >>> signals = SignalPipe(signal.SIGCHLD, signal.SIGTERM)
        >>> poller.register(signals, select.POLLIN)
        >>> signals.read()
        [<Signals.SIGCHLD: 17>]
    """

    def __init__(self, *signals: signal.Signals) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if LINUX else _plain_pipe()
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for each in signals:
            signal.signal(each, lambda *_: None)

    def fileno(self) -> int:
        """Its descriptor, for poll."""
        return self._read

    def read(self) -> list[signal.Signals]:
        """The signals that came since, in order."""
        with contextlib.suppress(BlockingIOError):
            return [signal.Signals(number) for number in os.read(self._read, 4096) if number]
        return []

    def ring(self) -> None:
        """Wake whoever polls, without a signal; from any thread, and from a handler."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b"\0")

    def close(self) -> None:
        """Close it, in a process forked from the one that made it; handlers stay."""
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)


def _plain_pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def reset_signals(*ignored: signal.Signals) -> None:
    """Handle signals as a fresh interpreter does, but for those to ignore, and those of `AS_SIGTERM`; block none."""
    signal.set_wakeup_fd(-1)
    defaults: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGPIPE: signal.SIG_IGN}
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD, signal.SIGPIPE, *AS_SIGTERM):
        signal.signal(each, signal.SIG_IGN if each in ignored else defaults.get(each, signal.SIG_DFL))
    for each in AS_SIGTERM:
        _leave_to_daemon(each)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _leave_to_daemon(number: signal.Signals) -> None:
    """Survive a signal of `AS_SIGTERM`: the whole group has it, and the daemon lets each job end in time.

    Its handler is a C function that does nothing. It is not SIG_IGN, because programs that a job starts would inherit
    that. It is none of Python's, because code that asks Python for the handler is to find the default.
    """
    _libc.signal(int(number), ctypes.cast(_libc.getppid, ctypes.c_void_p))


def descendants(root: int, spare: Collection[int] = ()) -> list[int]:
    """Process ids of all that descends from a process, children before theirs; without some, and what is below them."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents():
        if pid not in spare:
            children.setdefault(parent, []).append(pid)
    found = list(children.get(root, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def parents() -> Iterator[tuple[int, int]]:
    """Each process of the machine, with its parent."""
    if not LINUX:
        import psutil

        yield from ((process.pid, process.info["ppid"]) for process in psutil.process_iter(["ppid"]))
        return
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # pid (command, which may hold anything) state parent ...
                yield int(name), int(file.read().rpartition(b")")[2].split()[1])


def send_signal(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each that is still there and ours."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def freeze_descendants(spare: Collection[int] = ()) -> None:
    """Stop all that descends from this process, also what it forks meanwhile; but for some."""
    stopped: set[int] = set()
    while fresh := [pid for pid in descendants(os.getpid(), spare) if pid not in stopped]:
        send_signal(fresh, signal.SIGSTOP)
        stopped.update(fresh)


def thaw_descendants() -> None:
    """Let all that descends from this process go on, parents after their children."""
    send_signal(descendants(os.getpid())[::-1], signal.SIGCONT)


def kill_descendants(spare: Collection[int] = ()) -> None:
    """Kill all that descends from this process, but for some, and wait until it is gone. It must adopt orphans."""
    pause_s = 0.001
    while _reap_all() and children().difference(spare):
        send_signal(descendants(os.getpid(), spare), signal.SIGKILL)
        if _reap_all() and children().difference(spare):
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.1)


def _reap_all() -> bool:
    """Take up the children that have ended. Returns whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def children() -> set[int]:
    """The children of this process, which has one thread."""
    with contextlib.suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children", "rb", buffering=0) as file:
        return {int(pid) for pid in file.read().split()}
    return {pid for pid, parent in parents() if parent == os.getpid()}


def hold_directory(path: str | os.PathLike[str]) -> int:
    """A descriptor of a directory, by which it is known whatever becomes of its path; it need not be readable."""
    return os.open(path, (os.O_PATH if LINUX else os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)


def is_removed(directory: int) -> bool:
    """Whether a directory that is held open was removed. An error (an unmount, a network file system) is no proof."""
    try:
        return os.fstat(directory).st_nlink == 0
    except OSError:
        return False


def fill_streams() -> None:
    """Open the descriptors 0, 1 and 2 where they are closed: no other file is to get their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def set_mark(mark: str) -> bool:
    """Put another mark of the same length into the environment that this process was started with.

    There, `/proc/<pid>/environ` shows it for this process and for all that it forks; `os.environ` gives it to what they
    exec. Returns whether that worked.
    """
    if not LINUX:
        return False
    with open("/proc/self/stat", "rb") as file:
        start, end = (int(field) for field in file.read().rpartition(b")")[2].split()[47:49])
    if not start or end <= start:
        return False
    memory = ctypes.string_at(start, end - start)
    known = f"{MARK_VARIABLE}={os.environ.get(MARK_VARIABLE, '')}\0".encode()
    at = memory.find(known)
    if at < 0 or len(mark) != len(known) - len(MARK_VARIABLE) - 2:
        return False
    ctypes.memmove(start + at, f"{MARK_VARIABLE}={mark}".encode(), len(known) - 1)
    os.environ[MARK_VARIABLE] = mark
    return True


def marked() -> Iterator[tuple[int, str]]:
    """All processes of ours that carry a mark, each with its mark."""
    if not LINUX:
        return
    wanted = f"{MARK_VARIABLE}=".encode()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                for entry in file.read().split(b"\0"):
                    if entry.startswith(wanted):
                        yield int(name), entry[len(wanted) :].decode("ascii", "replace")


def sweep(mark: str) -> int:
    """Kill every process that carries a mark, until none is left. Returns how many there were."""
    killed: set[int] = set()
    while mark and (found := [pid for pid, other in marked() if other == mark and pid != os.getpid()]):
        send_signal(found, signal.SIGKILL)
        killed.update(found)
        time.sleep(0.001)
    return len(killed)


def sweep_orphans() -> int:
    """Kill what was left behind by starters of this machine that are gone. Returns how many processes there were."""
    by_mark: dict[str, list[int]] = {}
    for pid, mark in marked():
        by_mark.setdefault(mark, []).append(pid)
    by_mark.pop(BLANK_MARK, None)
    orphaned = [mark for mark, pids in by_mark.items() if not any(_name(pid) == STARTER_NAME for pid in pids)]
    return sum(sweep(mark) for mark in orphaned)


def _name(pid: int) -> str:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as file:
        return file.read().strip()
    return ""
