"""Which workspace, server and job the words on a command line mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.workspace.job_links import JobLinks

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def shown(result: Result) -> str:
    """The short identity of the job that `xpm show` shows."""
    assert result.stderr == ""
    return result.stdout.split()[0]


@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_job_is_named_by_a_unique_prefix(lab: Lab, xpm: Xpm, spell: Callable[[str], str]) -> None:
    identity = lab.submit("a")
    lab.submit("b")
    assert shown(xpm("show", spell(identity[:5]))) == short(identity)
    assert shown(xpm("show", identity)) == short(identity)


def test_job_is_named_by_task_and_prefix(lab: Lab, xpm: Xpm) -> None:
    identity = lab.submit("a")
    assert shown(xpm("show", f"Train/{identity[:3]}")) == short(identity)
    assert xpm("show", f"evaluate/{identity[:3]}").exit_code == 2


def test_job_is_named_by_its_directory_or_a_link_to_it(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    directory = lab.directory("a")
    link = Path(JobLinks(lab.workspace.experiment("sweep")).add(directory, "name=a"))
    assert shown(xpm("show", directory.path)) == shown(xpm("show", link)) == short(directory.identity)
    assert shown(xpm("show", directory.relative)) == short(directory.identity)


def test_last_is_the_newest_job_and_failed_the_newest_that_failed(lab: Lab, xpm: Xpm) -> None:
    lab.end("first", State.FAILED, ERROR)
    lab.end("second", State.FAILED, ERROR)
    lab.end("third")
    assert shown(xpm("show", "failed")) == short(lab.identity("second"))
    assert shown(xpm("show", "last")) == short(lab.identity("third"))


def test_ambiguous_name_lists_the_candidates(lab: Lab, xpm: Xpm) -> None:
    names = [lab.submit(str(number)) for number in range(17)]  # two of them share their first character
    twice = next(name[0] for name in names if sum(name[0] == other[0] for other in names) > 1)
    result = xpm("show", twice)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert all(name[:6] in result.stderr for name in names if name.startswith(twice))


@pytest.mark.parametrize("name", ["fffffff", "no-such", "train/ffff", "last", "failed", ""])
def test_unknown_name_is_an_error_with_the_next_command(lab: Lab, xpm: Xpm, name: str) -> None:
    result = xpm("logs", name)
    assert result.exit_code == 2
    assert "xpm status" in result.stderr
    assert "Traceback" not in result.stderr


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
    assert xpm("show", identity).exit_code == 3
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


def test_no_workspace_is_an_error_that_says_how_to_name_one(xpm: Xpm, outside: Path) -> None:
    result = xpm("status")
    assert result.exit_code == 3
    assert f"{outside}: is in no workspace" in result.stderr
    assert "XPM_WORKSPACE" in result.stderr
    assert not list(outside.iterdir())
