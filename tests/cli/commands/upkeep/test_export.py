"""`xpm export`: it says the size first, writes the file whole, and says what is not in it."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from exchange_tasks import Prepare
from helpers.finished_jobs import Study, tree
from helpers.typed_commands import AWAY, PROGRAM

from xpm_core.workspace.workspace import Workspace

Xpm = Callable[..., Result]
pytestmark = pytest.mark.redis


@pytest.fixture
def study(workspace: Workspace, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("XPM_REDIS_URL", AWAY)
    found = Study(workspace.path)
    found.grid(2)
    return found


def test_it_says_how_much_it_writes_and_changes_nothing_else(study: Study, xpm: Xpm, tmp_path: Path) -> None:
    before = tree(study.workspace.path)
    result = xpm("export", "digits", tmp_path / "x.tar.gz")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[0].startswith("writes 3 jobs, ")
    assert f"written: {tmp_path / 'x.tar.gz'}" in result.stderr
    assert result.stdout == ""
    assert tree(study.workspace.path) == before
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        assert len([name for name in tar.getnames() if name.endswith("model.txt")]) == 3


def test_a_dry_run_writes_nothing(study: Study, xpm: Xpm, tmp_path: Path) -> None:
    result = xpm("export", "digits", tmp_path / "x.tar", "--dry-run")
    assert result.stderr.startswith("would write 3 jobs, ")
    assert not (tmp_path / "x.tar").exists()


def test_what_stays_behind_is_said(study: Study, xpm: Xpm, tmp_path: Path) -> None:
    study.add(Prepare.C(seed=7), env={"MY_KEY": "x"})
    job = study.add(Prepare.C(seed=8))
    (job.path / "link").symlink_to("/etc/passwd")
    study.add(Prepare.C(seed=9), kind="failed", keeps=False)
    result = xpm("export", "digits", tmp_path / "x.tar")
    assert "Not in it: 1 that failed (--failed takes them along)." in result.stderr
    assert "Hidden in 1 job, because they may be secret: the values of MY_KEY." in result.stderr
    assert "Left out, because they are links or no files: 1 file" in result.stderr


def test_it_writes_to_standard_output(study: Study, tmp_path: Path) -> None:
    words = [str(PROGRAM), "export", "digits", "-", "--workspace", str(study.workspace.path)]
    with open(tmp_path / "x.tar", "wb") as file:
        subprocess.run(words, stdout=file, check=True)
    with tarfile.open(tmp_path / "x.tar") as tar:
        assert "digits/README.txt" in tar.getnames()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["digit", "x.tar"], 2, "there is digits"),
        (["digits", "x.zip"], 1, "Name it .tar or .tar.gz."),
        (["digits", "/nowhere/x.tar"], 3, "/nowhere/x.tar: cannot be written: no such file or directory"),
        (["digits", "-", "--json"], 2, "Name a FILE."),
        (["digits", "x.tar", "--failed"], 3, "unix:///nowhere/redis.sock"),
    ],
)
def test_what_cannot_be_is_one_error(study: Study, xpm: Xpm, words: list[str], code: int, said: str) -> None:
    result = xpm("export", *words)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr
