"""Tasks that use what a running job can ask. They lie in a module of their own, because a worker imports it."""

from __future__ import annotations

import json
import numbers
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xpm_core import (
    Config,
    GracefulTimeout,
    LightweightTask,
    Meta,
    Param,
    PathGenerator,
    ResumableTask,
    Task,
    TaskCancelled,
    field,
    progress,
    tqdm,
    trange,
)


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.005)


class Checkpoint(Task):
    """Told to end, saves what it has; then it raises again, or does what `how` says."""

    how: Param[str] = field(default="raise")
    gate: Meta[Path | None] = field(default=None)

    def execute(self) -> None:
        try:
            Path("ready").touch()
            threading.Event().wait()
        except TaskCancelled as told:
            Path("caught").touch()
            if self.gate is not None:
                wait_for(self.gate)
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
        ask = "import sys; from xpm_core.job import running; print([running.token_units('x', n) for n in sys.argv[1:]])"
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


class Saved(Config):
    """What learning has come to after some steps."""

    step: Param[int]
    file: Meta[Path]


class Saving(Config):
    """When to save, and where."""

    every: Param[int] = field(default=10)
    folder: Meta[Path] = field(default_factory=PathGenerator("saved"))

    def saved(self, dep: Callable[[Any], Any], step: int, *, file: Path | None = None) -> Saved:
        """What is saved after a step."""
        return dep(Saved.C(step=step, file=file or self.folder / f"{step}.txt"))  # type: ignore[no-any-return]

    def save(self, step: int) -> None:
        """Save, and say so."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{step}.txt").write_text(f"after {step}")
        self.register_task_output(self.saved, step)


class Learn(ResumableTask):
    """Saves now and then; stops for a gate after `pause` steps, or fails there as long as the gate is shut."""

    note: Param[str]
    saving: Param[Saving]
    steps: Param[int] = field(default=30)
    gate: Meta[Path | None] = field(default=None)
    pause: Meta[int] = field(default=20)
    fail: Meta[bool] = field(default=False)

    def execute(self) -> None:
        for step in range(self.saving.every, self.steps + 1, self.saving.every):
            self.saving.save(step)
            if self.gate is not None and step == self.pause:
                if self.fail and not self.gate.exists():
                    raise ValueError("the gate is shut")
                wait_for(self.gate)


class Brief(Task):
    """As Learn, but what it saves is gone when it is run anew."""

    note: Param[str]
    saving: Param[Saving]
    gate: Meta[Path | None] = field(default=None)

    def execute(self) -> None:
        self.saving.save(1)
        if self.gate is not None:
            wait_for(self.gate)


class Evaluate(Task):
    """Reads what was saved."""

    saved: Param[Saved]

    def execute(self) -> None:
        Path("score").write_text(self.saved.file.read_text())


class Own(ResumableTask):
    """Registers an output of its own, with arguments of each kind."""

    note: Param[str]

    def made(self, dep: Callable[[Any], Any], *parts: Any, **named: Any) -> Any:
        """What it makes."""
        return parts, named

    def execute(self) -> None:
        here, elsewhere = Path("made.txt"), Path("/elsewhere/file")
        self.register_task_output(self.made, 1, 2.5, "text", None, True, [1, (2,)], {"a": {"b": here}}, file=elsewhere)
        self.register_task_output(self.made, Numpyish(7))


class Numpyish:
    """An integer that is no `int`, as those of numpy."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __int__(self) -> int:
        return self.value


numbers.Integral.register(Numpyish)


class Wrong(ResumableTask):
    """Registers what cannot be told."""

    how: Param[str]

    def made(self, dep: Callable[[Any], Any], part: Any) -> Any:
        """What it makes."""
        return part

    def execute(self) -> None:
        calls: dict[str, Callable[[], None]] = {
            "object": lambda: self.register_task_output(self.made, self),
            "function": lambda: self.register_task_output(wait_for, 1),
            "stranger": lambda: self.register_task_output(Saving().saved, 1),
            "arguments": lambda: self.register_task_output(self.made, 1, 2),
            "large": lambda: self.register_task_output(self.made, "x" * 70_000),
        }
        calls[self.how]()


class Flood(ResumableTask):
    """Registers many outputs at once, and ends."""

    count: Param[int]

    def made(self, dep: Callable[[Any], Any], number: int) -> int:
        """What it makes."""
        return number

    def execute(self) -> None:
        for number in range(self.count):
            self.register_task_output(self.made, number)


class Reporting(Task):
    """Reports in every way there is. It goes on until a file exists, if one is named."""

    note: Param[str]
    until: Meta[Path | None] = field(default=None)

    def execute(self) -> dict[str, object]:
        for step in range(3):
            self.log(step=step, loss=1 / (step + 1))
        self.result("loss", {"train": float("nan"), "test": 0.25})
        self.result("model", object())
        self.output("model.bin").write_bytes(b"weights")
        if self.until is not None:
            Path("pid").write_text(str(os.getpid()))
            wait_for(self.until)
        return {"accuracy": 0.5}


class Using(Task):
    """Reads the results of a task that it uses."""

    first: Param[Reporting]

    def execute(self) -> float:
        return 2 * float(self.first.results["accuracy"]) + self.first.results["loss.test"]


class Warming(LightweightTask):
    """Reports, in the job of another task."""

    degrees: Param[int]

    def execute(self) -> None:
        self.log(step=-1, loss=9.0)
        self.result("degrees", self.degrees)
        self.output("warm.bin").write_bytes(b"1")


class Spreading(Task):
    """Reports from a thread, from a process that it forks, and from a program that it starts."""

    note: Param[str]

    def execute(self) -> None:
        thread = threading.Thread(target=lambda: self.result("thread", 1))
        thread.start()
        thread.join()
        if not (child := os.fork()):
            self.result("forked", 1)
            os._exit(0)
        os.waitpid(child, 0)
        subprocess.run([sys.executable, "-c", "import xpm_core; xpm_core.result('started', 1)"], check=True)


class Resuming(ResumableTask):
    """Fails before it reports anything."""

    note: Param[str]

    def execute(self) -> None:
        raise RuntimeError("once")


class Mixed:
    """A class that has methods of these names, as a logger does."""

    def log(self, text: str) -> str:
        return f"inherited {text}"


class Naming(Task, Mixed):
    """Uses the names for something else."""

    result: Param[int]
    output: Meta[Path] = field(default_factory=PathGenerator("out.txt"))
    results = "mine"

    def execute(self) -> None:
        self.output.write_text(f"{self.result} {self.log('x')} {self.results}")


class Assigning(Task):
    """Puts something else in the place of a method."""

    note: Param[str]

    def execute(self) -> None:
        self.log = [self.note]
        self.result = self.log
        Path("out.txt").write_text(self.result[0])


class Counting(Task):
    """Returns how many times it has run."""

    log: Meta[Path]

    def execute(self) -> int:
        with open(self.log, "a") as file:
            file.write("x")
        return len(self.log.read_text())
