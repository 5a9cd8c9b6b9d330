"""Projects whose tasks say which code they ran: of every kind that users have, on real disks, with real git.

`from helpers.witness_projects import Project`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from helpers.user_scripts import Desktop, Running
from helpers.waiting import wait_until

TASKS = '''
import json, sys, time
from pathlib import Path

from xpm_core import Meta, Param, Task, experiment, tag

{imports}


class Hold(Task):
    """Keeps the only slot, so that what was submitted after it waits."""

    n: Param[int]
    until: Meta[Path]

    def execute(self):
        Path("started").touch()
        while not self.until.exists():
            time.sleep(0.005)


class Work(Task):
    """Says which code it ran: a helper imported at the top, one imported late, a file beside it, and where it is."""

    n: Param[int]

    def execute(self):
        {late}
        data = Path(__file__).parent / "data.csv"
        seen = dict(n=self.n, top={top}.VALUE, late=late.VALUE, file=__file__)
        seen["data"] = data.read_text() if data.exists() else ""
        Path("seen.part").write_text(json.dumps(seen))
        Path("seen.part").rename("seen.json")


def main(arguments):
    """Submit a task that waits for a gate, if there is one, and then one for each number."""
    workspace, gate, *numbers = arguments
    with experiment(workspace, "code", workers=1) as xp:
        if gate != "-":
            Hold.C(n=0, until=Path(gate)).submit()
        for n in numbers:
            Work.C(n=tag(int(n))).submit()
            xp._run.submitter.flush()
        print("submitted", file=sys.stderr, flush=True)
'''
MAIN = """

if __name__ == "__main__":
    main(sys.argv[1:])
"""


class Seen(NamedTuple):
    """What a task has said: the values of its helpers, the file beside it, and where its module was."""

    top: str
    late: str
    data: str
    file: str

    @property
    def values(self) -> tuple[str, str, str]:
        """What depends on the code, without places."""
        return self.top, self.late, self.data


@dataclass
class Project:
    """A project of `train.py` with two helpers and a file of data, and a workspace elsewhere.

    Attributes:
        desktop: Where its scripts run.
        root: Its root.
        folder: Where its modules are; the same, unless it says otherwise.
        package: The package of the modules; empty for modules of their own.
        python: The interpreter of its scripts.
        env: Further variables for its scripts.
    """

    desktop: Desktop
    root: Path
    folder: Path = None  # type: ignore[assignment]
    package: str = ""
    python: str = sys.executable
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.folder or self.root

    @property
    def gate(self) -> Path:
        """As soon as this is there, the task that keeps the slot ends."""
        return self.desktop.folder / "gate"

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project; returns it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def create(self, value: str = "1") -> Project:
        """Write its files. All of them say this value."""
        within, dotted = ("from . import ", "") if self.package else ("import ", "")
        text = TASKS.format(imports=f"{within}top", late=f"{within}late", top=f"{dotted}top") + MAIN
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "train.py").write_text(text)
        if self.package:
            (self.folder / "__init__.py").write_text("")
        self.edit(value)
        return self

    def edit(self, value: str) -> None:
        """Let the helpers and the file of data say another value."""
        for name in ("top", "late"):
            (self.folder / f"{name}.py").write_text(f"VALUE = {value!r}\n")
        (self.folder / "data.csv").write_text(value)

    def git(self, *words: object, at: Path | None = None) -> None:
        """Run git in the project."""
        who = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "protocol.file.allow=always"]
        command = ["git", *who, "-C", str(at or self.root), *map(str, words)]
        subprocess.run(command, check=True, capture_output=True)

    def commit(self) -> Project:
        """Put all that is there into a repository."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "all")
        return self

    # -- running ---------------------------------------------------------------------------------------------------

    def start(self, *numbers: int, gate: bool = False, command: tuple[object, ...] = ()) -> Running:
        """Run the script; with a gate, its tasks wait until `open_gate`."""
        command = command or (("-m", f"{self.package}.train") if self.package else (self.root / "train.py",))
        arguments = [self.desktop.workspace, self.gate if gate else "-", *numbers]
        return self.desktop.start(*command, *arguments, cwd=self.root, env=self.env, python=self.python)

    def run(self, *numbers: int, code: int = 0, command: tuple[object, ...] = ()) -> Running:
        """Run the script to its end, and check the exit code."""
        running = self.start(*numbers, command=command)
        assert running.ends() == code, f"{running.out}\n{running.err}"
        return running

    def open_gate(self) -> None:
        """Let the tasks run that wait."""
        self.gate.touch()

    def when_submitted(self, running: Running) -> None:
        """Wait until a script has submitted all, and the task that waits for the gate runs."""
        wait_until(lambda: "submitted" in running.err or running.process.poll() is not None, show=lambda: running.err)
        assert "submitted" in running.err, running.err
        wait_until(lambda: list(self.desktop.workspace.glob("jobs/*/*/started")), show=lambda: running.err)

    # -- what came of it -------------------------------------------------------------------------------------------

    def seen(self) -> dict[int, Seen]:
        """What the tasks have said, by number."""
        found = {}
        for path in self.desktop.workspace.glob("jobs/*/*/seen.json"):
            said = json.loads(path.read_text())
            n = said.pop("n")
            found[n] = Seen(**said)
        return found

    def values(self) -> dict[int, tuple[str, str, str]]:
        """The same, without places."""
        return {n: seen.values for n, seen in sorted(self.seen().items())}

    def snapshots(self) -> set[str]:
        """The snapshots that the records of the tasks name."""
        records = self.desktop.workspace.glob("jobs/*.work/*/.xpm/executions/*.json")
        return {json.loads(record.read_text())["code"]["snapshot"] for record in records}


def environment(folder: Path, *paths: Path) -> str:
    """An environment of Python as `pip install -e` leaves it: with our packages, and folders by a .pth file.

    Returns:
        Its interpreter.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    known = [path for path in sys.path if path.endswith("site-packages")]
    import xpm_core

    own = [str(Path(xpm_core.__file__).parents[1])]
    (site / "editable.pth").write_text("".join(f"{path}\n" for path in [*known, *own, *map(str, paths)]))
    return str(folder / "bin" / "python")


def xpm(desktop: Desktop, *words: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Type a command of `xpm` beside the workspace."""
    program = Path(sys.executable).with_name("xpm")
    command = [str(program), *map(str, words), "--workspace", str(desktop.workspace)]
    return subprocess.run(
        command, cwd=desktop.folder, env={**os.environ, **env}, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def forget(path: Path) -> None:
    """Remove a checkout."""
    shutil.rmtree(path)
