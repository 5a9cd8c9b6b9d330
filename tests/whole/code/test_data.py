"""Data beside the code that jobs have read, and that has changed when a script reuses their results."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.user_scripts import Running
from helpers.witness_projects import Project

pytestmark = [pytest.mark.redis, pytest.mark.slow]

TASK = """
import subprocess, sys
from pathlib import Path
from xpm_core import Meta, Param, Task, experiment

class Study(Task):
    n: Param[int]
    rates: Meta[Path]

    def execute(self):
        READ

def main(workspace, _, rates):
    with experiment(workspace, "data", workers=1):
        Study.C(n=1, rates=Path(rates)).submit()

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


def written(project: Project, read: str) -> Path:
    """Write a project with a file of data that git ignores, and another one; returns the first."""
    project.write("train.py", TASK.replace("READ", read))
    project.write(".gitignore", "big/\n")
    project.write("kept.csv", "1")
    rates = project.write("big/rates.csv", "1")
    os.utime(rates, (1, 1))
    project.commit()
    return rates


def ran(project: Project, rates: Path) -> Running:
    script = project.start(rates)  # type: ignore[arg-type]
    assert script.ends() == 0, script.err
    return script


def test_a_file_that_no_snapshot_keeps_is_told_though_the_snapshot_is_the_same(project: Project) -> None:
    rates = written(project, "self.rates.read_text()")
    ran(project, rates)
    assert "older code" not in ran(project, rates).err
    rates.write_text("2")
    assert "1 reused job of Study ran older code: big/rates.csv" in ran(project, rates).err
    rates.write_text("1")
    assert "older code" not in ran(project, rates).err


def test_a_file_of_the_snapshot_that_only_a_child_has_read_cannot_be_told(project: Project) -> None:
    rates = written(project, "subprocess.run(['cat', Path(__file__).parent / 'kept.csv'], check=True)")
    ran(project, rates)
    project.write("kept.csv", "2")
    said = ran(project, rates).err
    assert "1 reused job of Study: cannot tell whether its code has changed: the file kept.csv" in said
