"""A file of which something does not fit is refused, and the error says what."""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgpack
import pytest
from exchange_tasks import Model, Prepare, Train
from helpers.finished_jobs import Study
from helpers.forged_tars import Files, changed, packed, written
from helpers.kept_code import keep

from xpm_core.errors import ExchangeError
from xpm_core.exchange.importing.archive import Archive
from xpm_core.exchange.importing.checks import Checked, check
from xpm_core.exchange.importing.contents import read_contents
from xpm_core.judging.acceptance import Acceptance, content_of
from xpm_core.language.values.encoding import pack


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An experiment with code, and its file at x.tar."""
    found = Study(tmp_path / "ws")
    code = keep(tmp_path / "ws", tmp_path / "proj", {"train.py": "print(1)\n", "lib/a.py": "a = 1\n"})
    found.grid(2, env={"COLOUR": "red"}, **code.options)
    written(found, tmp_path / "x.tar")
    return found


def checked(path: Path) -> Checked:
    with Archive(path) as archive:
        return check(read_contents(archive))


def job_in(files: Files, task: str = "train") -> str:
    """The directory of one of its jobs."""
    return next(name.rpartition("/.xpm/")[0] for name in sorted(files) if f".{task}/" in name and "/.xpm/" in name)


def change_json(name: str, change: Callable[[Any], object]) -> Callable[[Files], None]:
    """A change of a file of JSON; `JOB` in its name stands for the directory of a job."""

    def apply(files: Files) -> None:
        path = name.replace("JOB", job_in(files))
        content = json.loads(files[path])
        change(content)
        files[path] = json.dumps(content).encode()

    return apply


def change_payload(change: Callable[[dict[str, Any]], object]) -> Callable[[Files], None]:
    def apply(fields: dict[str, Any]) -> None:
        content = msgpack.unpackb(a2b_base64(fields["payload"]), strict_map_key=False)
        change(content)
        fields["payload"] = b2a_base64(pack(content), newline=False).decode()

    return change_json("JOB/.xpm/handed.json", apply)


def remove(name: str) -> Callable[[Files], object]:
    return lambda files: files.pop(name.replace("JOB", job_in(files)))


def put(name: str, data: bytes) -> Callable[[Files], object]:
    return lambda files: files.update({name.replace("JOB", job_in(files)): data})


def line_of(**changes: str) -> bytes:
    """What somebody has accepted, with code that is not there."""
    fields: dict[str, Any] = {"snapshot": "a" * 64, "provenance": "b" * 64, "why": "why", **changes}
    return content_of([Acceptance(execution="e1", who="ana", host="head", accepted_s=1.0, **fields)])


def move_job(files: Files) -> None:
    """Let a job lie in the folder of another task."""
    directory = job_in(files)
    for name in [name for name in files if name.startswith(directory)]:
        files[name.replace("exchange_tasks.train", "other.task")] = files.pop(name)


def rename_job(files: Files) -> None:
    """Give a job another identity."""
    directory = job_in(files)
    for name in [name for name in files if name.startswith(directory)]:
        files[f"{directory[:-64]}{'ab' * 32}{name[len(directory) :]}"] = files.pop(name)


def other_code(files: Files) -> None:
    name = next(name for name in files if name.endswith("train.py"))
    files[name] = b"import os; os.system('rm -rf /')\n"


def other_manifest(files: Files) -> None:
    name = next(name for name in files if name.startswith("documents/snapshots/"))
    files[name] = files[name].replace(b"train.py", b"../../x.")


def two_jobs(files: Files) -> None:
    """The same job a second time, in another folder."""
    directory = job_in(files)
    for name in [name for name in files if name.startswith(directory)]:
        files[name.replace("exchange_tasks.train", "exchange_tasks.train2")] = files[name]
    record = json.loads(files["export.json"])
    record["jobs"] += 1
    files["export.json"] = json.dumps(record).encode()


def drop_code(files: Files) -> None:
    for name in [name for name in files if name.startswith(("code/", "documents/snapshots/"))]:
        del files[name]
    record = json.loads(files["export.json"])
    record["snapshots"] = {}
    files["export.json"] = json.dumps(record).encode()


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
"""JSON that is nested deeper than Python reads."""


def add_manifest(data: bytes) -> Callable[[Files], None]:
    """A list of code that is named as it has to be."""

    def apply(files: Files) -> None:
        digest = sha256(data).hexdigest()
        files[f"documents/snapshots/{digest}"] = data
        change_json("export.json", lambda fields: fields["snapshots"].update({digest: "abc"}))(files)

    return apply


def change_execution(**facts: Any) -> Callable[[Files], None]:
    """A change of the record of an execution."""

    def apply(files: Files) -> None:
        name = next(name for name in sorted(files) if name.startswith(f"{job_in(files)}/.xpm/executions/"))
        files[name] = json.dumps({**json.loads(files[name]), **facts}).encode()

    return apply


FORGED: dict[str, tuple[Callable[[Files], object], str]] = {
    "another parameter": (
        change_payload(lambda content: content["objects"][-1]["values"].update(lr=pack(9.0))),
        r"Train/\w{7}|train/\w{7}: its payload does not yield its identity",
    ),
    "another identity": (rename_job, "does not yield its identity"),
    "another name of the task": (change_payload(lambda content: content.update(task="other:Task")), "other:Task"),
    "another folder": (move_job, "lies in another folder"),
    "a name that is none": (change_json("JOB/.xpm/handed.json", lambda f: f.update(name="../x")), "another name"),
    "no payload": (change_json("JOB/.xpm/handed.json", lambda f: f.pop("payload")), "cannot be read"),
    "a payload that is none": (change_json("JOB/.xpm/handed.json", lambda f: f.update(payload="AAAA")), "not yield"),
    "no record of what it runs": (remove("JOB/.xpm/handed.json"), "handed.json is missing"),
    "options of a wrong type": (
        change_json("JOB/.xpm/handed.json", lambda f: f["options"].update(env={"A": 3})),
        "its option env",
    ),
    "a snapshot that is none": (
        change_json("JOB/.xpm/handed.json", lambda f: f["options"].update(snapshot="../../x")),
        "its option snapshot",
    ),
    "a snapshot that is missing": (
        change_json("JOB/.xpm/handed.json", lambda f: f["options"].update(snapshot="ab" * 32)),
        "its code is missing",
    ),
    "all code missing": (drop_code, "its code is missing"),
    "other parameters in words": (
        change_json("JOB/params.json", lambda f: f["parameters"].update(lr=0.7)),
        "lr has another value",
    ),
    "damaged parameters": (put("JOB/params.json", b"{"), "do not agree"),
    "no marker": (remove("JOB/.xpm/done"), "no marker"),
    "two markers": (put("JOB/.xpm/failed", b'{"execution": "e1"}\n'), "or two"),
    "a damaged marker": (put("JOB/.xpm/done", b"{}"), "its marker is malformed"),
    "a marker of another attempt": (put("JOB/.xpm/done", b'{"execution": "other"}\n'), "its newest attempt"),
    "a later attempt": (put("JOB/.xpm/executions/9-other.json", b'{"x": 1}'), "its newest attempt"),
    "a damaged acceptance": (put("JOB/.xpm/accepted.jsonl", b"{}\n"), "accepted.jsonl is malformed"),
    "an acceptance that was cut": (put("JOB/.xpm/accepted.jsonl", line_of()[:-9]), "accepted.jsonl is malformed"),
    "an acceptance that acts on terminals": (
        put("JOB/.xpm/accepted.jsonl", line_of(why="a\x1b[2J")),
        "accepted.jsonl is malformed",
    ),
    "an acceptance of code that is missing": (put("JOB/.xpm/accepted.jsonl", line_of()), "with which it was accepted"),
    "a mark of ours": (put("JOB/.xpm/imported.json", b"{}"), "no export has such a file"),
    "another file of ours": (put("JOB/.xpm/lock", b"{}"), "no export has such a file"),
    "a file for the folder of records": (put("jobs/a.b/" + "0" * 64 + "/.xpm", b"{}"), "no export has such a file"),
    "a job with a strange name": (put("jobs/Train/x/y", b""), "no export has such a file"),
    "a file beside the jobs": (put("jobs/x", b""), "no export has such a file"),
    "a file that is unknown": (put("setup.sh", b""), "no export has such a file"),
    "a folder that is unknown": (put(".xpm/settings.toml", b""), "no export has such a file"),
    "another file of code": (other_code, "is not the file of that snapshot"),
    "a file of code too many": (put("code/evil.py", b""), "no snapshot has such a file"),
    "another list of code": (other_manifest, "not the one that it is named by"),
    "a document of another name": (put("documents/packages/" + "0" * 64, b"x"), "not the one that it is named by"),
    "a part of another name": (put("parts/" + "0" * 64, b"x"), "not the one that it is named by"),
    "arguments of another name": (put("arguments/" + "0" * 64, b"x"), "not the one that it is named by"),
    "a document of another kind": (put("documents/objects/" + "0" * 64, b"x"), "no export has such a file"),
    "a run with a strange name": (put("runs/.removed-1-x/jobs", b"x"), "a run has no such name"),
    "no record of itself": (remove("export.json"), "it has no export.json"),
    "a damaged record of itself": (put("export.json", b"[]"), "export.json is malformed"),
    "a later form": (change_json("export.json", lambda f: f.update(schema=2)), "is of a later version"),
    "an experiment of another name": (change_json("export.json", lambda f: f.update(experiment="../x")), "name"),
    "fewer jobs than it says": (change_json("export.json", lambda f: f.update(jobs=7)), "it has 3 jobs, and says 7"),
    "a latest run elsewhere": (change_json("export.json", lambda f: f.update(latest="../x")), "no such name"),
    "a folder of code elsewhere": (
        change_json("export.json", lambda f: f.update(snapshots=dict.fromkeys(f["snapshots"], "../x"))),
        "list of files is missing",
    ),
    "no results": (change_json("export.json", lambda f: f.update(results=False)), "it has no results"),
    "strange secrets": (change_json("export.json", lambda f: f.update(hidden={"a": 3})), "malformed"),
    "no list of jobs": (remove("jobs.json"), "jobs.json is malformed"),
    "strange tags": (
        change_json("jobs.json", lambda f: f["jobs"][0].update(tags={"a": [1]})),
        "jobs.json is malformed",
    ),
    "a record of itself that is nested deep": (put("export.json", DEEP), "export.json is malformed"),
    "a list of jobs that is nested deep": (put("jobs.json", DEEP), "jobs.json is malformed"),
    "what it runs, nested deep": (put("JOB/.xpm/handed.json", DEEP), "what it runs cannot be read"),
    "a marker that is nested deep": (put("JOB/.xpm/done", DEEP), "its marker is malformed"),
    "parameters that are nested deep": (put("JOB/params.json", DEEP), "do not agree"),
    "code that is nested deep": (add_manifest(b'{"version":1,"trees":["p"]}\n' + DEEP + b"\n"), "is malformed"),
    "code of endless size": (
        add_manifest(b'{"version":1,"trees":["p"]}\n[0,"a","100644","' + b"0" * 64 + b'",1e999]\n'),
        "is malformed",
    ),
    "exported at no time": (change_json("export.json", lambda f: f.update(exported_s=float("inf"))), "malformed"),
    "exported very late": (change_json("export.json", lambda f: f.update(exported_s=1e300)), "malformed"),
    "an attempt that ended at no time": (change_execution(ended_s=float("inf")), "is malformed"),
    "an attempt whose error is a text": (change_execution(error="x"), "is malformed"),
    "an attempt whose host acts on a terminal": (change_execution(host="\x1b[31m"), "is malformed"),
    "an attempt whose log is long": (change_execution(log_to="x"), "is malformed"),
    "an attempt with endless memory": (change_execution(peak_memory_bytes=float("nan")), "is malformed"),
    "a tag that acts on a terminal": (
        change_json("jobs.json", lambda f: f["jobs"][0].update(tags={"a": "\x1b[2J"})),
        "jobs.json is malformed",
    ),
    "an attempt that began in words": (change_execution(started_s="today"), "is malformed"),
    "a need that is a path": (
        change_json("JOB/.xpm/handed.json", lambda f: f.update(needs=["../../../etc"])),
        "needs a job that has no identity",
    ),
    "a need that acts on a terminal": (
        change_json("JOB/.xpm/handed.json", lambda f: f.update(needs=["\x1b[2J"])),
        "needs a job that has no identity",
    ),
    "a record of ours in capitals": (put("JOB/.XPM/lock", b"{}"), "no export has such a file"),
    "other parameters behind a reference": (
        change_json("JOB/params.json", lambda f: f.update(see="Train", parameters={"lr": 9.0})),
        "stands for another",
    ),
    "the same job twice": (two_jobs, "lies in another folder|has the same job"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_is_refused(study: Study, tmp_path: Path, name: str) -> None:
    change, problem = FORGED[name]
    with pytest.raises(ExchangeError, match=problem):
        checked(changed(tmp_path / "x.tar", change))


def test_an_untouched_file_is_taken(study: Study, tmp_path: Path) -> None:
    found = checked(changed(tmp_path / "x.tar", lambda files: None))
    assert [job.state for job in found.jobs] == ["done"] * 3
    assert found.missing == set()
    assert found.jobs[0].kept.spec.task == "exchange_tasks:Prepare"  # what is needed comes first
    assert {job.tags.get("n") for job in found.jobs} == {None, 0, 1}
    assert len(found.code) == 2


def test_a_signature_of_another_workspace_is_dropped(study: Study, tmp_path: Path) -> None:
    sign = change_json("JOB/.xpm/handed.json", lambda f: f["options"].update(signature="0" * 64))
    assert {job.kept.spec.signature for job in checked(changed(tmp_path / "x.tar", sign)).jobs} == {""}


def test_an_option_of_a_later_xpm_stays(study: Study, tmp_path: Path) -> None:
    later = change_json("JOB/.xpm/handed.json", lambda f: f["options"].update(colour="red"))
    found = checked(changed(tmp_path / "x.tar", later))
    assert ["colour"] in [job.kept.spec.options.unknown for job in found.jobs]


def test_a_job_that_needs_another_one_that_is_missing_is_taken_and_said(study: Study, tmp_path: Path) -> None:
    def lose(files: Files) -> None:
        directory = job_in(files, "prepare")
        for name in [name for name in files if name.startswith(directory)]:
            del files[name]
        record = json.loads(files["export.json"])
        record["jobs"] -= 1
        files["export.json"] = json.dumps(record).encode()

    found = checked(changed(tmp_path / "x.tar", lose))
    assert len(found.jobs) == 2
    assert len(found.missing) == 1


def test_jobs_that_need_each_other_end(tmp_path: Path) -> None:
    study = Study(tmp_path / "ws")
    first, second = study.grid(1)
    for one, other in ((first, second), (second, first)):
        kept = one.kept("x:X")
        assert kept is not None
        one.keep(kept._replace(needs=[other.identity]))
    assert len(checked(written(study, tmp_path / "x.tar")).jobs) == 2


def test_a_code_with_a_path_that_leaves_its_folder_is_refused(tmp_path: Path) -> None:
    manifest = b'{"version":1,"trees":["proj"]}\n[0,"../../x","100644","' + b"0" * 64 + b'",1]\n'
    digest = sha256(manifest).hexdigest()
    study = Study(tmp_path / "ws")
    study.add(Prepare.C(seed=1))
    path = written(study, tmp_path / "x.tar")

    def add(files: Files) -> None:
        files[f"documents/snapshots/{digest}"] = manifest
        record = json.loads(files["export.json"])
        record["snapshots"] = {digest: "abc"}
        files["export.json"] = json.dumps(record).encode()

    with pytest.raises(ExchangeError, match="leaves its folder"):
        checked(changed(path, add))


def test_a_tar_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match="no export has such a file"):
        checked(packed(tmp_path / "x.tar", {"photos/1.jpg": b"x"}))


def test_a_job_with_every_part_is_taken(tmp_path: Path) -> None:
    study = Study(tmp_path / "ws")
    first = Prepare.C(seed=1)
    needed = study.add(first)
    before: Any = first
    for number in range(40):
        before = Train.C(lr=float(number), data=first, model=Model.C(layers=2), extra=before)
        needed = study.add(before, needs=[needed])
    path = written(study, tmp_path / "x.tar")
    assert len(checked(path).jobs) == 41

    def lose(files: Files) -> None:
        for name in [name for name in files if name.startswith("parts/")]:
            del files[name]

    with pytest.raises(ExchangeError, match="its part"):
        checked(changed(path, lose))
