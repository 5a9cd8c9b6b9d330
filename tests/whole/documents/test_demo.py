"""`make demo`: the example trains on a few sizes, shows the results, and a second time runs only new jobs."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from helpers.project_files import ROOT, require

pytestmark = [pytest.mark.redis, pytest.mark.slow]

SIZES = "sizes = [50, 250, 1250]"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A copy of the example with one size only, next to which its workspace comes to lie."""
    for name in ("sklearn", "matplotlib"):
        require(importlib.util.find_spec(name), name)
    text = (ROOT / "examples" / "digits.py").read_text()
    assert text.count(SIZES) == 1
    copy = tmp_path / "digits.py"
    copy.write_text(text.replace(SIZES, "sizes = [50]"))
    return copy


def run(script: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, script.name, "demo-workspace"]
    result = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    return result


def executions(script: Path, task: str = "*") -> list[dict[str, Any]]:
    """The records of all executions of a task."""
    found = script.parent.glob(f"demo-workspace/jobs/digits.{task}/*/.xpm/executions/*.json")
    return [json.loads(file.read_text()) for file in found]


def test_demo_trains_reports_and_again_runs_only_what_is_new(script: Path) -> None:
    first = run(script)
    assert len(executions(script)) == 13  # one Prepare, 6 models, 6 evaluations
    assert "Accuracy on the test set, best first" in first.stdout

    results = script.parent / "demo-workspace/experiments/digits/latest/results"
    rows = list(csv.DictReader((results / "accuracy.csv").read_text().splitlines()))
    scores = [float(row["accuracy"]) for row in rows]
    assert len(rows) == 6
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.7
    assert (results / "accuracy.png").read_bytes().startswith(b"\x89PNG")

    trainings = sorted((record["started_s"], record["ended_s"]) for record in executions(script, "train"))
    assert all(end <= start for (_, end), (start, _) in pairwise(trainings)), "one at a time"

    second = run(script)
    assert len(executions(script)) == 13
    assert "Nothing had to be run: all 13 jobs were done already." in second.stdout

    script.write_text(script.read_text().replace("sizes = [50]", "sizes = [50, 100]"))
    third = run(script)
    assert len(executions(script)) == 25
    assert "Nothing had to be run" not in third.stdout
    assert "25 done (13 reused)" in third.stderr
