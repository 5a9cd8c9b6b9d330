"""examples/seeds.py: 40 jobs, means with intervals, what is not distinguishable from the best, LaTeX and plots."""

from __future__ import annotations

import csv
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.project_files import ROOT

pytestmark = [pytest.mark.redis, pytest.mark.slow]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A copy of the example, next to which its workspace comes to lie."""
    return Path(shutil.copy(ROOT / "examples" / "seeds.py", tmp_path))


def run(script: Path) -> str:
    """What the example prints."""
    command = [sys.executable, script.name, "workspace"]
    result = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    return result.stdout


def executions(script: Path) -> int:
    """How many executions there were."""
    return len(list(script.parent.glob("workspace/jobs/seeds.train/*/.xpm/executions/*.json")))


def test_it_compares_models_and_writes_table_and_plots(script: Path) -> None:
    shown = run(script)
    assert executions(script) == 40
    cells = {
        row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[2:-1]]
        for row in shown.splitlines()
        if "±" in row and row.startswith("|")
    }
    assert list(cells) == ["centroids", "neighbours", "linear", "network"]
    assert all("(n=5 seeds)" in cell for row in cells.values() for cell in row)
    bold = {name: [cell.startswith("**") for cell in row] for name, row in cells.items()}
    assert bold["centroids"] == [False, False], "it is far from the best"
    assert any(bold["neighbours"]) or any(bold["network"])
    assert "Mean and 95 % t interval of accuracy over 5 seeds." in shown
    assert len(re.findall(r"^  data=\w+: .*\(95 % paired t, n=5 pairs\), p=", shown, re.MULTILINE)) == 2

    results = script.parent / "workspace/experiments/seeds/latest/results"
    rows = list(csv.DictReader((results / "runs.csv").read_text().splitlines()))
    assert len(rows) == 40
    assert {row["seed"] for row in rows} == set("01234")
    assert all(0.3 < float(row["accuracy"]) <= 1 for row in rows)
    latex = (results / "accuracy.tex").read_text()
    assert latex.count(r"\textbf{") > 0
    assert all(
        word in latex for word in (r"\toprule", r"\label{tab:accuracy}", "95 \\% t interval of accuracy over 5 seeds")
    )
    if importlib.util.find_spec("matplotlib") is not None:
        assert all((results / name).read_bytes().startswith(b"%PDF") for name in ("accuracy.pdf", "loss.pdf"))


def test_another_seed_runs_only_its_own_jobs(script: Path) -> None:
    text = script.read_text()
    assert text.count("SEEDS = range(5)") == 1
    script.write_text(text.replace("SEEDS = range(5)", "SEEDS = range(2)"))
    few = run(script)
    assert (executions(script), "±" in few) == (16, False)
    script.write_text(text.replace("SEEDS = range(5)", "SEEDS = range(3)"))
    more = run(script)
    assert (executions(script), "n=3 seeds" in more) == (24, True)
