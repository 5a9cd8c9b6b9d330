"""`xpm cite`: from a number back to what it comes from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_cli.lookup.code.job_code import JobCode
from xpm_core.labels import short
from xpm_core.states import State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]

MACHINE = {"cpu": "AMD EPYC 7543", "cores": 16, "memory_bytes": 64 * 10**9, "gpus": ["A100", "A100"]}

COMMON = {"name": "all", "corpus": {"path": "/data/corpus"}}


@pytest.fixture
def swept(lab: Lab) -> Lab:
    """A model with three seeds, of which one failed, and another model with all of four."""
    lab.end("prepare", params={"name": "data"}, tags={"part": "data"})
    for seed in (1, 2, 3):
        given = {"params": {**COMMON, "model": "bm25", "seed": seed}, "tags": {"model": "bm25"}}
        state = State.FAILED if seed == 3 else State.DONE
        results = {} if seed == 3 else {"accuracy": 0.8 + seed / 100}
        lab.end(f"bm25-{seed}", state, ERROR if seed == 3 else None, ["prepare"], results=results, **given)
    for seed in (1, 2, 3, 4):
        given = {"params": {**COMMON, "model": "dense", "seed": seed}, "tags": {"model": "dense"}}
        lab.end(f"dense-{seed}", results={"accuracy": 0.6, "a:b": 2}, **given)
    return lab


def test_number_of_one_job_leads_to_its_directory_and_data(swept: Lab, xpm: Xpm) -> None:
    result = xpm("cite", "sweep:accuracy:model=bm25,seed=1")
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if not line.startswith(" "))
    job = short(swept.identity("bm25-1"))
    assert lines["number"] == "accuracy = 0.81"
    assert lines["jobs"] == f"{job} Train model=bm25   0.81"
    assert lines["folder"] == str(swept.directory("bm25-1").path)
    assert lines["uses"] == f"Train part=data {short(swept.identity('prepare'))}"
    assert lines["data"].startswith("corpus = /data/corpus")
    assert lines["checked"] == "results.json of 1 of 1 job says the same"
    assert lines["do"] == f"xpm show {job}   xpm reproduce {job}"


def test_cell_names_all_jobs_and_holes_also_those_that_a_filter_would_hide(swept: Lab, xpm: Xpm) -> None:
    result = xpm("cite", "sweep:accuracy:model=bm25", "--over", "seed")
    assert "number      accuracy = 0.815 (no interval, n=2 of 4 seeds)" in result.stdout
    assert f"1 failed: xpm show {short(swept.identity('bm25-3'))}, 1 missing: seed=4" in result.stdout
    found = json.loads(xpm("cite", "sweep:accuracy:model=bm25", "--over", "seed", "--json").stdout)
    assert [job["id"] for job in found["jobs"]] == [swept.identity(f"bm25-{seed}") for seed in (1, 2)]
    assert [hole["why"] for hole in found["cell"]["missing"]] == ["failed", "missing"]
    assert [job["id"] for job in found["used"]] == [swept.identity("prepare")]


def test_code_that_many_jobs_have_run_is_compared_once(lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[JobCode] = []

    def changed(code: JobCode) -> list[str]:
        compared.append(code)
        return []

    monkeypatch.setattr(JobCode, "changed", changed)
    for seed in range(4):
        lease = lab.start(f"a{seed}", params={"name": "all", "seed": seed}, tags={})
        code = {"snapshot": "ab"[seed // 2] * 64, "provenance": ""}
        lab.finish(f"a{seed}", lease, results={"accuracy": 0.5}, code=code)
    found = json.loads(xpm("cite", "sweep:accuracy", "--over", "seed", "--json").stdout)
    assert [job["code"]["snapshot"][0] for job in found["jobs"]] == ["a", "a", "b", "b"]
    assert [code.snapshot[0] for code in compared] == ["a", "b"]


def test_filter_that_leaves_out_jobs_of_a_row_is_said(swept: Lab, xpm: Xpm) -> None:
    result = xpm("cite", "sweep:accuracy:model=dense and seed<4", "--over", "seed")
    assert "n=3 seeds" in result.stdout
    assert "note        The filter leaves out 1 job of the same row." in result.stdout


def test_seed_of_another_name_is_proposed_where_rows_differ_in_it(swept: Lab, xpm: Xpm) -> None:
    for seed in (1, 2, 3):
        given = {"params": {"name": "eval", "train.seed": seed}, "tags": {"part": "eval"}}
        swept.end(f"eval-{seed}", results={"f1": seed / 10}, **given)
    result = xpm("cite", "sweep:f1", "--over", "seed")
    assert result.exit_code == 2
    assert result.stderr.endswith("train.seed=3. Fold what is repeated: --over seed,train.seed.\n")
    assert "f1 = 0.2 ± 0.2 (95 % t, n=3 runs)" in xpm("cite", "sweep:f1", "--over", "seed,train.seed").stdout


def test_result_whose_name_has_a_colon_is_found(swept: Lab, xpm: Xpm) -> None:
    assert "number      a:b = 2" in xpm("cite", "sweep:a:b:model=dense,seed=1").stdout


def test_directory_that_says_another_value_than_the_index_is_said(swept: Lab, xpm: Xpm) -> None:
    file = swept.directory("bm25-1").path / "results.json"
    file.write_text(file.read_text().replace("0.81", "0.99"))
    changed = xpm("cite", "sweep:accuracy:model=bm25,seed=1")
    file.unlink()
    gone = json.loads(xpm("cite", "sweep:accuracy:model=bm25,seed=1", "--json").stdout)
    assert "has another value in results.json than in the index" in changed.stdout
    assert "results.json of 0 of 1 job says the same" in changed.stdout
    assert gone["jobs"][0]["results_file"] == "missing"
    said = "has no such value in results.json, and the index has one. Its directory is"
    assert any(f"{said} the truth: look there." in note for note in gone["notes"])
    shutil.rmtree(swept.directory("bm25-1").path)
    assert f"{said} gone: run its script again." in xpm("cite", "sweep:accuracy:model=bm25,seed=1").stdout


def test_failed_job_that_has_reported_is_cited_with_its_state(lab: Lab, xpm: Xpm) -> None:
    lab.end("a", State.FAILED, ERROR, results={"accuracy": 0.5})
    assert "is failed: its value may not be the last one" in xpm("cite", "sweep:accuracy").stdout


def test_machine_and_record_are_those_of_the_attempt_that_counts(lab: Lab, xpm: Xpm) -> None:
    lease = lab.start("a")
    lab.finish("a", lease, results={"accuracy": 0.5}, machine=MACHINE, devices={"CUDA_VISIBLE_DEVICES": "1"})
    said = xpm("cite", "sweep:accuracy").stdout
    assert "machine     node1, AMD EPYC 7543, 16 cores, 64.0 GB, 2 x A100, CUDA_VISIBLE_DEVICES=1" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sweep"], "expected an experiment, a result and a filter, with colons between"),
        (["sweep:"], "expected an experiment, a result and a filter"),
        (["nowhere:accuracy"], "Experiment 'nowhere': not in this workspace"),
        (["sweep:model"], "'model' is no result"),
        (["sweep:accuracy:model=bm25,seed=3"], "no job that matches has reported 'accuracy', 1 job of sweep matches"),
        (
            ["sweep:accuracy:model=bm25"],
            "differ in seed (1, 2). Add one of them to the filter, or fold what is repeated",
        ),
        (["sweep:accuracy", "--over", "seed"], "2 rows match: "),
        (["sweep:accuracy:modl=bm25"], "Did you mean"),
        (["sweep:accuracy:model="], "filter"),
    ],
)
def test_bad_input_is_an_error_with_exit_code_2(swept: Lab, xpm: Xpm, words: list[str], said: str) -> None:
    result = xpm("cite", *words)
    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert said in result.stderr
