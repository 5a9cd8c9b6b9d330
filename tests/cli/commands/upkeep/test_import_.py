"""`xpm import`: a file from a colleague becomes jobs that can be seen and reused, and that run nothing unasked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from exchange_tasks import Model, Prepare, Train
from helpers.finished_jobs import Study
from helpers.forged_tars import changed, written
from helpers.typed_commands import AWAY

from xpm_core.index.rebuild import rebuild

Xpm = Callable[..., Result]
pytestmark = pytest.mark.redis


@pytest.fixture
def file(tmp_path: Path, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with three jobs. No server can be had."""
    monkeypatch.setenv("XPM_REDIS_URL", AWAY)
    study = Study(tmp_path / "theirs")
    study.grid(2)
    return written(study, tmp_path / "digits.tar.gz")


def test_the_workspace_is_made_and_the_jobs_are_seen_without_a_server(file: Path, xpm: Xpm, tmp_path: Path) -> None:
    new = tmp_path / "new"
    result = xpm("import", file, "-w", new)
    assert result.exit_code == 0, result.stderr
    assert "digits: 3 jobs imported." in result.stderr
    rows = json.loads(xpm("jobs", "-w", new, "--json").stdout)["jobs"]
    assert [row["state"] for row in rows] == ["done"] * 3
    assert {row["experiments"][0] for row in rows} == {"digits"}
    assert "3 done" in xpm("status", "-w", new).stdout
    shown = xpm("show", "n=0", "-w", new)
    assert "imported    from digits.tar.gz, exported by " in shown.stdout


def test_nothing_is_written_if_something_does_not_fit(file: Path, xpm: Xpm, tmp_path: Path) -> None:
    forged = changed(file, lambda files: files.pop("jobs.json"))
    result = xpm("import", forged, "-w", tmp_path / "new")
    assert (result.exit_code, "jobs.json is malformed" in result.stderr) == (1, True)
    assert not (tmp_path / "new").exists()


def test_a_dry_run_writes_nothing(file: Path, xpm: Xpm, tmp_path: Path) -> None:
    result = xpm("import", file, "-w", tmp_path / "new", "--dry-run")
    assert "digits: 3 jobs would be imported." in result.stderr
    assert not (tmp_path / "new").exists()


def test_jobs_that_are_here_are_counted(file: Path, xpm: Xpm, tmp_path: Path) -> None:
    xpm("import", file, "-w", tmp_path / "new")
    again = xpm("import", file, "-w", tmp_path / "new")
    assert (again.exit_code, "--as NAME" in again.stderr) == (1, True)
    other = xpm("import", file, "-w", tmp_path / "new", "--as", "theirs")
    assert "theirs: 0 jobs imported, 3 were here already." in other.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--max-size", "many"], 2, "expected a size such as 500GB"),
        (["--max-size", "1kB"], 1, "holds more than 1.0 kB"),
        (["--as", "../x"], 1, "../x"),
    ],
)
def test_wrong_words_are_one_error(
    file: Path, xpm: Xpm, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    result = xpm("import", file, "-w", tmp_path / "new", *words)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert not (tmp_path / "new").exists()


def test_what_an_imported_job_runs_is_not_run_unasked(file: Path, xpm: Xpm, tmp_path: Path) -> None:
    new = tmp_path / "new"
    xpm("import", file, "-w", new)
    for command in (["debug"], ["reproduce", "--into", str(tmp_path / "again")]):
        result = xpm(*command, "n=0", "-w", new)
        assert result.exit_code != 0
        assert "it was imported (digits.tar.gz, exported by " in result.stderr
        assert "--trust" in result.stderr
    assert not (tmp_path / "again").exists()


@pytest.mark.usefixtures("file")
def test_a_job_whose_secrets_were_hidden_does_not_run_without_them(xpm: Xpm, tmp_path: Path) -> None:
    study = Study(tmp_path / "theirs")
    first = Prepare.C(seed=1)
    needed = study.add(first)
    job = study.add(Train.C(lr=0.1, data=first, model=Model.C()), needs=[needed], env={"API_KEY": "x"})
    rebuild(study.workspace)
    result = xpm("import", written(study, tmp_path / "x.tar"), "-w", tmp_path / "new")
    assert "1 job cannot be run here without the values of API_KEY, which were hidden." in result.stderr
    result = xpm("debug", job.identity, "-w", tmp_path / "new", "--trust")
    assert "it was exported without the values of API_KEY" in result.stderr
    assert "Run its script, which sets them." in result.stderr
