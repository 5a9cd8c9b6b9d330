"""The example in the README runs as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.project_files import ROOT

pytestmark = pytest.mark.redis

README = (ROOT / "README.md").read_text()
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "squares.py"], cwd=folder, capture_output=True, text=True, timeout=120)


def test_example_is_short() -> None:
    assert len(EXAMPLE.splitlines()) <= 20


def test_example_runs_as_printed_and_again_runs_only_what_is_new(tmp_path: Path) -> None:
    (tmp_path / "squares.py").write_text(EXAMPLE)
    first = run(tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == [f"{{'number': {n}}} {n * n}" for n in range(5)]
    assert "range(5)" in EXAMPLE
    (tmp_path / "squares.py").write_text(EXAMPLE.replace("range(5)", "range(6)"))
    second = run(tmp_path)
    assert second.returncode == 0, second.stderr
    assert second.stdout.splitlines()[5:] == ["{'number': 5} 25"]
    assert "6 done (5 reused)" in second.stderr
    records = list(tmp_path.glob("workspace/jobs/squares.square/*/.xpm/executions/*.json"))
    assert len(records) == 6, "each job ran once"


def test_workspace_looks_as_drawn(tmp_path: Path) -> None:
    (tmp_path / "squares.py").write_text(EXAMPLE)
    result = run(tmp_path)
    assert result.returncode == 0, result.stderr
    workspace = tmp_path / "workspace"
    (directory,) = (
        file.parent for file in workspace.glob("jobs/squares.square/*/result.txt") if file.read_text() == "9"
    )
    for name in ("params.json", "square.out", "square.err", ".xpm/done"):
        assert (directory / name).is_file(), name
    (link,) = workspace.glob("experiments/squares/jobs/square/number=3-*")
    assert link.resolve() == directory.resolve()
    assert (workspace / "experiments/squares/latest").resolve().parent.name == "runs"
