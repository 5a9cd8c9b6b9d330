"""`xpm graph`: which jobs of an experiment need which, in each form."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.project_files import require
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import AWAY

from xpm_cli.output.job_graph import nodes_of
from xpm_core.index.entries import Entry
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


@pytest.fixture
def diamond(lab: Lab) -> Lab:
    """Four jobs: `left` and `right` need `top`, `end` needs both; `left` has failed."""
    lab.end("top")
    lab.end("left", State.FAILED, ERROR, needs=["top"])
    lab.submit("right", "top")
    lab.submit("end", "left", "right")
    return lab


def rows(result: Result) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()[1:]]


def edges(document: str, arrow: str) -> set[tuple[str, str]]:
    """The edges of a drawing, by the labels of the nodes."""
    labels = dict(re.findall(r'(?m)^ *"?(\w+)"? ?\[(?:label=)?"Train name=(\w+)', document))
    found = re.findall(rf'(?m)^ *"?(\w+)"? {arrow} "?(\w+)"?', document)
    return {(labels[before], labels[after]) for before, after in found}


DIAMOND = {("top", "left"), ("top", "right"), ("left", "end"), ("right", "end")}


def test_table_names_what_each_job_needs_and_puts_that_first(diamond: Lab, xpm: Xpm) -> None:
    ids = {name: short(diamond.identity(name)) for name in ("top", "left", "right", "end")}
    lines = rows(xpm("graph", "sweep"))
    assert lines[0] == [ids["top"], "done", "Train name=top", "-"]
    assert lines[-1][:3] == [ids["end"], "blocked", "Train name=end"]
    assert set(lines[-1][3].split(", ")) == {f"Train name={name} {ids[name]}" for name in ("left", "right")}
    assert [ids["left"], "failed", "Train name=left", f"Train name=top {ids['top']}"] in lines


@pytest.mark.parametrize(("option", "arrow"), [("--mermaid", "-->"), ("--dot", "->")])
def test_drawings_have_the_same_edges(diamond: Lab, xpm: Xpm, option: str, arrow: str) -> None:
    result = xpm("graph", "sweep", option)
    assert result.stderr == ""
    assert edges(result.stdout, arrow) == DIAMOND


def test_many_jobs_are_shown_by_task(lab: Lab, xpm: Xpm) -> None:
    lab.end("first")
    for number in range(51):
        lab.submit(str(number), "first")
    (line,) = rows(xpm("graph", "sweep"))
    assert line == ["52 jobs", "51 ready, 1 done", "Train", "Train"]
    assert len(json.loads(xpm("graph", "sweep", "--json").stdout)["jobs"]) == 52


def test_classes_of_one_name_in_several_modules_are_not_one_task() -> None:
    tasks = {"a": "first:Train", "b": "second:Train", "c": "second:Test"}
    rows = [JobRow(Entry(f"{n:02}{each}", task), State.DONE) for each, task in tasks.items() for n in range(20)]
    needs = {row.identity: [f"{row.identity[:2]}a"] if row.identity.endswith("b") else [] for row in rows}
    nodes = nodes_of(rows, lambda row: "", needs)
    assert [(node.label, node.needs) for node in nodes] == [
        ("first:Train", []),
        ("second:Train", ["first:Train"]),
        ("Test", []),
    ]


def test_names_are_quoted(lab: Lab, xpm: Xpm) -> None:
    lab.end('"] --> x[\\')
    assert r"name=\"] --> x[\\" in xpm("graph", "sweep", "--dot").stdout
    drawn = xpm("graph", "sweep", "--mermaid").stdout
    assert "name=#34;#93; --#62; x#91;#92;" in drawn
    assert drawn.count("[") == 1


def test_graphviz_reads_the_drawing(diamond: Lab, xpm: Xpm) -> None:
    require(shutil.which("dot"), "Graphviz")
    text = xpm("graph", "sweep", "--dot").stdout
    subprocess.run(["dot", "-Tsvg"], input=text, text=True, check=True, capture_output=True)


def test_jobs_of_other_experiments_are_shown_if_they_are_needed(lab: Lab, xpm: Xpm) -> None:
    lab.end("first", experiment="other")
    lab.end("more", experiment="other")
    lab.submit("second", "first")
    found = {row[2]: row[3] for row in rows(xpm("graph", "sweep"))}
    assert found == {"Train name=first": "-", "Train name=second": f"Train name=first {short(lab.identity('first'))}"}
    jobs = json.loads(xpm("graph", "sweep", "--json").stdout)["jobs"]
    assert {job["id"]: job["inside"] for job in jobs} == {lab.identity("first"): False, lab.identity("second"): True}


def test_without_the_server_the_directories_say_what_they_know(
    diamond: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XPM_REDIS_URL", AWAY)
    result = xpm("graph", "sweep", "--json")
    needs = {job["id"]: job["needs"] for job in json.loads(result.stdout)["jobs"]}
    assert needs[diamond.identity("top")] == []
    assert needs[diamond.identity("end")] is None
    assert "What they need is not known of 3 jobs." in result.stderr


def test_unknown_experiment_is_an_error(diamond: Lab, xpm: Xpm) -> None:
    result = xpm("graph", "swep")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Experiment 'swep': not in this workspace, there is sweep." in result.stderr
