"""Tasks that use what a running job can ask for. They lie in a module of their own, as a worker imports it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from xpm_core import GracefulTimeout, Meta, Param, ResumableTask, Task, TaskCancelled, field, progress, tqdm, trange


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.005)


class Checkpoint(Task):
    """Told to end, saves what it has; then it raises again, or does what `how` says."""

    how: Param[str] = field(default="raise")

    def execute(self) -> None:
        Path("ready").touch()
        try:
            threading.Event().wait()
        except TaskCancelled as told:
            Path("saved").write_text(f"{told.remaining_time:g}")
            if self.how == "return":
                return
            if self.how == "hang":
                wait_for(Path("/nonexistent"))
            if self.how == "fail":
                raise ValueError("cannot save") from None
            raise
        except Exception:
            Path("swallowed").touch()


class Swallow(Task):
    """Goes on whatever happens, as loops over steps do that may each fail."""

    note: Param[str]

    def execute(self) -> None:
        while True:
            try:
                Path("ready").touch()
                time.sleep(0.005)
            except Exception:
                Path("swallowed").touch()


class Pool(Task):
    """Has processes of its own, which are ended by SIGTERM as they would be elsewhere."""

    note: Param[str]

    def execute(self) -> None:
        pid = os.fork()
        if not pid:
            signal.pause()
            os._exit(1)
        os.kill(pid, signal.SIGTERM)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        Path("code").write_text(str(code))


class Closing(Task):
    """Has returned, and waits for a thread of its own when it is told to end."""

    note: Param[str]
    until: Meta[Path]

    def execute(self) -> None:
        threading.Thread(target=wait_for, args=[self.until]).start()
        Path("ready").touch()


class Count(ResumableTask):
    """Counts to 3, one step an attempt, and hands itself back after each."""

    note: Param[str]

    def execute(self) -> None:
        state = Path("state")
        done = int(state.read_text()) + 1 if state.exists() else 1
        state.write_text(str(done))
        if done < 3:
            raise GracefulTimeout(f"step {done} is enough")


class Once(Task):
    """Hands itself back the first time; leaves a file that a fresh start does not find."""

    note: Param[str]
    elsewhere: Meta[Path]

    def execute(self) -> None:
        Path("kept").write_text(str(Path("kept").exists()))
        if not self.elsewhere.exists():
            self.elsewhere.touch()
            raise GracefulTimeout


class Need(ResumableTask):
    """Needs more time than there is left, or hands itself back."""

    seconds: Param[float]

    def execute(self) -> None:
        left = self.remaining_time()
        with open("seen", "a") as seen:
            print(left, file=seen)
        if left is not None and left < self.seconds:
            raise GracefulTimeout("not enough time")


class Holding(Task):
    """Writes down what it holds of tokens, as it is told, and as a process is told that it starts."""

    names: Param[list[str]]

    def execute(self) -> None:
        ask = "import sys; from xpm_core import job; print([job.token_units('x', n) for n in sys.argv[1:]])"
        child = subprocess.run([sys.executable, "-c", ask, *self.names], check=True, capture_output=True, text=True)
        found = {
            "units": [self.token_units(name) for name in self.names],
            "child": child.stdout.strip(),
            "environ": dict(os.environ),
        }
        Path("found.json").write_text(json.dumps(found))


class Greedy(Task):
    """Asks for units of a token that it does not hold."""

    note: Param[str]

    def execute(self) -> None:
        self.token_units("gpu")


class Steps(Task):
    """Tells how far it is, in a loop within a loop, and waits in the middle."""

    note: Param[str]
    until: Meta[Path]

    def execute(self) -> None:
        for epoch in tqdm(range(10), desc="epoch"):
            for batch in trange(4, desc="batch"):
                if (epoch, batch) == (8, 2):
                    wait_for(self.until)
        Path("log").write_text(Path(f"{type(self).__name__.lower()}.err").read_text())


class Busy(Task):
    """Tells very often how far it is, and then nothing any more for a while."""

    calls: Param[int]
    until: Meta[Path]

    def execute(self) -> None:
        for call in range(self.calls):
            progress(call / self.calls, desc=f"call {call}")
        Path("threads").write_text(str(threading.active_count()))
        Path("called").touch()
        wait_for(self.until)


class Forking(Task):
    """Tells how far it is, also in a process that it has forked, where nobody is to hear it."""

    note: Param[str]

    def execute(self) -> None:
        for number in range(20):
            progress(number / 100, desc="parent")
            pid = os.fork()
            if not pid:
                progress(0.9, desc="child")
                os._exit(threading.active_count() - 1)
            assert os.waitpid(pid, 0)[1] == 0, "a fork has no thread of ours"
        Path("done").touch()
