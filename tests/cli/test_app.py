"""The program as a whole: options that work everywhere, and how errors end it."""

from __future__ import annotations

import socket
import subprocess
import sysconfig
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import redis
from click.testing import Result
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import Lab

from xpm_cli import main
from xpm_core.errors import UnknownJobError
from xpm_core.reading.jobs import JobReader
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]
COMMANDS = sorted(main.commands)


def test_the_commands_are_those_that_messages_name() -> None:
    assert COMMANDS == ["cancel", "diff", "logs", "retry", "show", "status", "why"]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_help_and_version_work_everywhere(xpm: Xpm, command: list[str]) -> None:
    for option in ("-h", "--help"):
        result = xpm(*command, option)
        assert result.exit_code == 0
        assert "--workspace DIR" in result.stdout
        assert "--redis URL" in result.stdout
        assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert xpm(*command, "--version").stdout == f"xpm, version {version('xpm-queue')}\n"


def test_unreachable_server_is_named_without_its_password(xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("XPM_REDIS_URL", f"redis://alice:secret@127.0.0.1:{port}/0")
    result = xpm("status")
    assert result.exit_code == 3
    assert f"127.0.0.1:{port}" in result.stderr
    assert "secret" not in result.stderr
    assert "Traceback" not in result.stderr


def test_server_that_goes_away_meanwhile_is_an_error_without_traceback(
    lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise redis.ConnectionError("Connection reset by peer")

    monkeypatch.setattr(JobReader, "counts", away)
    result = xpm("status", "--workspace", lab.workspace.path)
    assert result.exit_code == 3
    assert "Connection reset by peer" in result.stderr
    assert f"Try again: xpm status --workspace {lab.workspace.path}" in result.stderr


def test_server_that_evicts_is_refused(
    xpm: Xpm, fresh_server: Callable[..., PrivateServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = fresh_server(options={"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"})
    monkeypatch.setenv("XPM_REDIS_URL", server.url)
    result = xpm("status")
    assert result.exit_code == 3
    assert "allkeys-lru" in result.stderr


def test_debug_shows_the_traceback(lab: Lab, xpm: Xpm) -> None:
    assert isinstance(xpm("show", "ffff", "--debug").exception, UnknownJobError)
    assert isinstance(xpm("--debug", "show", "ffff").exception, UnknownJobError)
    assert isinstance(xpm("show", "ffff").exception, SystemExit)


def test_installed_program_runs(lab: Lab, redis_url: str) -> None:
    lab.submit("a")
    program = Path(sysconfig.get_path("scripts"), "xpm")
    command = [str(program), "status", "--workspace", str(lab.workspace.path)]
    result = subprocess.run(command, env={"XPM_REDIS_URL": redis_url, "LC_ALL": "C"}, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 ready" in result.stdout


def test_output_that_takes_only_ascii_gets_ascii(lab: Lab, redis_url: str) -> None:
    lab.submit("a")
    program = Path(sysconfig.get_path("scripts"), "xpm")
    environment = {"XPM_REDIS_URL": redis_url, "PYTHONIOENCODING": "ascii"}
    command = [str(program), "status", "--workspace", str(lab.workspace.path)]
    result = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert result.stdout.isascii()
    assert b"progress" in result.stdout


def test_workspace_with_a_server_of_its_own_can_be_looked_at(
    workspace: Workspace, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XPM_REDIS_URL")
    result = xpm("status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "redis embedded" in result.stdout
    assert "none yet" in result.stdout
