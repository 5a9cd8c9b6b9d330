"""The benches measure what they say. No test asks how fast xpm is."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import msgpack
import pytest
from helpers.project_files import ROOT, require


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return loaded("identity", monkeypatch)


def loaded(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A bench, as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))  # where a script that is run finds what it imports
    spec = importlib.util.spec_from_file_location(f"bench_{name}", ROOT / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_identity_is_measured_of_20_parameters_on_3_levels(bench: ModuleType) -> None:
    learn = bench.declared("xpm_core")
    leaves = [*learn.LEARN, *learn.MODEL, *learn.ENCODER]
    assert len(leaves) == 20
    assert learn.build().model.encoder.layers == learn.equivalent()["model"]["encoder"]["layers"]
    assert bench.least()() == hashlib.sha256(msgpack.packb(learn.equivalent())).digest()
    assert len(bench.ours()()) == 64


def test_ratio_is_the_median_of_the_pairs_and_none_for_what_is_absent(bench: ModuleType) -> None:
    times = {"a": [10.0, 30.0, 4.0], "b": [1.0, 2.0, 4.0]}
    assert bench.ratio(times, "a", "b") == 10.0
    assert bench.ratio(times, "a", "c") is None


def test_identity_bench_prints_its_table() -> None:
    command = [sys.executable, str(ROOT / "bench" / "identity.py"), "--rounds", "2", "--no-peer"]
    result = subprocess.run(command, capture_output=True, text=True)
    lines = result.stdout.splitlines()
    assert lines[0] == "| compared | medians | median of ratios | limit |", result.stderr
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| xpm / sha256 of msgpack",
        "| xpm / experimaestro",
        "| import xpm_core / import msgpack",
        "| from xpm_core import Task, Param / import msgpack",
    ]
    assert "experimaestro absent | none | 0.5 |" in lines[3]


def test_snapshots_are_measured_on_the_files_that_git_and_a_walk_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(shutil.which("git"), "git")
    code = loaded("code", monkeypatch)
    monkeypatch.setattr(code, "FILES", 30)
    code.write(tmp_path / "project")
    listed = subprocess.check_output(["git", "-C", str(tmp_path / "project"), "ls-files"], text=True)
    assert (code.walk(str(tmp_path / "project")), len(listed.splitlines())) == (30, 30)
    assert code.taken(tmp_path / "project", tmp_path / "workspace") > 0


def test_a_limit_of_a_snapshot_is_one_of_its_own_time_and_the_others_stand_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = loaded("code", monkeypatch)
    rows = code.compared("unchanged", {"ours": [40.0, 60.0, 45.0], "git status": [20.0, 30.0, 15.0]}, 50)
    assert [(row.against, row.reached) for row in rows] == [("", True), ("git status", None)]
    assert rows[1].values == [2.0, 2.0, 3.0]


@pytest.mark.parametrize("work", ["calls", "functions", "opens", "events", "document"])
def test_each_work_is_measured_with_and_without_tracing(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench" / "sides"))
    side = loaded("sides/traced", monkeypatch)
    for name in ("CALLS", "OPENS", "EVENTS"):
        monkeypatch.setattr(side, name, 10)
    assert side.main(work, "off") > 0
    tracing = loaded("tracing", monkeypatch)
    assert set(tracing.WORKS) == {"calls", "functions", "opens", "events"}
    assert str(tracing.SIDE) == side.__file__


@pytest.mark.redis
def test_tables_of_results_are_measured_on_jobs_with_results(monkeypatch: pytest.MonkeyPatch) -> None:
    results = loaded("results", monkeypatch)
    rows = results.tables(100, None)
    whole, folded = "table of 100 rows", ["over seeds, 100 rows", "to_latex, 20 folded rows"]
    assert [row.what for row in rows] == [whole, whole, *folded]
    assert all(row.ours and min(row.ours) > 0 for row in rows)
    assert [len(row.theirs) for row in rows[:2]] == [0, len(rows[1].ours)]
    assert bool(rows[2].absent) == (importlib.util.find_spec("pandas") is None)


def test_log_is_measured_on_lines_that_are_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    results = loaded("results", monkeypatch)
    assert results.logged(50) > 0
    assert results.lines(50) > 0
