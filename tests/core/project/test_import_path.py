"""A job's process imports what its script would: from the same folders, in the same order, in the same places."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import importlib, json, sys
{before}
from xpm_core.project.import_path import ImportPath, follow, import_path
{path}
seen = {{}}
for name in {names!r}:
    try:
        seen[name] = importlib.import_module(name).__file__
    except ImportError:
        seen[name] = None
print(json.dumps([seen, {tell}]))
"""

STANDARD = ["statistics", "queue", "test", "json", "textwrap", "os"]
INSTALLED = ["omegaconf"]
NAMES = [*STANDARD, *INSTALLED]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of modules whose names others have, too, and a folder that is no package."""
    (tmp_path / "project" / "decimal").mkdir(parents=True)
    for name in NAMES:
        (tmp_path / "project" / f"{name}.py").touch()
    return tmp_path / "project"


def run(folder: Path, *, before: str = "", path: str = "", tell: str = "None", **env: str) -> Any:
    """What a process sees that was started in a folder; and what it tells besides."""
    program = folder / "program.py"
    program.write_text(PROGRAM.format(before=before, path=path, names=[*NAMES, "decimal"], tell=tell))
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=120, env={**os.environ, **env}
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def both(script: Path, job: Path, *, before: str = "", in_job: str = "", **env: str) -> tuple[Any, Any]:
    """What a script sees, and what its job sees, whose process has imported something before."""
    seen, path = run(script, before=before, path="path = import_path()", tell="path")
    follows = f"follow(ImportPath(*json.loads({json.dumps(path)!r})))"
    return seen, run(job, before=in_job, path=follows, **env)[0]


FIRST = "sys.path.insert(0, {project!r})"
LAST = "sys.path.append({project!r})"
BETWEEN = "sys.path.insert(next(i for i, each in enumerate(sys.path) if 'site-packages' in each), {project!r})"


@pytest.mark.parametrize(
    "before",
    [
        FIRST, LAST, BETWEEN,
        f"import queue, statistics; {FIRST}",
        f"{FIRST}; import xpm_core.wire.payload; {LAST}",
    ],
    ids=["first", "last", "between", "after some were imported", "twice"],
)  # fmt: skip
@pytest.mark.parametrize("in_job", ["", "import statistics, queue, test, textwrap"])
def test_a_job_sees_the_modules_that_its_script_sees(project: Path, tmp_path: Path, before: str, in_job: str) -> None:
    (tmp_path / "script").mkdir()
    (tmp_path / "job").mkdir()
    (project / "json.py").unlink()  # xpm itself needs it
    seen, found = both(tmp_path / "script", tmp_path / "job", before=before.format(project=str(project)), in_job=in_job)
    assert found == seen


def test_the_folder_of_the_script_comes_before_the_standard_library(project: Path, tmp_path: Path) -> None:
    (project / "json.py").unlink()
    (tmp_path / "job").mkdir()
    seen, found = both(project, tmp_path / "job", in_job="import statistics, test, queue")
    assert found == seen
    assert found["statistics"] == str(project / "statistics.py")
    assert found["os"] == os.__file__


def test_folders_of_the_environment_are_behind_the_script_as_they_were(project: Path, tmp_path: Path) -> None:
    for name in ("script", "job"):
        (tmp_path / name).mkdir()
    (tmp_path / "script" / "queue.py").touch()
    for name in ("json", "os"):  # Python 3.10 itself would start with this `os`
        (project / f"{name}.py").unlink()
    before = f"sys.path.insert(1, {str(project)!r})"
    seen, found = both(tmp_path / "script", tmp_path / "job", before=before, PYTHONPATH=str(project))
    assert found == seen


def test_what_is_not_on_this_machine_leaves_the_standard_library_as_it_is(project: Path, tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (project / "json.py").unlink()
    _, path = run(project, path="path = import_path()", tell="path")
    project.rename(tmp_path / "elsewhere")
    same = "import statistics; before = statistics"
    follows = f"follow(ImportPath(*json.loads({json.dumps(path)!r})))"
    assert run(tmp_path / "job", before=same, path=follows, tell="before is sys.modules['statistics']")[1]


def test_importing_from_a_folder_is_what_a_script_in_it_does(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "statistics.py").touch()
    program = tmp_path / "bin" / "program.py"
    program.write_text(
        "import statistics, sys\n"
        "from xpm_core.project.import_path import import_from, import_path\n"
        f"import_from([{str(tmp_path / 'project')!r}])\n"
        "import statistics\n"
        "print(statistics.__file__)\n"
        "print(*import_path().own_folders)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        str(tmp_path / "project" / "statistics.py"),
        f"{tmp_path / 'project'} {tmp_path}",
    ]
