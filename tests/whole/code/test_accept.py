"""Results that somebody has accepted with later code: by real scripts, workers and commands."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from helpers.witness_projects import Project, xpm

pytestmark = [pytest.mark.redis, pytest.mark.slow]

OLDER = "ran older code"
WHY = "only logging changed"


def accept(project: Project, *words: str) -> str:
    ran = xpm(project.desktop, "accept", *words, "--why", WHY)
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


def written(project: Project, n: int = 1) -> list[str]:
    """The lines of the acceptances of a job."""
    for params in project.desktop.workspace.glob("jobs/*.work/*/params.json"):
        file = params.parent / ".xpm" / "accepted.jsonl"
        if json.loads(params.read_text())["parameters"]["n"] == n and file.exists():
            return file.read_text().splitlines()
    return []


def test_an_accepted_result_stands_until_code_or_data_changes_again(project: Project) -> None:
    project.create("old")
    project.run(1, 2)
    assert "Nothing to accept of 1 job" in accept(project, "n=1")
    project.edit("new")
    assert OLDER in project.run(1, 2).err
    asked = xpm(project.desktop, "accept", "--task", "Work", "--why", WHY)
    assert asked.returncode == 1
    assert "This would accept 2 jobs with the code and the data of now:" in asked.stderr
    assert asked.stderr.count("late.py") == 2, asked.stderr
    assert "Nothing was accepted. The same with --yes does it." in asked.stderr
    assert written(project) == []
    said = accept(project, "--task", "Work", "--yes")
    assert said.count(": accepted with code ") == 2, said
    assert OLDER not in project.run(1, 2).err
    assert "No job that was selected ran code that has changed" in xpm(project.desktop, "retry", "--changed").stderr
    assert "Nothing to accept of 2 jobs" in accept(project, "--state", "done")

    (project.root / "data.csv").write_text("newer")
    assert "note    2 reused jobs of Work ran older code: data.csv" in project.run(1, 2).err
    (project.root / "data.csv").write_text("new")
    assert OLDER not in project.run(1, 2).err, "an undo is no change"
    project.edit("old")
    assert OLDER not in project.run(1, 2).err, "it is what the jobs ran"
    project.edit("newest")
    assert OLDER in project.run(1, 2).err
    accept(project, "n=1")
    assert "note    1 reused job of Work ran older code" in project.run(1, 2).err, "the other one"
    project.edit("new")
    assert OLDER not in project.run(1, 2).err, "it was accepted before"
    assert len(written(project, 1)) == 2
    assert project.values() == {1: ("old",) * 3, 2: ("old",) * 3}


def test_a_job_that_runs_again_has_forgotten_what_was_accepted(project: Project) -> None:
    project.create("old")
    project.run(1)
    project.edit("new")
    accept(project, "n=1")
    project.edit("old")
    assert xpm(project.desktop, "retry", "n=1", "--yes").returncode == 0
    project.run(1)
    assert written(project) == []
    project.edit("new")
    assert OLDER in project.run(1).err


def test_rerun_leaves_an_accepted_result_alone(project: Project) -> None:
    project.create("old")
    train = project.root / "train.py"
    train.write_text(train.read_text().replace("workers=1)", "workers=1, on_code_change='rerun')"))
    project.run(1)
    project.edit("new")
    accept(project, "n=1")
    assert "1 done (1 reused)" in project.run(1).err
    project.edit("newer")
    assert "reused" not in project.run(1).err
    assert project.values() == {1: ("newer",) * 3}


def test_what_cannot_be_told_can_be_accepted(project: Project) -> None:
    project.create("old")
    late = project.root / "late.py"
    late.write_text("VALUE = 'old'\nexec('OTHER = 1')\n")
    project.run(1)
    late.write_text("VALUE = 'old'\nexec('OTHER = 2')\n")
    (project.root / "top.py").write_text("# edited\nVALUE = 'old'\n")
    assert "note    1 reused job of Work" in project.run(1).err
    accept(project, "n=1")
    assert "note  " not in project.run(1).err


def test_people_see_who_has_accepted_what(project: Project) -> None:
    project.create("old")
    project.run(1)
    assert "accepted" not in xpm(project.desktop, "show", "n=1").stdout
    project.edit("new")
    accept(project, "n=1")
    said = json.loads(xpm(project.desktop, "show", "n=1", "--json").stdout)["accepted"]
    [line] = map(json.loads, written(project))
    assert [(each["why"], each["snapshot"]) for each in said] == [(WHY, line["snapshot"])]
    shown = xpm(project.desktop, "show", "n=1").stdout
    assert f" by {line['who']} on {line['host']}: {WHY}" in shown, shown


def test_an_experiment_takes_what_was_accepted_along(project: Project, tmp_path: Path) -> None:
    project.create("old")
    project.run(1)
    project.edit("new")
    accept(project, "n=1")
    file = tmp_path / "code.tar"
    exported = xpm(project.desktop, "export", "code", file)
    assert exported.returncode == 0, exported.stderr
    project.desktop.workspace = tmp_path / "theirs"
    imported = xpm(project.desktop, "import", file)
    assert imported.returncode == 0, imported.stderr
    assert "code.tar" in xpm(project.desktop, "show", "n=1").stdout.partition("\naccepted")[2].partition("\ndo")[0]
    assert OLDER not in project.run(1).err
    project.edit("newer")
    assert OLDER in project.run(1).err
    refused = xpm(project.desktop, "accept", "n=1", "--why", WHY)
    assert refused.returncode == 1
    assert "it was imported (code.tar" in refused.stderr
    accept(project, "n=1", "--trust")
    assert OLDER not in project.run(1).err


def test_a_result_of_live_code_can_be_accepted_with_the_code_of_now(project: Project) -> None:
    project.create("old")
    project.env = {"XPM_SNAPSHOT": "0"}
    project.run(1)
    project.env = {}
    assert "it ran with live code" in project.run(1).err
    assert "(it cannot be told whether its code has changed: it ran with live code" in accept(project, "n=1")
    assert "note  " not in project.run(1).err
    (project.root / "top.py").write_text("# a comment\nVALUE = 'old'\n")
    assert "note  " not in project.run(1).err
    project.edit("new")
    assert "note    1 reused job of Work ran older code: late.py VALUE, top.py VALUE" in project.run(1).err


def test_what_the_accepted_code_calls_counts_as_run(project: Project) -> None:
    project.create("old")
    project.write("top.py", "VALUE = 'old'\n\ndef other():\n    return 1\n")
    late = "def used():\n    return 'old'\n\nVALUE = used()\n"
    project.write("late.py", late)
    project.run(1)
    project.write("late.py", "import top\n\ndef used():\n    return 'old' + 'x' * top.other()\n\nVALUE = used()\n")
    accept(project, "n=1")
    project.write("top.py", "VALUE = 'old'\n\ndef other():\n    return 2\n")
    assert "note    1 reused job of Work ran older code: top.py other" in project.run(1).err


def test_gc_keeps_the_code_of_what_was_accepted(project: Project) -> None:
    project.create("old")
    project.run(1)
    project.edit("new")
    accept(project, "n=1")
    [accepted] = [json.loads(line)["snapshot"] for line in written(project)]
    project.edit("newer")
    code = project.desktop.workspace / "code"
    long_ago = 1_600_000_000
    for file in code.rglob("*"):
        if file.is_file():
            os.utime(file, (long_ago, long_ago))
    ran = xpm(project.desktop, "gc", "--orphans", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert (code / "snapshots" / accepted).exists()
    project.edit("new")
    assert OLDER not in project.run(1).err
