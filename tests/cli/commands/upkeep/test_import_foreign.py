"""`xpm import --csv` and the like: runs of other programs become rows beside jobs, and it is said what was guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from exchange_tasks import Prepare
from helpers.finished_jobs import Study
from helpers.typed_commands import AWAY

from xpm_cli.completion.values import Values
from xpm_core import look, tag
from xpm_core.errors import UnknownExperimentError, UnknownJobError
from xpm_core.index.rebuild import rebuild
from xpm_core.results.foreign import names
from xpm_core.results.table import Table

Xpm = Callable[..., Result]
pytestmark = pytest.mark.redis

RUNS = "seed,lr,model,accuracy,notes\n1,0.1,svm,0.91,first\n2,0.1,svm,0.93,\n"


@pytest.fixture
def place(tmp_path: Path, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `runs.csv`. Commands run in it, and no server can be had."""
    monkeypatch.setenv("XPM_REDIS_URL", AWAY)
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "runs.csv").write_text(RUNS)
    return folder


def results(place: Path, filter: str = "", workspace: str = "new") -> Table:
    with look(place / workspace) as view:
        return view.results("digits", filter)


def test_runs_become_rows_and_it_is_said_what_was_guessed(place: Path, xpm: Xpm) -> None:
    result = xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new")
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert result.stderr.splitlines() == [
        "parameters  seed, lr, model   (by their names)",
        "results     accuracy   (by their names)",
        "left out    notes",
        "If that is wrong, name the columns: --params, --tags, --results.",
        "runs.csv: 2 rows imported into digits.",
        "See them: xpm results digits --workspace new",
    ]
    table = results(place)
    assert [(row["seed"], row["accuracy"], row["lr"], row["foreign"]) for row in table] == [
        (1, 0.91, 0.1, "runs.csv"),
        (2, 0.93, 0.1, "runs.csv"),
    ]
    assert [note.partition(",")[0] for note in table.notes] == ["2 rows are foreign: runs.csv"]


def test_the_same_file_again_changes_nothing(place: Path, xpm: Xpm) -> None:
    words = ["import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new"]
    xpm(*words)
    before = (place / "new/.xpm/foreign/runs.csv.jsonl").stat().st_mtime_ns
    result = xpm(*words)
    assert "runs.csv: nothing changes, its 2 rows are in digits already." in result.stderr
    assert (place / "new/.xpm/foreign/runs.csv.jsonl").stat().st_mtime_ns == before
    (place / "runs.csv").write_text(RUNS + "3,0.1,svm,0.95,\n")
    assert "runs.csv: 3 rows imported into digits, in place of those that came before." in xpm(*words).stderr
    assert len(results(place)) == 3


def test_a_dry_run_writes_nothing(place: Path, xpm: Xpm) -> None:
    result = xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new", "--dry-run")
    assert (result.exit_code, "runs.csv: 2 rows would be imported into digits." in result.stderr) == (0, True)
    assert not (place / "new").exists()


def test_columns_are_what_the_options_say(place: Path, xpm: Xpm) -> None:
    words = ["--params", "optim.lr=lr,seed", "--tags", "model", "--results", "acc=accuracy", "--task", "Train"]
    result = xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new", "--json", *words)
    found = json.loads(result.stdout)
    assert (found["params"], found["tags"], found["results"]) == (["seed", "optim.lr"], ["model"], ["acc"])
    assert (found["guessed"], found["left_out"], found["task"]) == ([], ["notes"], "Train")
    assert "by their names" not in result.stderr
    assert [row["acc"] for row in results(place, "task=Train and model=svm and optim.lr=0.1")] == [0.91, 0.93]


def test_what_was_imported_is_seen_traced_and_listed_without_any_job(place: Path, xpm: Xpm) -> None:
    xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new")
    identity = results(place)[0].identity
    table = xpm("results", "digits", "-w", "new")
    assert table.stdout.splitlines()[1].split() == [identity[:11], "1", "0.91"]
    assert "They have the runs that were imported." in table.stderr
    facts = xpm("results", "digits", "-w", "new", "--columns", "host,code,ended,foreign").stdout
    assert facts.splitlines()[1].split() == ["-", "-", "-", "runs.csv"]
    folded = xpm("results", "digits", "-w", "new", "--over", "seed").stdout
    assert folded.splitlines()[:2] == ["accuracy", "0.92"]
    traced = xpm("cite", "digits:accuracy:seed=1", "-w", "new").stdout
    assert f"foreign     {identity[:11]} runs.csv   0.91   line 2" in traced
    assert f"from        {place / 'runs.csv'}   sha256 " in traced
    assert "jobs" not in traced
    found = json.loads(xpm("cite", "digits:accuracy", "-w", "new", "--over", "seed", "--json").stdout)
    assert (found["jobs"], [(each["where"], each["value"]) for each in found["foreign"]]) == (
        [],
        [("line 2", 0.91), ("line 3", 0.93)],
    )
    page = xpm("checklist", "digits", "-w", "new").stdout
    assert "- 2 rows of tables from imported runs of other programs: see the notes." in page
    assert "is not known here, and is in no sum." in page
    assert xpm("jobs", "-w", "new").exit_code == 3  # nobody knows whether there are jobs


def test_seeds_of_jobs_and_of_foreign_runs_are_not_confused(place: Path, xpm: Xpm) -> None:
    (place / "runs.csv").write_text("seed,accuracy\n1,0.91\n2,0.92\n")
    study = Study(place / "new")
    for seed in (3, 4):
        study.add(Prepare.C(seed=tag(seed)), record={"results": {"accuracy": 0.9 + seed / 1000}})
    study.run.name_jobs([])
    rebuild(study.workspace)
    xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new")
    said = xpm("cite", "digits:accuracy:task=runs.csv", "-w", "new", "--over", "seed").stdout
    assert ("seed=1   0.91   line 2" in said, "seed=2   0.92   line 3" in said) == (True, True)


def test_runs_that_count_as_a_task_fold_with_its_jobs(place: Path, xpm: Xpm) -> None:
    (place / "runs.csv").write_text("seed,accuracy\n1,0.91\n2,0.92\n")
    study = Study(place / "new")
    for seed in (3, 4):
        study.add(Prepare.C(seed=tag(seed)), record={"results": {"accuracy": 0.9 + seed / 1000}})
    study.run.name_jobs([])
    rebuild(study.workspace)
    xpm("import", "--csv", "runs.csv", "--experiment", "digits", "--task", "exchange_tasks:Prepare", "-w", "new")
    assert xpm("results", "digits", "-w", "new").stdout.split()[:3] == ["ID", "seed", "accuracy"]
    found = json.loads(xpm("cite", "digits:accuracy", "-w", "new", "--over", "seed", "--json").stdout)
    assert (len(found["foreign"]), len(found["jobs"]), found["cell"]["n"]) == (2, 2, 4)
    said = xpm("cite", "digits:accuracy", "-w", "new", "--over", "seed").stdout
    for line in ("seed=3   0.903", "seed=4   0.904", "seed=1   0.91   line 2", "seed=2   0.92   line 3"):
        assert line in said


def test_a_failed_foreign_run_is_named_and_no_command_for_jobs(place: Path, xpm: Xpm) -> None:
    (place / "runs.csv").write_text("seed,accuracy,state\n1,0.91,finished\n2,0.1,failed\n")
    xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new")
    identity = results(place)[1].identity
    said = xpm("results", "digits", "--over", "seed", "-w", "new").stderr
    assert f"1 of 2 seeds (1 failed: foreign {identity[:11]})" in said
    assert "xpm show csv" not in said
    note = f"Run {identity[:11]} is failed: its value may not be the last one."
    assert note in xpm("cite", "digits:accuracy:seed=2", "-w", "new").stdout


def test_foreign_rows_stand_beside_jobs(place: Path, xpm: Xpm) -> None:
    study = Study(place / "new")
    for seed in (3, 4):
        study.add(Prepare.C(seed=tag(seed)), record={"results": {"accuracy": 0.9 + seed / 1000}})
    study.run.name_jobs([])
    rebuild(study.workspace)
    with look(place / "new") as view:
        assert len(view.results("", "")) == 2
    xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new")
    with look(place / "new") as view:
        table = view.results()
        assert [(row["seed"], row["accuracy"], row["foreign"]) for row in table] == [
            (3, 0.903, None),
            (4, 0.904, None),
            (1, 0.91, "runs.csv"),
            (2, 0.93, "runs.csv"),
        ]
        assert [row["lr"] for row in table] == [None, None, 0.1, 0.1]
        assert len(view.results("", "lr=0.1")) == 2  # only foreign rows have it
        assert len(view.results("", "task=Prepare")) == 2
        assert len(view.results("", "seed>1")) == 3
        assert len(view.jobs()) == 2


def test_no_command_takes_a_foreign_row_for_a_job(place: Path, xpm: Xpm) -> None:
    xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new")
    identity = results(place)[0].identity
    with look(place / "new") as view:
        assert list(view.jobs()) == []
        with pytest.raises(UnknownJobError, match="it is a foreign run, so there is no job"):
            view.job(identity)
    for command in ("show", "cancel", "retry", "debug", "logs"):
        assert xpm(command, identity, "-w", "new").exit_code in (2, 3), command


def test_hydra_and_wandb_come_the_same_way(place: Path, xpm: Xpm) -> None:
    for number in (0, 1):
        hydra = place / f"multirun/2026-11-27/12-00-00/{number}/.hydra"
        hydra.mkdir(parents=True)
        (hydra / "config.yaml").write_text(f"lr: 0.{number + 1}\n")
        (hydra.parent / "eval.json").write_text(json.dumps({"accuracy": number / 2}))
    result = xpm(
        "import", "--hydra-multirun", "multirun/2026-11-27/12-00-00", "--results-file", "eval.json",
        "--experiment", "digits", "-w", "new",
    )  # fmt: skip
    assert "2026-11-27-12-00-00: 2 rows imported into digits." in result.stderr
    (place / "export.json").write_text(json.dumps([{"id": "a", "config": {"lr": 0.3}, "summary": {"accuracy": 1}}]))
    result = xpm("import", "--wandb-export", "export.json", "--experiment", "digits", "-w", "new")
    assert "export.json: 1 row imported into digits." in result.stderr
    table = results(place)
    assert [(row["lr"], row["accuracy"], row.identity.partition(":")[0]) for row in table] == [
        (0.1, 0.0, "hydra"),
        (0.2, 0.5, "hydra"),
        (0.3, 1, "wandb"),
    ]
    assert table[0].directory == place / "multirun/2026-11-27/12-00-00/0"
    (place / "runs.csv").unlink()


def test_what_is_forgotten_is_in_no_table(place: Path, xpm: Xpm) -> None:
    xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new")
    result = xpm("import", "--forget", "other", "-w", "new")
    assert (result.exit_code, "There are: runs.csv." in result.stderr) == (1, True)
    result = xpm("import", "--forget", "runs.csv", "-w", "new")
    assert (result.exit_code, "its foreign rows were removed" in result.stderr) == (0, True)
    assert names(place / "new") == []
    assert (place / "runs.csv").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "Expected one of FILE, --csv, --hydra-multirun, --wandb-export, --forget; got none."),
        (["x.tar", "--csv", "runs.csv"], 2, "got FILE and --csv"),
        (["--csv", "runs.csv", "--wandb-export", "x"], 2, "got --csv and --wandb-export"),
        (["--csv", "runs.csv"], 2, "--csv needs --experiment NAME"),
        (["x.tar", "--params", "lr"], 2, "--params goes with --csv"),
        (["--csv", "runs.csv", "--experiment", "a", "--as", "b"], 2, "--as goes with FILE"),
        (["--csv", "runs.csv", "--experiment", "a", "--results-file", "b"], 2, "--results-file goes with --hydra"),
        (["--forget", "a", "--experiment", "b"], 2, "--experiment does not go with --forget"),
        (["--forget", "a", "--json"], 2, "--forget takes neither --dry-run nor --json"),
        (["--csv", "runs.csv", "--experiment", "../a"], 1, "experiment '../a': expected 1 to 100 letters"),
        (["--csv", "none.csv", "--experiment", "a"], 1, "none.csv: cannot be read"),
        (["--csv", "runs.csv", "--experiment", "a", "--results", "f1"], 1, "has no column 'f1'"),
        (["--hydra-multirun", "none", "--experiment", "a"], 1, "none: it is no folder"),
    ],
)
def test_wrong_words_are_one_error_and_nothing_is_written(
    place: Path, xpm: Xpm, words: list[str], code: int, said: str
) -> None:
    result = xpm("import", "-w", "new", *words)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert not (place / "new").exists()


def test_an_experiment_of_foreign_rows_alone_is_known_where_names_are_told(place: Path, xpm: Xpm) -> None:
    xpm("import", "--csv", "runs.csv", "--experiment", "digits", "-w", "new")
    for words in (["results", "digit"], ["checklist", "digit"], ["export", "digit", "x.tar"]):
        assert "there is digits." in xpm(*words, "-w", "new").stderr, words
    said = "has foreign rows only, and no jobs. See them: xpm results digits."
    assert said in xpm("export", "digits", "x.tar", "-w", "new").stderr
    with look(place / "new") as view, pytest.raises(UnknownExperimentError, match=said):
        view.experiment("digits")
    assert [each.word for each in Values("new", []).of("experiment", "di")] == ["digits"]
