"""`xpm diff`: the parameters that make two identities differ."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

from xpm_core.identity import seal, task_id
from xpm_core.labels import short
from xpm_core.language.identity import description
from xpm_core.store.records import Submission
from xpm_core.wire import payload
from xpm_core.workspace.job_spec import JobSpec
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]

SCRIPT = """
from pathlib import Path
from xpm_core import Config, Meta, Param, Task, tag, field

class Model(Config):
    layers: Param[int] = 3
    threads: Meta[int] = 1

class Train(Task):
    lr: Param[float] = 0.1
    model: Param[Model] = field(default=Model.C())
    names: Param[list[str]] = field(default_factory=list)

    def execute(self): ...

slow, fast = Train.C(lr=tag(0.1)), Train.C(lr=tag(0.5))
other = Train.C(model=Model.C(layers=4, threads=8))
number = 3
print("imported")

def made():
    return Train.C(names=["a", "b"])

def broken():
    raise ValueError("no such data")

if __name__ == "__main__":
    raise SystemExit("it ran")
"""


@pytest.fixture
def script(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A script in the workspace's directory, which commands are typed in; forgotten afterwards."""
    file = workspace.path / "diffed.py"
    file.write_text(SCRIPT)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield file
    sys.modules.pop("diffed", None)


def rows(result: Result) -> list[list[str]]:
    """The rows of the table, without its head."""
    assert result.exit_code == 0, result.output
    return [line.split("  ") for line in result.stdout.splitlines()[1:]]


def cells(result: Result) -> list[list[str]]:
    return [[cell.strip() for cell in row if cell.strip()] for row in rows(result)]


def test_configurations_of_a_script_are_compared(script: Path, xpm: Xpm) -> None:
    result = xpm("diff", "diffed.py:slow", "diffed.py:fast")
    assert cells(result) == [["lr", "0.1", "0.5"]]
    head = result.stdout.splitlines()[0]
    assert head.startswith("PARAMETER  ")
    assert "Train lr=0.1" in head
    assert "Train lr=0.5" in head
    assert "imported" in result.stderr


def test_names_that_no_terminal_can_show_are_written_with_escapes(script: Path, xpm: Xpm) -> None:
    script.write_text(SCRIPT.replace('names=["a", "b"]', 'names=["caf\\udce9"]'))
    assert cells(xpm("diff", "diffed.py:slow", "diffed.py:made")) == [["names[0]", "-", r'"caf\udce9"']]


def test_function_and_module_can_be_named(script: Path, xpm: Xpm) -> None:
    assert cells(xpm("diff", "diffed:slow", "diffed.py:made")) == [["names[0]", "-", "a"], ["names[1]", "-", "b"]]


def test_what_does_not_count_is_shown_when_asked_for(script: Path, xpm: Xpm) -> None:
    result = xpm("diff", "diffed.py:slow", "diffed.py:other")
    assert cells(result) == [["model.layers", "3", "4"]]
    assert "1 that are no part of the identity differ as well: xpm diff diffed.py:slow" in result.stderr
    assert cells(xpm("diff", "diffed.py:slow", "diffed.py:other", "--all")) == [
        ["model.layers", "3", "4", "yes"],
        ["model.threads", "1", "8", "no"],
    ]


def test_equal_identities_are_told(script: Path, xpm: Xpm) -> None:
    result = xpm("diff", "diffed.py:slow", "diffed.py:slow")
    assert result.stdout.startswith("the same identity, ")


def test_json_tells_values_and_whether_they_count(script: Path, xpm: Xpm) -> None:
    data = json.loads(xpm("diff", "diffed.py:slow", "diffed.py:made", "--json").stdout)
    assert (data["schema"], data["same"], data["first"]["name"]) == (1, False, "diffed.py:slow")
    assert data["differences"] == [
        {"parameter": "names[0]", "second": "a", "counts": True},
        {"parameter": "names[1]", "second": "b", "counts": True},
    ]


def test_narrow_terminal_gets_a_line_for_each_value(script: Path, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = xpm("diff", "diffed.py:slow", "diffed.py:fast").stdout.splitlines()
    assert lines[-3:] == ["lr", "  0.1", "  0.5"]


def submitted(script: Path, workspace: Workspace, lab: Lab, name: str, described: bool) -> str:
    """A job of the script, submitted; its identity."""
    task: Any = getattr(sys.modules["diffed"], name)
    identity = seal(task)
    directory = workspace.directory_of(task_id(type(task)), identity)
    data = payload.pack(task, workspace.path)
    job = Submission(JobSpec(identity, task_id(type(task)), "Train", directory, data))
    lab.store.submit("sweep", lab.run.started_ms, [job], {})
    if described:
        workspace.job_at(directory).prepare(1)
        workspace.job_at(directory).write_params(description.describe(task))
    return identity


def test_jobs_are_compared_whether_they_ran_or_not(script: Path, workspace: Workspace, lab: Lab, xpm: Xpm) -> None:
    xpm("diff", "diffed.py:slow", "diffed.py:fast")
    ran = submitted(script, workspace, lab, "slow", described=True)
    waits = submitted(script, workspace, lab, "fast", described=False)
    assert cells(xpm("diff", short(ran), short(waits))) == [["lr", "0.1", "0.5"]]
    assert cells(xpm("diff", f"train/{ran[:6]}", "diffed.py:other")) == [["model.layers", "3", "4"]]


def test_what_is_not_signed_is_not_imported_where_there_is_a_key(
    script: Path, workspace: Workspace, lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    xpm("diff", "diffed.py:slow", "diffed.py:fast")
    waits = submitted(script, workspace, lab, "fast", described=False)
    monkeypatch.setenv("XPM_SIGNING_KEY", "key")
    result = xpm("diff", short(waits), "diffed.py:slow")
    assert "it is not signed, and XPM_SIGNING_KEY is set here" in result.stderr


def test_directories_are_compared_without_a_server(
    script: Path, workspace: Workspace, lab: Lab, xpm: Xpm, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.path)
    xpm("diff", "diffed.py:slow", "diffed.py:fast")
    identities = [submitted(script, workspace, lab, name, described=True) for name in ("slow", "fast")]
    monkeypatch.chdir(outside)
    monkeypatch.setenv("XPM_REDIS_URL", "redis://127.0.0.1:1/0")
    places = [workspace.path / "jobs" / "diffed.train" / identity for identity in identities]
    assert cells(xpm("diff", *places)) == [["lr", "0.1", "0.5"]]
    (places[0] / "params.json").write_text("{}")
    result = xpm("diff", *places)
    assert result.exit_code == 3
    assert "is no description of a job" in result.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("diffed.py:nothing", "diffed.py:nothing: there is no 'nothing' in diffed.py. Name an object of the script."),
        ("diffed.py:number", "diffed.py:number: it is no configuration, but 3."),
        ("diffed.py:broken", "diffed.py:broken: it fails with ValueError: no such data. Correct the script."),
        ("nowhere.py:learn", "nowhere.py:learn: there is no file nowhere.py."),
        ("nowhere:learn", "nowhere:learn: it fails with ModuleNotFoundError: No module named 'nowhere'."),
        ("0123456", "Job '0123456': no job has this name."),
    ],
)
def test_name_of_nothing_is_told(script: Path, xpm: Xpm, name: str, said: str) -> None:
    result = xpm("diff", "diffed.py:slow", name)
    assert result.exit_code == 2
    assert said in result.stderr


def test_results_that_differ_are_a_hint(lab: Lab, xpm: Xpm) -> None:
    for name, results in (
        ("a", {"accuracy": 0.9, "size": 3, "f1": 0.1}),
        ("b", {"accuracy": 0.8, "size": 3.0, "f1": 0.1 + 1e-9, "extra": "x"}),
    ):
        lab.finish(name, lab.start(name), results=results)
    words = "diff", lab.identity("a"), lab.identity("b")
    hint = "their results differ: accuracy 0.9 and 0.8, f1 0.1 and 0.100000001, extra - and x"
    assert hint in xpm(*words).stderr
    assert json.loads(xpm(*words, "--json").stdout)["results"] == [
        {"result": "accuracy", "first": 0.9, "second": 0.8},
        {"result": "f1", "first": 0.1, "second": 0.1 + 1e-9},
        {"result": "extra", "second": "x"},
    ]
    lab.end("c")
    assert "results" not in xpm("diff", lab.identity("a"), lab.identity("c")).stderr
    assert "results" not in xpm("diff", lab.identity("a"), lab.identity("a")).stderr
