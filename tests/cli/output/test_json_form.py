"""The JSON forms are what docs/reference/schemas says, no less and no more."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result
from exchange_tasks import Prepare
from helpers.done_job import DoneJob
from helpers.finished_jobs import Study
from helpers.json_schemas import NAMES, SCHEMAS, problems, read
from helpers.kept_runs import KeptRuns
from helpers.simulated_jobs import Lab
from helpers.typed_commands import Shell
from helpers.yaml_files import write
from jsonschema import Draft202012Validator

from xpm_cli.output.job_record import FIELDS
from xpm_cli.output.json_form import dumps
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.states import Event, State
from xpm_core.words.reasons import Code, Outlook
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]

DOCUMENTS = [
    *[("status", words, False) for words in ("status --json", "status sweep --json")],
    *[("jobs", words, False) for words in ("jobs --json", "jobs -o json --limit 1")],
    *[("show", f"show name={state.value} --json", away) for state in State for away in (False, True)],
    *[("why", f"why name={state.value} --json", False) for state in State],
    *[("why", words, False) for words in ("why --json", "why --state ready,blocked --json")],
    ("diff", "diff name=done name=failed --json", False),
    ("diff", "diff name=done name=failed --json", True),
    *[("diff-code", "diff --code name=done --json", away) for away in (False, True)],
    *[("events", words, False) for words in ("events --json", "events name=failed -o json -n 2")],
    ("tokens", "tokens --json", False),
    *[("workers", words, False) for words in ("workers --json", "workers -o json")],
    ("queues", "queues --json", False),
    *[("gc", words, False) for words in ("gc --json", "gc --failed --orphans --json")],
    *[("config", "config --json", away) for away in (False, True)],
    *[("server", "server status --json", away) for away in (False, True)],
    *[
        ("results", f"results sweep {more}--json", away)
        for more in (
            "",
            "--over name ",
            "--columns id,state,ended,accuracy ",
            "--pivot name optim.lr accuracy ",
        )
        for away in (False, True)
    ],
    *[
        ("cite", f"cite sweep:accuracy:name=done {more}--json", away)
        for more in ("", "--over name ")
        for away in (False, True)
    ],
    *[("checklist", "checklist sweep --json", away) for away in (False, True)],
    *[("graph", "graph sweep --json", away) for away in (False, True)],
    *[("doctor", words, away) for words in ("doctor --json", "doctor --json --deep") for away in (False, True)],
    ("status", "status --json", True),
    ("jobs", "jobs --json", True),
]
"""Documents: the schema of each, what is typed, and whether the server is away."""


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(read(name))


@pytest.mark.parametrize(("name", "words", "away"), DOCUMENTS)
def test_document_is_what_the_schema_says(seen: Xpm, name: str, words: str, away: bool) -> None:
    result = seen(*words.split(), away=away)
    assert problems(name, json.loads(result.stdout)) == [], result.stderr


def test_job_that_runs_and_one_that_was_retried_are_what_the_schema_says(lab: Lab, xpm: Xpm) -> None:
    lab.end("a", State.FAILED, {"type": "ValueError", "message": "no", "frames": [{"file": "a.py", "line": 3}]})
    lab.store.retry(lab.identity("a"))
    lease = lab.claim(lab.identity("a"))
    reported = {"fraction": 0.5, "desc": "epoch 1/2", "inner": [{"desc": "batch 3"}]}
    lab.store.tell(lease, Event.PROGRESS, reported)
    for name, words in (("show", ["show", "last"]), ("why", ["why", "last"]), ("jobs", ["jobs"])):
        document = json.loads(xpm(*words, "--json").stdout)
        assert problems(name, document) == []


@pytest.mark.parametrize("words", ["--into written --no-run", "--into run", "--into live --code live"])
def test_job_that_is_run_again_is_what_the_schema_says(tmp_path: Path, words: str) -> None:
    runs = KeptRuns(tmp_path)
    runs.run("[Train.C(lr=tag(0.5), model=Model.C())]")
    runs.write("scale.py", "FACTOR = 300\n")
    shell = Shell(tmp_path, "", tmp_path / "home")
    place = ["--workspace", runs.workspace.path, "--json", "-q"]
    result = shell.run("reproduce", "last", *words.split(), *place, away=True)
    assert problems("reproduce", json.loads(result.stdout)) == [], result.stderr


def test_what_has_changed_since_a_job_ran_is_what_the_schema_says(tmp_path: Path) -> None:
    job = DoneJob(tmp_path)
    with job.importable():
        job.run(packages=CodeStore(job.workspace).put("packages", b'{"packages": {"click": "1"}, "python": "3.12.4"}'))
        job.edit("changed_helper.py", "return n", "return n + 1")
        job.edit("changed_helper.py", "return -n", "return n")
        shell = Shell(tmp_path, "", tmp_path / "home")
        result = shell.run("diff", "--code", str(job.directory.path), "--json", away=True)
    document = json.loads(result.stdout)
    assert (len(document["ran"]), len(document["never_ran"]), bool(document["packages"])) == (1, 1, True)
    assert problems("diff-code", document) == [], result.stderr


@pytest.mark.parametrize(
    ("name", "words", "change", "problem"),
    [
        ("status", "status --json", {"moon": "full"}, "Unevaluated properties are not allowed ('moon' was unexpected)"),
        (
            "show",
            "show name=done --json",
            {"moon": 1},
            "Unevaluated properties are not allowed ('moon' was unexpected)",
        ),
        ("diff", "diff name=done name=failed --json", {"same": 3}, "3 is not of type 'boolean'"),
        ("jobs", "jobs --json", {"schema": 2}, "1 was expected"),
    ],
)
def test_document_that_is_otherwise_is_noticed(seen: Xpm, name: str, words: str, change: Any, problem: str) -> None:
    document = json.loads(seen(*words.split()).stdout)
    assert problem in problems(name, {**document, **change})[0]
    for field in document:
        assert problems(name, {key: value for key, value in document.items() if key != field}) != []


def test_exports_and_imports_are_what_the_schemas_say(workspace: Workspace, xpm: Xpm, tmp_path: Path) -> None:
    study = Study(workspace.path)
    study.grid(2, env={"API_KEY": "x"})
    study.add(Prepare.C(seed=9), kind="failed", keeps=False)
    (study.add(Prepare.C(seed=8)).path / "link").symlink_to("/etc/passwd")
    file, new = tmp_path / "x.tar", tmp_path / "new"
    for words in (["--dry-run"], []):
        assert problems("export", json.loads(xpm("export", "digits", file, "--json", *words).stdout)) == []
    for words in (["--dry-run"], [], ["--as", "again"]):
        assert problems("import", json.loads(xpm("import", file, "-w", new, "--json", *words).stdout)) == []
    (tmp_path / "runs.csv").write_text("lr,accuracy,notes\n0.1,0.9,x\n")
    for words in (["--dry-run"], [], []):
        typed = ["import", "--csv", tmp_path / "runs.csv", "--experiment", "old", "-w", new, "--json", *words]
        assert problems("foreign", json.loads(xpm(*typed).stdout)) == []
    for name, said in (
        ("results", "results old"),
        ("results", "results old --over lr"),
        ("cite", "cite old:accuracy"),
        ("cite", "cite old:accuracy --over lr"),
        ("checklist", "checklist old"),
    ):
        assert problems(name, json.loads(xpm(*said.split(), "-w", new, "--json").stdout)) == []
    job = study.run.record and sorted(study.run.record.identities)[0]
    assert problems("show", json.loads(xpm("show", job, "-w", new, "--json").stdout)) == []


def test_plan_of_a_dry_run_is_what_the_schema_says(tmp_path: Path) -> None:
    code = """
    from xpm_core import Param, Task
    class Train(Task):
        n: Param[int]
        def execute(self): ...
    def run(xp):
        gpu = xp.connector.createtoken("gpu", 1)
        for n in range(3):
            first = gpu(1, Train.C(n=n)).submit()
        Train.C(n=9).add_dependencies(first).submit(queue="nobody")
    """
    write(tmp_path, {"experiment.py": textwrap.dedent(code), "a.yaml": "workspace: ws\nexperiment: a\nworkers: 2\n"})
    shell = Shell(tmp_path, "", tmp_path / "home")
    result = shell.run("run", "a.yaml", "--dry-run", "--json", cwd=tmp_path)
    document = json.loads(result.stdout)
    assert problems("plan", document) == []
    assert (len(document["limits"]), len(document["obstacles"]), document["counts"]["new"]) == (1, 1, 4)


def test_lists_of_words_are_those_of_the_code() -> None:
    parts = read("common")["$defs"]
    assert parts["state"]["enum"] == [state.value for state in State]
    reason = parts["reason"]["properties"]
    assert reason["code"]["enum"] == [code.value for code in Code]
    assert reason["outlook"]["enum"] == [outlook.value for outlook in Outlook]
    assert tuple(parts["job"]["properties"]) == FIELDS
    event = read("events")["properties"]["events"]["items"]["properties"]["event"]
    assert event["enum"] == [each.value for each in Event]
    states = read("status")["properties"]["jobs"]["properties"]
    assert list(states) == parts["state"]["enum"]


def test_document_can_be_checked_as_the_page_says(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "jobs.out"
    file.write_text(scene.shell.run("jobs", "--json").stdout)
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", SCHEMAS / "jobs.json", file]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_json_has_no_infinite_numbers() -> None:
    written = dumps({"a": [float("nan"), (float("inf"), 1.5)], "b": "é"}, indent=None)
    assert json.loads(written, parse_constant=pytest.fail) == {"a": ["nan", ["inf", 1.5]], "b": "é"}
