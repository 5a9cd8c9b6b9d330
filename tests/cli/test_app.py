"""The program as a whole: options that work everywhere, and how errors end it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import redis
from click import Context
from click.testing import Result
from helpers.ports import free_port
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import Lab

from xpm_cli import main
from xpm_cli.app import Program
from xpm_core.errors import UnknownJobError
from xpm_core.reading.jobs import JobReader
from xpm_core.words.commands import Commands
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]
COMMANDS = list(Program.homes)


def test_the_commands_are_those_that_messages_name() -> None:
    written = {name for name in vars(Commands) if not name.startswith("_")} & set(COMMANDS)
    assert {"show", "jobs", "why", "logs", "cancel", "retry", "status"} <= written


def test_only_the_command_that_is_typed_is_imported() -> None:
    seen = "import sys, xpm_cli; xpm_cli.main(['jobs', '-h'], standalone_mode=False)"
    text = f"{seen}; print('imported', *(m for m in sys.modules if m.startswith('xpm_cli.commands.')))"
    told = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    names = sorted(told.rpartition("imported ")[2].split())
    assert [name for name in names if name.count(".") > 2] == ["xpm_cli.commands.looking.jobs"]


def test_help_of_the_program_says_of_each_command_what_its_own_help_begins_with(xpm: Xpm) -> None:
    for name, (_, text) in Program.homes.items():
        command = Program.get_command(main, Context(main), name)
        assert command is not None
        assert (command.help or "").split()[:2] == text.split()[:2]


def test_unknown_command_is_an_error_with_the_near_ones(xpm: Xpm) -> None:
    near, far = xpm("statsu"), xpm("zzz")
    assert near.exit_code == far.exit_code == 2
    assert "No such command 'statsu'. Did you mean status?" in near.stderr
    assert f"There are: {', '.join(COMMANDS)}." in far.stderr


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
    port = free_port()
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
    result = xpm("jobs", "--workspace", lab.workspace.path)
    assert result.exit_code == 3
    assert "Connection reset by peer" in result.stderr
    assert f"Try again: xpm status --workspace {lab.workspace.path}" in result.stderr


def test_server_that_evicts_may_be_looked_at_but_not_acted_on(
    workspace: Workspace, xpm: Xpm, fresh_server: Callable[..., PrivateServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = fresh_server(options={"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"})
    monkeypatch.setenv("XPM_REDIS_URL", server.url)
    with server.client() as client:
        Lab(workspace, client).submit("a")
    assert "1 ready" in xpm("status").stdout
    for command in ("cancel", "retry"):
        refused = xpm(command, "last")
        assert refused.exit_code == 3
        assert "maxmemory-policy 'allkeys-lru' may delete jobs. Set it to 'noeviction'." in refused.stderr
    assert "1 ready" in xpm("status").stdout


def test_user_without_rights_is_an_error_without_traceback(
    workspace: Workspace, xpm: Xpm, fresh_server: Callable[..., PrivateServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = fresh_server()
    with server.client() as client:
        Lab(workspace, client).submit("a")
        client.execute_command("ACL", "SETUSER", "guest", "on", ">word", "~*", "&*", "+@all", "-zrange")
    monkeypatch.setenv("XPM_REDIS_URL", server.url.replace("unix://", "unix://guest:word@"))
    for words in (["status"], ["jobs"], ["cancel", "last"]):
        result = xpm(*words)
        assert (result.exit_code, result.stdout) == (3, ""), words
        assert "zrange" in result.stderr.lower()


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
