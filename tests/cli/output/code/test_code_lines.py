"""What `xpm show` says of the code of a job, of its machine, and of what it used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from helpers.recorded_code import COMMIT, RecordedCode
from helpers.simulated_jobs import Lab

from xpm_cli.lookup.code import job_code
from xpm_cli.output.code import code_lines
from xpm_core.snapshot.provenance import GitState, Provenance, Tree
from xpm_core.states import State
from xpm_core.workspace.job_spec import JobOptions

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]

FILES = {"train.py": b"lr = 0.1\n", "lib.py": b"x = 1\n"}


@pytest.fixture
def code(lab: Lab, tmp_path: Path) -> RecordedCode:
    return RecordedCode(lab.workspace.path, tmp_path / "lab")


def ran(lab: Lab, name: str, record: dict[str, Any], state: State = State.DONE) -> None:
    lab.finish(name, lab.start(name), state, {"type": "X"} if state is State.FAILED else None, **record)


def entries(result: Result) -> dict[str, list[str]]:
    """The items of each entry, by label."""
    found: dict[str, list[str]] = {}
    label = ""
    for line in result.stdout.splitlines():
        label = line[:12].strip() or label
        found.setdefault(label, []).extend(filter(None, line[12:].split("   ")))
    return found


def test_a_job_shows_what_it_ran(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    ran(lab, "one", record := code.record(FILES, torch="2.9", numpy="2.1", rich="14"))
    shown = entries(xpm("show", "last"))
    snapshot = record["code"]["snapshot"]
    assert shown["code"] == [
        f"snapshot {snapshot[:7]} (git main 1a2b3c4 + 2 changed files)", "python 3.12.4", "torch 2.9", "numpy 2.1"
    ]  # fmt: skip
    assert shown["submitted"] == ["by /home/alice/sweep.py --epochs 3", "alice on head"]
    assert shown["machine"] == ["AMD EPYC", "2 cores", "2 x A100", "driver nvidia 550", "CUDA_VISIBLE_DEVICES=1"]
    assert shown["used"][:2] == ["memory 50 MB peak", "cpu 310 %"]
    assert shown["used"][2].startswith("disk ")


def test_json_has_the_documents(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    ran(lab, "one", record := code.record(FILES, torch="2.9"))
    data = json.loads(xpm("show", "last", "--json").stdout)
    assert data["snapshot"] == record["code"]["snapshot"]
    assert data["provenance"]["trees"][0]["git"]["commit"] == COMMIT
    assert data["environment"]["packages"] == {"torch": "2.9"}
    assert (data["code"], data["commit"]) == (record["code"]["snapshot"][:12], f"{COMMIT[:12]}+")
    assert data["packages"] == record["packages"][:12]
    assert data["changed_files"] is None


def test_live_code_is_said(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    ran(lab, "one", code.record(None))
    assert entries(xpm("show", "last"))["code"][0] == "live code (git main 1a2b3c4 + 2 changed files)"


def test_a_job_that_waits_shows_what_it_will_run(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    snapshot = code.snapshot(FILES)
    lab.submit("one", options=JobOptions(snapshot=snapshot, provenance=code.provenance(snapshot)))
    shown = entries(xpm("show", "last"))
    assert shown["code"] == [f"snapshot {snapshot[:7]} (git main 1a2b3c4 + 2 changed files)"]
    assert "machine" not in shown
    assert json.loads(xpm("show", "last", "--json").stdout)["code"] == snapshot[:12]


def test_a_failed_job_that_was_submitted_again_shows_the_new_code(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    ran(lab, "one", code.record(FILES), State.FAILED)
    assert entries(xpm("show", "last"))["code"][0].startswith(f"snapshot {code.snapshot(FILES)[:7]}")
    new = code.snapshot({"train.py": b"lr = 0.2\n"})
    lab.run = lab.store.open_run("sweep", "run2", {})
    lab.submit("one", options=JobOptions(snapshot=new))
    assert entries(xpm("show", "last"))["code"][0] == f"snapshot {new[:7]}"


def test_a_record_of_an_earlier_xpm_has_only_its_python(lab: Lab, xpm: Xpm) -> None:
    ran(lab, "one", {})
    shown = entries(xpm("show", "last"))
    assert shown["code"] == ["python 3.12.4"]
    assert not {"submitted", "machine"} & shown.keys()


def test_files_that_differ_now_are_named(
    lab: Lab, xpm: Xpm, code: RecordedCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code.root.mkdir()
    for name, data in FILES.items():
        (code.root / name).write_bytes(data)
    ran(lab, "one", code.record(FILES))
    assert json.loads(xpm("show", "last", "--json").stdout)["changed_files"] == []
    assert " now: " not in xpm("show", "last").stdout
    (code.root / "train.py").write_text("lr = 0.3\n")
    assert "1 file differs now: train.py\n" in xpm("show", "last").stdout
    (code.root / "lib.py").unlink()
    assert "2 files differ now: lib.py (removed), train.py\n" in xpm("show", "last").stdout
    monkeypatch.setattr(job_code, "MOST_COMPARED", 1)
    assert "differ now" not in xpm("show", "last").stdout


def test_documents_that_are_missing_or_damaged_are_no_error(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    ran(lab, "one", record := code.record(FILES))
    for kind in ("provenance", "packages", "snapshots"):
        for file in (lab.workspace.path / "code" / kind).iterdir():
            file.write_bytes(b"{")
    shown = entries(xpm("show", "last"))
    assert shown["code"] == [f"snapshot {record['code']['snapshot'][:7]}", "python 3.12.4"]
    assert json.loads(xpm("show", "last", "--json").stdout)["environment"] is None


@pytest.mark.parametrize(
    "record",
    [
        {"code": 3, "packages": 4, "machine": 5, "devices": 6, "git": 7},
        {"code": {"snapshot": "x"}, "machine": {"cpu": 1, "cores": "a", "gpus": 3}, "devices": {"A": 1}, "git": {}},
        {"code": {"snapshot": None}, "machine": {"gpus": [1, None]}, "cpu_s": "x", "started_s": 2, "ended_s": 1},
    ],
)
def test_a_malformed_record_is_no_error(lab: Lab, xpm: Xpm, record: dict[str, Any]) -> None:
    ran(lab, "one", record)
    assert xpm("show", "last").exit_code == 0
    assert xpm("jobs", "--columns", "id,code,commit,packages").exit_code == 0


def test_several_trees_are_named(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    snapshot = code.snapshot(FILES)
    trees = [Tree("lab", ["/lab"], GitState(COMMIT, "", (), 0)), Tree("lib", ["/lib"]), Tree("new", ["/n"], GitState())]
    record = code.record(FILES)
    record["code"]["provenance"] = code.store.put("provenance", Provenance(snapshot, trees).written())
    ran(lab, "one", record)
    (first, *_) = entries(xpm("show", "last"))["code"]
    assert first == f"snapshot {snapshot[:7]} (lab: git 1a2b3c4; lib; new: git before the first commit)"


def test_control_characters_of_a_document_are_not_printed(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    record = code.record(FILES)
    record["code"]["provenance"] = code.provenance("", script="/a\x1b[2J.py", arguments=["\x1b[2J"], user="x\x1b[1m")
    ran(lab, "one", record)
    assert "\x1b[2J" not in xpm("show", "last").stdout


def test_a_folder_with_many_files_is_not_measured(
    lab: Lab, xpm: Xpm, code: RecordedCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_lines, "MOST_ENTRIES", 1)
    ran(lab, "one", code.record(FILES))
    assert "disk" not in xpm("show", "last").stdout


def test_jobs_are_listed_and_found_by_their_code(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    ran(lab, "one", record := code.record(FILES))
    ran(lab, "live", code.record(None))
    new = code.snapshot({"train.py": b"lr = 0.2\n"})
    lab.submit("waits", options=JobOptions(snapshot=new))
    snapshot = record["code"]["snapshot"]
    result = xpm("jobs", "--columns", "tag.name,code,commit,packages", "--sort", "tag.name")
    table = result.stdout.splitlines()
    assert [row.split() for row in table[1:4]] == [
        ["live", "live", "1a2b3c4+", record["packages"][:7]],
        ["one", snapshot[:7], "1a2b3c4+", record["packages"][:7]],
        ["waits", new[:7], "?", "?"],
    ], result.output
    for condition, names in {
        f"code={snapshot[:7]}": ["one"],
        f"code={snapshot}": ["one"],
        "code=live": ["live"],
        f"code={new[:7]}": ["waits"],
        "commit=*+": ["live", "one"],
    }.items():
        found = xpm("jobs", "--where", condition, "--columns", "tag.name", "-o", "csv", "--sort", "tag.name")
        assert found.stdout.splitlines()[1:] == names, found.output
