"""The benches measure what they say. No test asks how fast xpm is."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from types import ModuleType

import msgpack
import pytest
from helpers.project_files import ROOT


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))  # where a script that is run finds what it imports
    spec = importlib.util.spec_from_file_location("bench_identity", ROOT / "bench" / "identity.py")
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
