"""Tasks that the tests of workers run. They lie in a module of their own, because a worker imports it."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from xpm_core.config import Config, Param, Task, field
from xpm_core.job import running
from xpm_core.job.running import TaskCancelled
from xpm_worker.system.memory import LOOK_S, SHARE, proportional_bytes


class Write(Task):
    """Prints on both streams, and writes a file into its directory."""

    note: Param[str]

    def execute(self) -> None:
        print(f"out {self.note}")
        print(f"err {self.note}", file=sys.stderr)
        Path("result.txt").write_text(self.note)


class Fail(Task):
    """Raises, two frames deep."""

    note: Param[str] = field(default="x")

    def execute(self) -> None:
        inner(self.note)


def inner(note: str) -> None:
    raise ValueError(f"no good: {note}")


class Exit(Task):
    """Ends by sys.exit."""

    code: Param[int]

    def execute(self) -> None:
        sys.exit(self.code)


class Signal(Task):
    """Ends by a signal."""

    number: Param[int]

    def execute(self) -> None:
        os.kill(os.getpid(), self.number)
        signal.pause()


class Wait(Task):
    """Runs until a file appears, and counts meanwhile in another."""

    note: Param[str]
    until: Param[Path]

    def execute(self) -> None:
        with open("alive", "w") as alive:
            Path("pid").write_text(str(os.getpid()))
            while not self.until.exists():
                alive.write(".")
                alive.flush()
                time.sleep(0.005)


class Saving(Task):
    """Saves beside a file when it is told to end, each time it is run, until that file is there."""

    until: Param[Path]

    def execute(self) -> None:
        count = 1
        while Path(f"{self.until}{count}").exists():
            count += 1
        try:
            Path(f"ready{count}").touch()
            while not self.until.exists():
                time.sleep(0.005)
        except TaskCancelled:
            Path(f"{self.until}{count}").touch()
            raise


class Nap(Task):
    """Takes a moment."""

    note: Param[str]

    def execute(self) -> None:
        time.sleep(0.05)


class Hog(Task):
    """Takes memory, itself or in processes that it forks; they share what it has had before.

    With processes, all hold their memory at once until the starter has looked, which it does the more rarely the longer
    a look takes. So this task looks, too, and waits for longer than the starter's pause can be.
    """

    megabytes: Param[int]
    shared: Param[int] = field(default=0)
    children: Param[int] = field(default=0)

    def execute(self) -> None:
        shared = full(self.shared)
        filled, kept = os.pipe(), os.pipe()
        pids = [self.forked(filled, kept) for _ in range(self.children)]
        own = full(self.megabytes)
        os.close(filled[1])
        while os.read(filled[0], 1):  # until each has filled its memory, or has ended
            pass
        if pids:
            time.sleep(2 * (LOOK_S + SHARE * max(seconds_of_a_look([os.getpid(), *pids]) for _ in range(5))))
        os.close(kept[1])
        assert all(os.waitpid(pid, 0)[1] == 0 for pid in pids)
        assert len(own) == self.megabytes * 10**6, len(shared)

    def forked(self, filled: tuple[int, int], kept: tuple[int, int]) -> int:
        pid = os.fork()
        if not pid:
            os.close(kept[1])
            own = full(self.megabytes)
            os.close(filled[1])
            os.read(kept[0], 1)  # until the parent has closed it
            os._exit(len(own) != self.megabytes * 10**6)
        return pid


def seconds_of_a_look(pids: list[int]) -> float:
    """How long it takes to look at the memory of processes."""
    began = time.monotonic()
    sum(map(proportional_bytes, pids))
    return time.monotonic() - began


def full(megabytes: int) -> bytes:
    """So much memory, each page of it in use."""
    return b"x" * (megabytes * 10**6)


class Stubborn(Task):
    """Does not heed SIGTERM."""

    note: Param[str]

    def execute(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Path("ready").touch()
        while True:
            signal.pause()


class FailAtExit(Task):
    """Leaves an exit handler that raises."""

    note: Param[str]

    def execute(self) -> None:
        atexit.register(raise_too_late)


def raise_too_late() -> None:
    raise ValueError("too late")


class FillUp(Task):
    """Has something to print that its standard output does not take."""

    note: Param[str]

    def execute(self) -> None:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, 1)
        print("never seen", end="")


class Lasting(Task):
    """Returns before its thread has ended, and leaves an exit handler."""

    note: Param[str]

    def execute(self) -> None:
        folder = Path("late").absolute()
        folder.mkdir()
        begin = threading.Event()

        def thread() -> None:
            begin.wait()
            (folder / "thread").touch()

        atexit.register((folder / "handler").touch)
        threading.Thread(target=thread).start()
        threading.Timer(0.05, begin.set).start()


class CloseAll(Task):
    """Closes every descriptor, opens a file of its own under one of those numbers, and raises."""

    note: Param[str]

    def execute(self) -> None:
        os.closerange(0, 256)
        with open("own", "w") as first, open(os.devnull) as second:
            first.write("mine")
            files = [os.dup(first.fileno()) for _ in range(30)]
            assert second, files
            raise ValueError("after closing")


class Graceful(Task):
    """Ends on SIGTERM: by returning, or by exiting with 0."""

    note: Param[str]

    def execute(self) -> None:
        heard = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0) if self.note == "exit" else heard.set())
        Path("ready").touch()
        while not heard.is_set():
            time.sleep(0.005)


class Tell(Task):
    """Tells much while it runs."""

    words: Param[int]

    def execute(self) -> None:
        assert running.current is not None
        for word in range(self.words):
            running.current.report("progress", {"word": word, "text": "x" * 100})
            running.current.report("note", {"word": word})
        Path("told").touch()


class Babble(Task):
    """Writes nonsense to its starter."""

    note: Param[str]

    def execute(self) -> None:
        for name, target in open_files():
            if os.readlink(target).startswith("socket:"):
                os.write(int(name), b"\x00\x00\x00\x05hello" * 1000)


class Environment(Task):
    """Writes down its environment."""

    note: Param[str]

    def execute(self) -> None:
        Path("environ").write_text("\n".join(f"{name}={value}" for name, value in os.environ.items()))


class Daemonize(Task):
    """Leaves a process behind that has a session of its own and no parent, and waits."""

    until: Param[Path]

    def execute(self) -> None:
        code = (
            "import os, time; os.fork() and os._exit(0); open('daemon', 'w').write(str(os.getpid())); time.sleep(600)"
        )
        subprocess.run([sys.executable, "-c", code], start_new_session=True, check=True)
        Path("pid").write_text(str(os.getpid()))
        while not (self.until.exists() and Path("daemon").exists()):
            time.sleep(0.005)


class Look(Task):
    """Writes down what a job's process can see of its surroundings."""

    note: Param[str] = field(default="x")

    def execute(self) -> None:
        import json

        found = {
            "modules": sorted(sys.modules),
            "environ": dict(os.environ),
            "proc_environ": Path("/proc/self/environ").read_bytes().decode("utf-8", "replace"),
            "fds": {name: os.readlink(path) for name, path in open_files()},
            "cwd": os.getcwd(),
            "path": sys.path,
            "argv": sys.argv,
            "session": os.getsid(0) == os.getpid(),
            "taskdir": str(self.__taskdir__),
            "tags": self.__tags__,
        }
        Path("found.json").write_text(json.dumps(found))


def open_files() -> list[tuple[str, str]]:
    paths = [(name, f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
    return [(name, path) for name, path in paths if os.path.lexists(path)]


class Search(Task):
    """Counts how often a text, given in two halves, is found in the memory of its process and of its starter."""

    half: Param[str]
    other: Param[str]

    def execute(self) -> None:
        found = sum(self.count(pid) for pid in (os.getpid(), os.getppid()))
        Path("found.txt").write_text(str(found))

    def count(self, pid: int) -> int:
        found = 0
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                where, rights = line.split()[:2]
                start, end = (int(part, 16) for part in where.split("-"))
                if "r" not in rights or line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                    continue
                memory.seek(start)
                found += self.occurrences(memory.read(end - start))
        return found

    def occurrences(self, data: bytes) -> int:
        """Never joins the halves, so as not to find itself."""
        first, second = self.half.encode(), self.other.encode()
        at, found = data.find(first), 0
        while at >= 0:
            found += data.startswith(second, at + len(first))
            at = data.find(first, at + 1)
        return found


class Part(Config):
    """A configuration with seeds of its own."""

    init_seed: Param[int]
    dropout: Param[float] = field(default=0.1)


class Seeded(Task):
    """A task with seeds at several places; their values are written."""

    seed: Param[int]
    random_state: Param[int] = field(default=5)
    seeds_of_others: Param[int] = field(default=6)
    data_seed: Param[str] = field(default="no integer")
    parts: Param[list[Part]]

    def execute(self) -> None:
        Path("seed.txt").write_text(f"{self.seed}")
