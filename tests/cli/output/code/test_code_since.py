"""`xpm diff --code JOB`: how it is shown what has changed since a job ran."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.done_job import IDENTITY, RAN, DoneJob

from xpm_cli import main
from xpm_cli.output.code import code_since
from xpm_core.fingerprints.ran import OpenedFile
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.facts.packages import packages_document

HEAD = "3f9ac2e Changed n=1: "


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DoneJob]:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    found = DoneJob(tmp_path)
    with found.importable():
        yield found


def typed(job: DoneJob, *words: str) -> Result:
    result = CliRunner().invoke(main, ["diff", "--code", str(job.directory.path), *words])
    assert result.exit_code == 0, result.output
    return result


def shown(job: DoneJob) -> str:
    return typed(job).stdout


def test_each_definition_is_shown_alone_and_in_its_group(job: DoneJob) -> None:
    job.run(replace(RAN, files=[OpenedFile("p", "rates.csv", "digest", "0" * 64)]))
    job.write("rates.csv", "1")
    job.write("new.py", "x = 1\n")
    job.edit("changed_helper.py", "# A comment.", "# Another one.\nimport os")
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    job.edit("changed_helper.py", "return n", "# more\n    return n + 1")
    assert (
        shown(job)
        == f"""{HEAD}1 definition and 1 file that it read changed since it ran

changed, and it ran (1)
changed_helper.py:3 used
@@ -2,2 +3,3 @@
 def used(n):
-    return n
+    # more
+    return n + 1

changed, but it never ran (1)
changed_helper.py:7 unused
@@ -5,2 +7,2 @@
 def unused(n):
-    return -n
+    return 1 - n

it read these files, and they changed (1)
rates.csv
"""
    )


def test_the_same_code_is_one_line(job: DoneJob) -> None:
    job.run()
    job.edit("changed_helper.py", "# A comment.", "# Another one.")
    assert shown(job) == f"{HEAD}the same code\n"
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert shown(job).startswith(f"{HEAD}all that it ran is the same\n\nchanged, but it never ran (1)\n")


def test_processes_and_places_that_cannot_be_followed_are_said(job: DoneJob) -> None:
    job.run(replace(RAN, processes=["fork"]))
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert shown(job).startswith(f"{HEAD}it cannot be told\n\nchanged, and its processes may have run it unseen (1)\n")
    job.write("changed_helper.py", "def used(:\n")
    assert "\n\ncannot be told (1)\na file that does not parse at changed_helper.py:1\n" in shown(job)


@pytest.mark.parametrize(
    ("ran", "said"),
    [
        (None, "changed, and it could run it; what it ran is not recorded (1)"),
        (replace(RAN, means="imports", why="Python 3.11", functions={}),
         "changed, in modules that it imported; which functions it ran is not recorded (1)"),
    ],
)  # fmt: skip
def test_what_is_not_recorded_is_said(job: DoneJob, ran: None, said: str) -> None:
    job.run(ran)
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert said in shown(job).splitlines()
    assert json.loads(typed(job, "--json").stdout)["unrecorded"] in ("all", "functions")


def test_what_is_gone_is_shown_as_removed_lines(job: DoneJob) -> None:
    job.run()
    job.edit("changed_helper.py", "def used(n):\n    return n\n", "used = abs\n")
    assert "changed_helper.py:2 used\n@@ -2,2 +2 @@\n-def used(n):\n-    return n\n+used = abs\n" in shown(job)
    job.edit("changed_helper.py", "used = abs", "other = abs")
    assert "changed_helper.py:2 used (is gone)\n@@ -2,2 +0,0 @@\n-def used(n):\n-    return n\n" in shown(job)
    (job.root / "changed_helper.py").unlink()
    assert "changed_helper.py:1 used (the file is gone)\n@@ -2,2 +0,0 @@\n-def used(n):\n-    return n\n" in shown(job)


def test_a_name_that_means_something_else_is_said_with_the_imports(job: DoneJob) -> None:
    job.files["changed_task.py"] = job.files["changed_task.py"].replace(
        "import changed_helper", "import changed_helper\nfrom changed_helper import used"
    ).replace("changed_helper.used(self.n)", "used(self.n)")  # fmt: skip
    job.write("changed_task.py", job.files["changed_task.py"])
    job.run()
    job.write("other.py", "def used(n):\n    return n\n\nprint(used)\n")
    job.edit("changed_task.py", "from changed_helper import used", "from other import used")
    said = shown(job)
    assert "changed_task.py:7 Changed.execute (a name in it means something else now)\n" in said
    assert "\n-from changed_helper import used\n+from other import used\n" in said
    assert "other.py:1 <module> (is imported now)\n" in said


def test_packages_of_another_version_are_listed(job: DoneJob) -> None:
    here = json.loads(packages_document())
    store = CodeStore(job.workspace)
    there = {**here, "packages": {**here["packages"], "click": "1.0", "gone": "2"}}
    job.run(packages=store.put("packages", json.dumps(there).encode()))
    table = [line.split() for line in shown(job).splitlines()[-3:]]
    assert table == [["PACKAGE", "THEN", "HERE"], ["click", "1.0", here["packages"]["click"]], ["gone", "2", "-"]]
    data = json.loads(typed(job, "--json").stdout)
    assert data["packages"][1] == {"name": "gone", "then": "2", "here": None}


def test_a_long_difference_is_cut(job: DoneJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_since, "MOST_LINES", 4)
    job.run()
    job.edit("changed_helper.py", "return n", "n += 1\n    n += 2\n    n += 3\n    return n")
    assert shown(job).splitlines()[-1] == "... and 1 more lines"


def test_a_terminal_gets_colours_and_no_control_characters(job: DoneJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    job.run()
    job.edit("changed_helper.py", "return n", "return n + len('\x1b[2J')")
    said = shown(job)
    assert "\x1b[31m-    return n\x1b[0m\n" in said
    assert "\x1b[32m+    return n + len('" in said
    assert "\x1b[2J" not in said


def test_the_json_form_has_the_same(job: DoneJob) -> None:
    job.run()
    job.edit("changed_helper.py", "return n", "return n + 1")
    data = json.loads(typed(job, "--json").stdout)
    assert data["job"] == {"name": str(job.directory.path), "id": IDENTITY}
    assert (data["answer"], data["unrecorded"], data["never_ran"], data["unknown"]) == ("ran", None, [], [])
    assert data["ran"] == [
        {"tree": "p", "path": "changed_helper.py", "name": "used", "line": 2, "what": "changed",
         "diff": "@@ -2,2 +2,2 @@\n def used(n):\n-    return n\n+    return n + 1\n"}
    ]  # fmt: skip
