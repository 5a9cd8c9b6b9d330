"""Which workspace and server the words on a command line mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def shown(result: Result) -> str:
    """The short identity of the job that `xpm show` shows."""
    assert result.stderr == ""
    return result.stdout.split()[0]


def test_workspace_is_found_from_a_folder_inside_it(lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = lab.submit("a")
    folder = lab.workspace.path / "jobs" / "deeper"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert shown(xpm("show", identity)) == short(identity)


def test_workspace_is_named_by_option_before_variable(
    lab: Lab, xpm: Xpm, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = lab.submit("a")
    assert shown(xpm("show", identity, "--workspace", lab.workspace.path)) == short(identity)
    assert shown(xpm("--workspace", lab.workspace.path, "show", identity)) == short(identity)
    monkeypatch.setenv("XPM_WORKSPACE", str(lab.workspace.path))
    assert shown(xpm("show", identity)) == short(identity)
    assert xpm("show", identity, "--workspace", outside).exit_code == 3


def test_next_commands_name_the_workspace_when_it_was_named(lab: Lab, xpm: Xpm, outside: Path) -> None:
    lab.end("bad", State.FAILED, ERROR)
    bad, option = short(lab.identity("bad")), f"--workspace {lab.workspace.path}"
    for words in (["status"], ["show", "failed"]):
        assert f" {bad} {option}" in xpm(*words, "--workspace", lab.workspace.path).stdout


def test_server_is_named_by_option_before_variable(
    lab: Lab, xpm: Xpm, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a script names one by `redis=`."""
    identity = lab.submit("known")
    monkeypatch.setenv("XPM_REDIS_URL", "unix:///nowhere/redis.sock")
    away = xpm("show", identity)
    assert "The files of the workspace answer, last written" in away.stderr
    assert "its state is not known" in away.stdout
    assert shown(xpm("show", identity, "--redis", redis_url)) == short(identity)
    assert shown(xpm("--redis", redis_url, "show", identity)) == short(identity)


def test_server_that_cannot_be_understood_is_a_wrong_use(lab: Lab, xpm: Xpm) -> None:
    result = xpm("status", "--redis", "head:6379")
    assert result.exit_code == 2
    assert "expected redis://, rediss:// or unix:// at its start" in result.stderr


def test_next_commands_name_the_server_when_it_was_named(
    lab: Lab, xpm: Xpm, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XPM_REDIS_URL")
    lab.end("bad", State.FAILED, ERROR)
    bad, option = short(lab.identity("bad")), f"--redis {redis_url}"
    for words in (["status"], ["show", "failed"]):
        assert f" {bad} {option}" in xpm(*words, "--redis", redis_url).stdout
    worker = f"xpm-worker --workspace {lab.workspace.path} {option} --queue cluster"
    xpm("cancel", unserved := lab.submit("unserved", queue="cluster"), "--redis", redis_url)
    assert worker in xpm("retry", unserved, "--redis", redis_url).stderr
    assert worker in xpm("status", "--redis", redis_url).stdout


def test_the_only_workspace_in_a_folder_of_the_current_one_is_found(
    lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = lab.submit("a")
    monkeypatch.chdir(lab.workspace.path.parent)
    assert shown(xpm("show", identity)) == short(identity)
    Workspace.open(lab.workspace.path.parent / "an other")
    several = xpm("show", identity)
    assert several.exit_code == 3
    assert "has several workspaces: an other, workspace. Name one: xpm show --workspace 'an other'." in several.stderr


def test_no_workspace_is_an_error_that_says_how_to_name_one(xpm: Xpm, outside: Path) -> None:
    result = xpm("status")
    assert result.exit_code == 3
    assert f"{outside}: is in no workspace" in result.stderr
    assert "XPM_WORKSPACE" in result.stderr
    assert not list(outside.iterdir())


@pytest.mark.parametrize("words", [["ui"], ["workers", "drain", "w1"], ["jobs", "--limit", "3"]])
def test_the_hint_names_the_command_that_was_typed(xpm: Xpm, outside: Path, words: list[str]) -> None:
    command = " ".join(["xpm", *words[: 2 if words[0] == "workers" else 1]])
    assert f"Name one: {command} --workspace DIR, or set XPM_WORKSPACE." in xpm(*words).stderr
