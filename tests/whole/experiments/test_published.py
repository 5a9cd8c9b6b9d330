"""From real jobs to a table, to the source of a number, and to what a paper states."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jobapi_tasks as tasks
import pytest
from helpers.daemons import Crew
from helpers.typed_commands import PROGRAM

pytestmark = pytest.mark.redis


def typed(crew: Crew, home: Path, *words: str) -> str:
    """What a command prints, without the server: the files of real jobs are enough."""
    environment = {"HOME": str(home), "XPM_REDIS_URL": "unix:///nowhere/redis.sock", "LC_ALL": "C.UTF-8"}
    place = ["--workspace", str(crew.workspace.path), "-q"]
    ran = subprocess.run([PROGRAM, *words, *place], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_number_of_a_real_job_leads_back_to_it(crew: Crew, tmp_path: Path) -> None:
    crew.run(task := tasks.Reporting.C(note="x"))
    (name,) = [folder.name for folder in (crew.workspace.path / "experiments").iterdir()]
    table = json.loads(typed(crew, tmp_path, "results", name, "--json"))
    assert [row["values"]["accuracy"] for row in table["rows"]] == [0.5]
    cited = json.loads(typed(crew, tmp_path, "cite", f"{name}:accuracy", "--json"))
    (job,) = cited["jobs"]
    assert (cited["value"], job["id"], job["results_file"]) == (0.5, crew.job(task).identity, "same")
    assert (job["directory"], job["host"]) == (str(crew.directory(task).path), crew.record(task)["host"])
    facts = json.loads(typed(crew, tmp_path, "checklist", name, "--json"))
    assert (facts["attempts"]["counting"], facts["attempts"]["discarded"], facts["attempts"]["unrecorded"]) == (
        1,
        {},
        0,
    )
    (machine,) = facts["hardware"]
    record = crew.record(task)
    assert machine["cores"] == record["machine"]["cores"]
    assert facts["compute"]["hours"] == pytest.approx((record["ended_s"] - record["started_s"]) / 3600)
    assert facts["packages"]["environments"][0]["jobs"] == 1
