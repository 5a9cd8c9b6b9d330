"""What an export holds: jobs, what they need, results, code; and what it does not hold."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from exchange_tasks import Model, Prepare, Train
from helpers.finished_jobs import Study
from helpers.kept_code import keep

from xpm_core.errors import ExchangeError, SnapshotError, UnknownExperimentError
from xpm_core.exchange.exporting.export import Export, destination, prepare
from xpm_core.fingerprints.ran import Ran
from xpm_core.index.rebuild import rebuild
from xpm_core.judging.acceptance import Acceptance, add
from xpm_core.workspace.experiment_directory import Sampling
from xpm_core.workspace.kept_job import KeptJob


def exported(study: Study, **options: Any) -> tuple[Export, dict[str, bytes]]:
    """An export, and the files in it, below its folder."""
    found = prepare(study.workspace, study.name, version="1", **options)
    stream = io.BytesIO()
    found.write(stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        names = {member.name: tar.extractfile(member) for member in tar}
        return found, {name.partition("/")[2]: file.read() if file else b"" for name, file in names.items()}


def test_an_export_holds_jobs_results_and_lists(tmp_path: Path) -> None:
    study = Study(tmp_path)
    jobs = study.grid(2)
    found, files = exported(study)
    for job in jobs:
        assert files[f"{job.relative}/model.txt"] == b"learnt"
        assert files[f"{job.relative}/.xpm/done"] == (job.path / ".xpm" / "done").read_bytes()
        assert f"{job.relative}/params.json" in files
    assert files[f"runs/{study.run.name}/results/table.csv"] == b"a,b\n"
    assert next(iter(files)) == "README.txt"
    rows = json.loads(files["jobs.json"])["jobs"]
    assert {row["identity"]: row["tags"] for row in rows}[jobs[1].identity] == {"n": 0}
    table = list(csv.DictReader(io.StringIO(files["jobs.csv"].decode())))
    assert {row["lr"] for row in table} == {"", "0.1", "0.2"}
    assert {row["tag:n"] for row in table} == {"", "0", "1"}
    assert found.record.jobs == 3
    assert json.loads(files["export.json"])["latest"] == study.run.name


def test_the_size_is_about_what_is_written(tmp_path: Path) -> None:
    study = Study(tmp_path)
    study.grid(2, files={"large.bin": "x" * 10_000})
    found, files = exported(study)
    written = sum(len(data) for name, data in files.items() if "/" in name)
    assert abs(written - found.record.size) < 0.25 * written


def test_code_is_there_as_plain_files_and_by_digest(tmp_path: Path) -> None:
    study = Study(tmp_path / "ws")
    code = keep(tmp_path / "ws", tmp_path / "proj", {"train.py": "print(1)\n", "data/a\nb.csv": "1"})
    study.add(Prepare.C(seed=1), **code.options)
    rebuild(study.workspace)
    _, files = exported(study)
    folder = code.snapshot[:7]
    assert files[f"code/{folder}/proj/train.py"] == b"print(1)\n"
    assert files[f"code/{folder}/proj/data/a\nb.csv"] == b"1"
    assert files[f"documents/snapshots/{code.snapshot}"] == code.manifest.data
    assert files[f"documents/provenance/{code.provenance}"]
    assert json.loads(files["jobs.json"])["jobs"][0]["code"] == folder


def test_documents_that_only_records_name_are_there(tmp_path: Path) -> None:
    study = Study(tmp_path)
    code = keep(tmp_path, tmp_path / "proj", {"train.py": "print(1)\n"})
    packages = code.store.put("packages", b'{"packages": []}')
    study.add(Prepare.C(seed=1), record={"packages": packages, "snapshot": code.snapshot})
    _, files = exported(study)
    assert files[f"documents/packages/{packages}"] == b'{"packages": []}'
    assert f"code/{code.snapshot[:7]}/proj/train.py" in files


def test_what_a_job_ran_is_there_and_an_export_does_without_it_if_it_is_gone(tmp_path: Path) -> None:
    study = Study(tmp_path)
    code = keep(tmp_path, tmp_path / "proj", {"train.py": "print(1)\n"})
    document, gone = Ran("monitoring").written(), "0" * 64
    kept = code.store.put("ran", document)
    study.add(Prepare.C(seed=1), record={"ran": kept})
    study.add(Prepare.C(seed=2), record={"ran": gone})
    found, files = exported(study)
    assert files[f"documents/ran/{kept}"] == document
    assert found.code.missing == [gone]


def test_a_document_with_a_password_stays_behind(tmp_path: Path) -> None:
    study = Study(tmp_path)
    code = keep(tmp_path, tmp_path / "proj", {"train.py": "print(1)\n"})
    packages = code.store.put("packages", b'{"packages": ["git+https://me:sesame@host/x"]}')
    study.add(Prepare.C(seed=1), record={"packages": packages})
    found, files = exported(study)
    assert found.code.withheld == [packages]
    assert b"sesame" not in b"".join(files.values())


def test_what_was_accepted_of_the_result_is_there_with_its_code(tmp_path: Path) -> None:
    study = Study(tmp_path)
    job = study.add(Prepare.C(seed=1))
    marker = job.marker()
    assert marker is not None
    codes = [keep(tmp_path, tmp_path / "proj", {"train.py": f"print({n})\n"}) for n in range(4)]
    for code, execution, why in zip(codes, [*[marker.execution] * 3, "earlier"], ["1", "2", "3", "4"], strict=True):
        said = f"{why}: see https://me:sesame@host/x"
        add(job, Acceptance(execution, code.snapshot, code.provenance, said, "ana", "head", 1.0))
    Path(codes[1].store.document_path("snapshots", codes[1].snapshot)).unlink()
    found, files = exported(study)
    lines = [json.loads(line) for line in files[f"{job.relative}/.xpm/accepted.jsonl"].splitlines()]
    assert [(each["why"][0], each["snapshot"]) for each in lines] == [
        ("1", codes[0].snapshot),
        ("3", codes[2].snapshot),
    ]
    assert {name for name in files if name.endswith("train.py")} == {
        f"code/{codes[n].snapshot[:7]}/proj/train.py" for n in (0, 2)
    }
    assert f"documents/provenance/{codes[2].provenance}" in files
    assert b"sesame" not in b"".join(files.values())
    assert set(found.record.snapshots) == {codes[0].snapshot, codes[2].snapshot}


def test_missing_code_is_an_error(tmp_path: Path) -> None:
    study = Study(tmp_path)
    code = keep(tmp_path, tmp_path / "proj", {"train.py": "print(1)\n"})
    study.add(Prepare.C(seed=1), **code.options)
    Path(code.store.object_path(code.manifest.files[0].digest)).unlink()
    with pytest.raises(SnapshotError, match="missing"):
        exported(study)


def test_jobs_of_other_experiments_come_along_if_they_are_needed(tmp_path: Path) -> None:
    study = Study(tmp_path)
    other = Study(tmp_path, "corpora")
    prepare_task = Prepare.C(seed=5)
    needed = other.add(prepare_task)
    other.add(Prepare.C(seed=6))
    study.add(Train.C(lr=0.1, data=prepare_task, model=Model.C()), needs=[needed])
    found, files = exported(study)
    assert f"{needed.relative}/model.txt" in files
    assert len(found.jobs) == 2
    assert [row["own"] for row in json.loads(files["jobs.json"])["jobs"]] == [False, True]


def test_failed_and_unfinished_jobs_stay_behind(tmp_path: Path) -> None:
    study = Study(tmp_path)
    study.grid(1)
    study.add(Prepare.C(seed=8), kind="failed", keeps=False)
    study.workspace.job("x:Y", "0" * 64).prepare(1)
    found, files = exported(study)
    assert found.selection.failed == 1
    assert len(found.jobs) == 2
    assert not [name for name in files if name.endswith(".xpm/failed")]


def test_failed_jobs_come_along_if_the_server_says_what_they_ran(tmp_path: Path) -> None:
    study = Study(tmp_path)
    failed = study.add(Prepare.C(seed=8), kind="failed")
    kept = failed.kept("exchange_tasks:Prepare")
    (failed.path / ".xpm" / "handed.json").unlink()
    asked: list[str] = []

    def ask(identity: str) -> KeptJob | None:
        asked.append(identity)
        return kept

    _, files = exported(study, ask=ask)
    assert f"{failed.relative}/.xpm/failed" in files
    assert asked == [failed.identity]


def test_without_results_there_are_records_parameters_and_code_only(tmp_path: Path) -> None:
    study = Study(tmp_path)
    (job, *_) = study.grid(1)
    sampling = Sampling("accuracy", ("seed",), 0.1, 20, "width", 7, frozenset([job.identity]))
    study.workspace.experiment(study.name).keep_sampling(sampling)
    assert "sampled.jsonl" in exported(study)[1]
    _, files = exported(study, results=False)
    assert "sampled.jsonl" not in files
    own = {name[len(job.relative) + 1 :] for name in files if name.startswith(job.relative)}
    execution = next(name for name in own if "executions" in name)
    assert own == {".xpm/done", ".xpm/handed.json", execution, "params.json"}
    assert {name for name in files if name.startswith("runs/")} == {f"runs/{study.run.name}/jobs"}
    assert "cannot be imported" in files["README.txt"].decode()


def test_secrets_stay_behind(tmp_path: Path) -> None:
    study = Study(tmp_path)
    record = {"error": {"message": "redis://a:sesame@head does not answer"}}
    job = study.add(Prepare.C(seed=1), env={"API_KEY": "sesame"}, record=record)
    found, files = exported(study)
    assert b"sesame" not in b"".join(files.values())
    assert found.record.hidden == {job.identity: ["API_KEY"]}
    assert "API_KEY" in files["README.txt"].decode()


def test_a_parameter_with_a_password_is_refused(tmp_path: Path) -> None:
    study = Study(tmp_path)
    study.add(Train.C(lr=0.1, data=Prepare.C(), model=Model.C(), extra="db://me:sesame@host"))
    with pytest.raises(ExchangeError, match=r"Train/.*'extra' holds a password in a URL"):
        exported(study)


def test_a_job_that_does_not_say_what_it_runs_is_refused(tmp_path: Path) -> None:
    study = Study(tmp_path)
    study.add(Prepare.C(seed=1), keeps=False)
    with pytest.raises(ExchangeError, match="does not say what job"):
        exported(study)


def test_an_unknown_or_empty_experiment_is_an_error(tmp_path: Path) -> None:
    study = Study(tmp_path)
    with pytest.raises(ExchangeError, match="no job that is done"):
        exported(study)
    study.name = "digit"
    with pytest.raises(UnknownExperimentError, match="there is digits"):
        exported(study)


@pytest.mark.parametrize("name", ["x", "x.zip", "x.tar.xz", ".tar/x"])
def test_the_form_is_known_by_the_name(name: str) -> None:
    with pytest.raises(ExchangeError, match=r"Name it \.tar or \.tar\.gz"):
        destination(name)


REPORTED = {"results": {"accuracy": 0.9, "loss": None}, "not_finite": {"loss": "nan"}, "files": ["model.txt"]}
"""What the records of jobs have of their results."""


def test_what_jobs_have_reported_goes_along(tmp_path: Path) -> None:
    study = Study(tmp_path)
    jobs = study.grid(1, record=REPORTED, files={"results.json": '{"schema": 1}', "metrics.jsonl": "{}\n"})
    _, files = exported(study)
    assert {f"{jobs[1].relative}/{name}" for name in ("results.json", "metrics.jsonl")} <= files.keys()
    rows = {row["identity"]: row["results"] for row in json.loads(files["jobs.json"])["jobs"]}
    assert rows == {jobs[0].identity: {}, jobs[1].identity: {"accuracy": 0.9, "loss": "nan"}}
    table = list(csv.DictReader(io.StringIO(files["jobs.csv"].decode())))
    assert sorted(row["result:accuracy"] for row in table) == ["", "0.9"]


def test_an_export_without_results_has_none_in_its_records_either(tmp_path: Path) -> None:
    study = Study(tmp_path)
    study.grid(1, record=REPORTED)
    _, files = exported(study, results=False)
    assert not [name for name, data in files.items() if b"accuracy" in data]
