"""From real jobs to a table, to the source of a number, and to what a paper states."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jobapi_tasks as tasks
import pytest
from helpers.playground import Stage
from helpers.typed_commands import PROGRAM

from xpm_core import experiment

pytestmark = pytest.mark.redis


def typed(stage: Stage, home: Path, *words: str) -> str:
    """What a command prints, without the server: the files of real jobs are enough."""
    environment = {"HOME": str(home), "XPM_REDIS_URL": "unix:///nowhere/redis.sock", "LC_ALL": "C.UTF-8"}
    place = ["--workspace", str(stage.workspace.path), "-q"]
    ran = subprocess.run([PROGRAM, *words, *place], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_number_of_a_real_job_leads_back_to_it(stage: Stage, tmp_path: Path) -> None:
    with experiment(stage.workspace.path, "published", redis=stage.url) as xp:
        task = tasks.Reporting.C(note="published").submit()
        xp.wait()
    table = json.loads(typed(stage, tmp_path, "results", "published", "--json"))
    assert [row["values"]["accuracy"] for row in table["rows"]] == [0.5]
    cited = json.loads(typed(stage, tmp_path, "cite", "published:accuracy", "--json"))
    (job,) = cited["jobs"]
    assert (cited["value"], job["id"], job["results_file"]) == (0.5, task.jobpath.name, "same")
    assert (job["directory"], cited["used"]) == (str(task.jobpath), [])
    facts = json.loads(typed(stage, tmp_path, "checklist", "published", "--json"))
    assert (facts["attempts"]["counting"], facts["attempts"]["discarded"], facts["attempts"]["unrecorded"]) == (
        1,
        {},
        0,
    )
    (file,) = (task.jobpath / ".xpm" / "executions").iterdir()
    record = json.loads(file.read_text())
    (machine,) = facts["hardware"]
    assert (machine["host"], machine["cores"]) == (record["host"], record["machine"]["cores"])
    assert facts["compute"]["hours"] == pytest.approx((record["ended_s"] - record["started_s"]) / 3600)
    assert [each["jobs"] for each in facts["packages"]["environments"]] == [1]
    assert facts["jobs"]["given_up"] == 0
