"""The command line of xpm-worker, as a user types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def xpm_worker(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xpm_worker", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=60,
    )


def test_help_names_every_option() -> None:
    result = xpm_worker("-h")
    assert result.returncode == 0
    for option in (
        "--workspace",
        "--redis",
        "--slots",
        "--queue",
        "--burst",
        "--name",
        "--lease",
        "--linger",
        "--grace",
    ):
        assert option in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing option '-w' / '--workspace'"),
        (["--workspace", "w", "--slots", "0"], "0 is not in the range"),
        (["--workspace", "w", "--queue", "a b"], "queue 'a b': expected 1 to 100 letters"),
        (["--workspace", "w", "--name", "a/b"], "worker 'a/b': expected 1 to 100 letters"),
        (["--workspace", "w", "--lease", "0"], "0.0 is not in the range"),
        (["--workspace", "w", "--no-such-option"], "No such option"),
    ],
)
def test_bad_usage_is_one_clear_error(words: list[str], said: str, tmp_path: Path) -> None:
    result = xpm_worker(*words)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_workspace_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    result = xpm_worker("--workspace", str(file), "--burst")
    assert (result.returncode, result.stderr) == (3, f"{file}: is not a directory. Name a workspace's directory.\n")


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    result = xpm_worker("--workspace", str(tmp_path), XPM_REDIS_URL=f"unix://:secret@{tmp_path}/none.sock")
    assert result.returncode == 3
    assert result.stderr.startswith(f"Redis at unix://***@{tmp_path}/none.sock: no such file or directory")
    assert "secret" not in result.stderr


def test_a_worker_of_a_fresh_workspace_uses_a_server_of_its_own(tmp_path: Path) -> None:
    result = xpm_worker("--workspace", str(tmp_path / "w"), "--burst", "--slots", "2")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("done, quitting") == 2
