"""The variables that a worker reads in its environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xpm_core.errors import SettingsError
from xpm_worker.cli import OUT_OF_REACH
from xpm_worker.environment import END_TIMEOUT, IMPORT_TIMEOUT, TIMEOUTS_S, timeout_s


def test_a_timeout_is_a_number_of_seconds() -> None:
    assert timeout_s({IMPORT_TIMEOUT: "2.5"}, IMPORT_TIMEOUT) == 2.5
    for environment in ({}, {END_TIMEOUT: ""}, {IMPORT_TIMEOUT: "2"}):
        assert timeout_s(environment, END_TIMEOUT) == TIMEOUTS_S[END_TIMEOUT]


@pytest.mark.parametrize("text", ["abc", "0", "-1", "nan", "inf", " "])
def test_a_wrong_timeout_is_refused(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        timeout_s({END_TIMEOUT: text}, END_TIMEOUT)
    assert str(caught.value).startswith(f"XPM_END_TIMEOUT: expected a number of seconds above 0, got {text!r}.")


def test_a_worker_says_that_a_timeout_is_wrong_and_does_not_begin(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xpm_worker", "--workspace", str(tmp_path / "workspace")]
    environment = {**os.environ, IMPORT_TIMEOUT: "ten minutes"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == OUT_OF_REACH
    assert done.stderr == (
        "XPM_IMPORT_TIMEOUT: expected a number of seconds above 0, got 'ten minutes'. Correct it, or unset it.\n"
    )
    assert not (tmp_path / "workspace").exists()
