"""What it costs that jobs run from a snapshot: taking one, and running a task of a project of 30 files from it.

Taking is compared with what nobody can do without: git's list of the files, and a walk that asks the system about each.
What a job's process costs more because it notes what it runs is measured with whole jobs here, part by part in
tracing.py. What is compared later is measured in fingerprints.py. `make bench-code` runs all three.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import drain
import peers
import project
from harness import SHM, Limit, Row, Size, percentile, turns
from place import Place

TITLE = "Snapshots"
FILES = 1000
UNCHANGED_MS, COLD_MS = 50, 400
SETTLED_S = 2.5
"""A digest is remembered only if its file has not changed for two seconds before it was read."""
OVERHEAD = 0.05
"""The share of time that a snapshot may cost a job."""
TRACE = "XPM_TRACE"

MODULE = '''"""Module {number} of a project."""

from __future__ import annotations


def scaled(value: float, rate: float = 0.{number:03d}) -> float:
    """A value times a rate."""
    return value * rate + {number}
'''
TASK = """from xpm_core import Param, Task


class Work(Task):
    index: Param[int]

    def execute(self) -> None:
        print(self.index)
"""


def rows(size: Size) -> list[Row]:
    """Taking a snapshot of 1,000 files; then jobs with a snapshot and with live code, traced and not, pair by pair."""
    return [*taking(), *running(size.of(300, 60), size.of(100, 20))]


# -- taking ------------------------------------------------------------------------------------------------------------


def taking() -> list[Row]:
    """A snapshot of files that did not change since the last one, and the first one, beside the least."""
    with TemporaryDirectory(prefix="xpm-bench-", dir=SHM if SHM.is_dir() else None) as folder:
        root, workspace = Path(folder, "project"), Path(folder, "workspace")
        write(root)
        time.sleep(SETTLED_S)
        taken(root, workspace)
        unchanged = turns({"ours": partial(taken, root, workspace), **least(root)})
        cold = turns({"ours": partial(first, root, workspace), **least(root)})
    return [
        *compared(f"snapshot of {FILES} unchanged files", unchanged, UNCHANGED_MS),
        *compared(f"first snapshot of {FILES} files", cold, COLD_MS),
    ]


def compared(what: str, found: dict[str, list[float]], limit_ms: float) -> list[Row]:
    """A row with the limit, and one for each of the others."""
    ours = found.pop("ours")
    alone = Row(what, unit="ms", ours=ours, limit=Limit("<=", limit_ms))
    return [alone, *(Row(what, name, "ms", ours, theirs) for name, theirs in found.items())]


def write(root: Path) -> None:
    """Write a project of 1,000 files into a repository of git, all committed."""
    for number in range(FILES - 3):
        file = root / f"part{number % 20}" / f"module{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(MODULE.format(number=number))
    (root / "work.py").write_text(TASK)
    (root / "pyproject.toml").write_text('[project]\nname = "thousand"\nversion = "1"\n')
    (root / ".gitignore").write_text("__pycache__/\n")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "--quiet", "-m", "all")


def taken(root: Path, workspace: Path) -> float:
    """Milliseconds of a snapshot, in a script of its own, from the moment that the task's module is imported."""
    answer = peers.run("ours", "snapshot", folder=str(workspace), path=str(root), module="work")
    assert answer["files"] == FILES, answer
    return float(answer["seconds"]) * 1000


def first(root: Path, workspace: Path) -> float:
    """The same in a workspace that has kept nothing yet."""
    shutil.rmtree(workspace)
    return taken(root, workspace)


def least(root: Path) -> dict[str, Callable[[], float]]:
    """What others do with the same files, milliseconds each."""
    return {
        "git ls-files": lambda: timed(
            partial(git, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        ),
        "a walk with stat": lambda: timed(partial(walk, str(root))),
        "git status": lambda: timed(partial(git, root, "status", "--porcelain")),
    }


def timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), *words], check=True, stdout=subprocess.DEVNULL)


def walk(root: str) -> int:
    """Ask the system about each file of a project."""
    count = 0
    for folder, below, files in os.walk(root):
        below[:] = [name for name in below if name != ".git"]
        for name in files:
            os.stat(os.path.join(folder, name))
            count += 1
    return count


# -- running -----------------------------------------------------------------------------------------------------------


def running(jobs: int, few: int) -> list[Row]:
    """Jobs of a project of 30 files: their rate, and the time from the claim to the first line."""
    what = f"jobs of a project of {project.FILES} files"
    if find_spec("numpy") is None:
        return [Row(what, absent="NumPy is not installed")]
    snapshot, live, untraced = (False, True), (True, True), (False, False)
    return [
        *pair(f"{what}, snapshot", "live code", jobs, few, snapshot, live, limited=True),
        *pair(f"{what}, traced", "not traced", jobs, few, snapshot, untraced, limited=False),
    ]


def pair(
    what: str, against: str, jobs: int, few: int, ours: tuple[bool, bool], theirs: tuple[bool, bool], *, limited: bool
) -> list[Row]:
    """Two ways to run the same jobs, each whether the code is live, and whether it is noted what they run."""
    sides = {"ours": ours, "theirs": theirs}
    rates = turns({side: partial(traced, how[1], partial(drained, jobs, how[0])) for side, how in sides.items()})
    starts = turns({side: partial(traced, how[1], partial(started, few, how[0])) for side, how in sides.items()})
    least, most = (Limit(">=", 1 / (1 + OVERHEAD)), Limit("<=", 1 + OVERHEAD)) if limited else (None, None)
    return [
        Row(f"{what}: drain", against, "jobs/s", rates["ours"], rates["theirs"], least),
        Row(f"{what}: claim to first line, p50", against, "ms", starts["ours"], starts["theirs"], most),
    ]


def traced(on: bool, measure: Callable[[], float]) -> float:
    """Measure with workers whose jobs note what they run, or with others."""
    before = os.environ.get(TRACE)
    os.environ[TRACE] = "1" if on else "0"
    try:
        return measure()
    finally:
        del os.environ[TRACE]
        if before is not None:
            os.environ[TRACE] = before


def drained(jobs: int, live: bool) -> float:
    """Jobs a second that one slot runs."""
    return drain.ours(jobs, in_project=True, live=live)


def started(jobs: int, live: bool) -> float:
    """Milliseconds from the claim to the first line, the median of many, without the first job, which builds all."""
    with Place() as place:
        path = project.write(place.root / "project")
        options = {"url": place.url, "folder": place.folder("workspace"), "stamps": place.folder("stamps")}
        answer = peers.run("ours", "claims", **options, jobs=jobs, path=path, live=live)
    return percentile(answer["claim_to_first_line"][1:], 0.5) * 1000
