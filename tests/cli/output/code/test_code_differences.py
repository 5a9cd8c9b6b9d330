"""`xpm diff --code`: what is said of the files and packages of two jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import Result
from helpers.recorded_code import RecordedCode
from helpers.simulated_jobs import Lab

from xpm_cli.output.code import code_differences
from xpm_core.workspace.job_spec import JobOptions

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]

BEFORE = {"train.py": b"import lib\nlr = 0.1\n", "lib.py": b"x = 1\n", "logo.png": b"\0\1", "old.py": b"a = 1\n"}
AFTER = {"train.py": b"import lib\nlr = 0.2\n", "lib.py": b"x = 1\n", "logo.png": b"\0\2\3", "new.py": b"b = 1"}


@pytest.fixture
def code(lab: Lab, tmp_path: Path) -> RecordedCode:
    return RecordedCode(lab.workspace.path, tmp_path / "lab")


def ran(lab: Lab, name: str, record: dict[str, object]) -> str:
    """A job that has run with that in its record; its identity."""
    lease = lab.start(name)
    lab.finish(name, lease, **record)
    return lease.identity


def test_files_and_packages_that_differ_are_shown(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    one = ran(lab, "one", code.record(BEFORE, numpy="1.26", torch="2.9"))
    two = ran(lab, "two", code.record(AFTER, numpy="2.1", jax="0.5", torch="2.9"))
    result = xpm("diff", one, two, "--code")
    assert (result.exit_code, result.stderr) == (0, "")
    head, *rest = result.stdout.splitlines()
    assert head == "4 files differ"
    table = [line.split() for line in rest[:3]]
    assert [row[0] for row in table] == ["PACKAGE", "jax", "numpy"]
    assert table[1:] == [["jax", "-", "0.5"], ["numpy", "1.26", "2.1"]]
    assert "\n".join(rest[3:]) == (
        f"logo.png: changed: 2 bytes, {_digest(BEFORE['logo.png'])} -> 3 bytes, {_digest(AFTER['logo.png'])}\n"
        "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+b = 1\n\\ No newline at end of file\n"
        "--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a = 1\n"
        "--- a/train.py\n+++ b/train.py\n@@ -1,2 +1,2 @@\n import lib\n-lr = 0.1\n+lr = 0.2"
    )
    data = json.loads(xpm("diff", one, two, "--code", "--json").stdout)
    assert [each["change"] for each in data["files"]] == ["changed", "added", "removed", "changed"]
    assert data["packages"][0] == {"name": "jax", "first": None, "second": "0.5"}
    assert data["code"]["same"] is False


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:7]


def test_without_the_option_one_line_says_that_they_differ(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    one, two = ran(lab, "one", code.record(BEFORE)), ran(lab, "two", code.record(AFTER))
    again = ran(lab, "again", code.record(AFTER, numpy="2"))
    assert f"their code differs as well: xpm diff {one} {two} --code" in xpm("diff", one, two).stderr
    assert f"their packages differ as well: xpm diff {two} {again} --code" in xpm("diff", two, again).stderr
    assert f"their code and packages differ as well: xpm diff {one} {again} --code" in xpm("diff", one, again).stderr
    assert "differ as well" not in xpm("diff", one, one).stderr
    assert json.loads(xpm("diff", one, two, "--json").stdout)["code"]["same"] is False


def test_what_is_the_same_is_said(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    one, two = ran(lab, "one", code.record(BEFORE, a="1")), ran(lab, "two", code.record(BEFORE, a="1"))
    assert xpm("diff", one, two, "--code").stdout == "the same files\nthe same packages\n"


def test_live_code_cannot_be_compared_and_that_is_said(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    one, live = ran(lab, "one", code.record(BEFORE)), ran(lab, "live", code.record(None))
    bare = ran(lab, "bare", {})
    said = xpm("diff", one, live, "--code").stdout
    assert f"{live[:7]} Train name=live runs live code, which is not kept: its files cannot be compared\n" in said
    said = xpm("diff", one, bare, "--code").stdout
    assert "it is not known which code it ran" in said
    assert "the packages of both are not known" in said
    assert json.loads(xpm("diff", one, live, "--code", "--json").stdout)["files"] is None


def test_a_waiting_job_is_compared_by_what_it_would_run(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    one = ran(lab, "one", code.record(BEFORE))
    snapshot = code.snapshot(AFTER)
    lab.start("waits", options=JobOptions(snapshot=snapshot, provenance=code.provenance(snapshot)))
    lab.directory("waits").prepare(1)
    about = {"task": "sweep:Train", "identity": lab.identity("waits"), "parameters": {}}
    lab.directory("waits").write_params(about)
    assert xpm("diff", one, lab.identity("waits"), "--code").stdout.startswith("4 files differ\n")


def test_directories_of_jobs_are_compared(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    ran(lab, "one", code.record(BEFORE))
    ran(lab, "two", code.record(AFTER))
    places = [lab.directory(name).path for name in ("one", "two")]
    assert xpm("diff", *places, "--code").stdout.startswith("4 files differ\n")


def test_long_differences_are_cut(lab: Lab, xpm: Xpm, code: RecordedCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_differences, "MOST_LINES", 5)
    monkeypatch.setattr(code_differences, "MOST_FILES", 1)
    one = ran(lab, "one", code.record({"a.py": b"x\n" * 100, "b.py": b"x"}))
    two = ran(lab, "two", code.record({"a.py": b"y\n" * 100, "b.py": b"y"}))
    lines = xpm("diff", one, two, "--code").stdout.splitlines()
    assert lines[7] == "(5 lines of a.py are shown, there are more)"
    assert lines[8].startswith("b.py: changed: 1 bytes, ")


def test_a_mode_that_differs_is_said(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    records = [code.record(BEFORE), code.record(BEFORE)]
    records[1]["code"] = {"snapshot": code.snapshot(BEFORE, mode=0o755)}
    one, two = (ran(lab, name, record) for name, record in zip(("one", "two"), records, strict=True))
    assert "train.py: mode 644 -> 755" in xpm("diff", one, two, "--code").stdout


def test_a_file_that_is_missing_is_an_error(lab: Lab, xpm: Xpm, code: RecordedCode) -> None:
    one, two = ran(lab, "one", code.record(BEFORE)), ran(lab, "two", code.record(AFTER))
    for folder in (lab.workspace.path / "code" / "objects").iterdir():
        for file in folder.iterdir():
            file.unlink()
    result = xpm("diff", one, two, "--code")
    assert result.exit_code != 0
    assert "is missing" in result.stderr
