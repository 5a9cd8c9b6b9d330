"""mypy and pyright know the parameters of every class, with no plugin: the sample says where each finds an error."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parent / "samples" / "typed.py"
ROOT = Path(__file__).resolve().parents[3]


def expected(checker: str) -> set[int]:
    """The lines where the sample says that a checker finds an error."""
    marks = {n: re.search(r"# E( \w+)?$", line) for n, line in enumerate(SAMPLE.read_text().splitlines(), 1)}
    return {number for number, mark in marks.items() if mark and mark[1] in (None, f" {checker}")}


def run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout


def program(name: str) -> str:
    """A program of the environment; without it the test is skipped, or fails in CI."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} is not installed")
    return str(found)


def test_mypy_finds_the_errors_of_the_sample_and_no_others(cache: pytest.Cache) -> None:
    """What it knows of other files it keeps from one run of the tests to the next."""
    kept = f"--cache-dir={cache.mkdir('mypy')}"
    output = run(program("mypy"), "--strict", kept, "--python-executable", sys.executable, str(SAMPLE))
    found = {int(line.split(":")[1]) for line in output.splitlines() if ": error:" in line}
    assert found == expected("mypy"), output


def test_pyright_finds_the_errors_of_the_sample_and_no_others() -> None:
    output = run(program("pyright"), "--outputjson", "--pythonpath", sys.executable, str(SAMPLE))
    report = json.loads(output)
    errors = [each for each in report["generalDiagnostics"] if each["severity"] == "error"]
    found = {each["range"]["start"]["line"] + 1 for each in errors}
    assert found == expected("pyright"), json.dumps(errors, indent=1)
