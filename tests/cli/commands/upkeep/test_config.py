"""`xpm config`: what holds, and from where; and `-w NAME`, which it explains."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from xpm_core.project.settings import SETTINGS
from xpm_core.project.variables import VARIABLES
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


@pytest.fixture
def of_user(tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's settings, which name the workspace."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config" / "xpm" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'# mine\nworkspace = "lab"\n[workspaces]\nlab = "{workspace.path}"\nbig = "/big"\n')
    return file


def rows(result: Result) -> dict[str, str]:
    """The rows of the table: value and source, by name. `CliRunner` pipes them, so none is in two lines."""
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.partition("\n\n")[0].splitlines()[1:]
    return {name: " ".join(rest) for name, *rest in map(str.split, lines)}


def test_nothing_is_set(xpm: Xpm, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XPM_REDIS_URL", "XPM_SNAPSHOT", "XPM_SNAPSHOT_FOLDER"):
        monkeypatch.delenv(name)
    result = xpm("config")
    found = rows(result)
    assert found.pop("redis") == "embedded (the workspace has a server of its own while it is used) default"
    assert set(found.values()) == {"- not set"}
    assert set(found) == {"workspace", *VARIABLES}
    assert f"{outside}: is in no workspace." in result.stderr


def test_each_value_has_its_source(xpm: Xpm, workspace: Workspace, of_user: Path, redis_url: str) -> None:
    (workspace.path / "xpm.toml").write_text('redis = "redis://alice:S3CRET@head"\n')
    found = rows(xpm("config"))
    people = f"{workspace.path}/xpm.toml:1"
    assert found["workspace"] == f"{workspace.path} the current directory (wins over {of_user}:2)"
    assert found["redis"] == f"{redis_url} XPM_REDIS_URL (wins over {people})"
    assert found["workspaces.lab"] == f"{workspace.path} {of_user}:4"
    assert found["workspaces.big"] == f"/big {of_user}:5"
    found = rows(xpm("config", "-w", "lab", "--redis", "redis://other"))
    assert found["workspace"] == f"{workspace.path} -w lab (wins over {of_user}:2)"
    assert found["redis"] == f"redis://other --redis (wins over XPM_REDIS_URL, {people})"


def test_files_are_listed(xpm: Xpm, workspace: Workspace, of_user: Path) -> None:
    listed = [line.split()[-1] if "exist" not in line else line for line in xpm("config").stdout.splitlines()[-3:]]
    first, second = f"{workspace.path}/.xpm/settings.toml", f"{workspace.path}/xpm.toml"
    assert listed == [f"files  {first} (does not exist)", f"       {second} (does not exist)", str(of_user)]


def test_secrets_are_hidden_in_both_forms(
    xpm: Xpm, of_user: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XPM_SIGNING_KEY", "S3CRET-KEY-OF-ALL-THESE-JOBS")
    monkeypatch.setenv("XPM_REDIS_URL", "redis://:S3CRET@head")
    (workspace.path / "xpm.toml").write_text('redis = "redis://alice:S3CRET@head"\n')
    for words in ([], ["--json"]):
        result = xpm("config", *words)
        assert "redis://***@head" in result.stdout
        assert "***" in result.stdout
        assert "S3CRET" not in result.output


def test_json_has_the_same(xpm: Xpm, of_user: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_MAX_LOG", "5")
    document = json.loads(xpm("config", "--json").stdout)
    found = {each["name"]: each for each in document["settings"]}
    assert document["workspace"] == str(workspace.path)
    assert found["workspace"]["overrides"] == [f"{of_user}:2"]
    assert (found["XPM_MAX_LOG"]["value"], found["XPM_MAX_LOG"]["source"]) == ("5", "environment")
    assert (found["XPM_DEBUG"]["value"], found["XPM_DEBUG"]["source"]) == (None, None)
    assert document["files"][-1] == {"path": str(of_user), "exists": True}


def test_narrow_terminal_cuts_nothing(xpm: Xpm, of_user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = xpm("config").stdout.splitlines()
    [place] = [number for number, line in enumerate(lines) if line.startswith("workspaces.big")]
    assert lines[place].split() == ["workspaces.big", "/big"]
    assert lines[place + 1].split() == ["from", f"{of_user}:5"]
    assert ["XPM_DEBUG", "not", "set"] in [line.split() for line in lines]


def test_unknown_setting_is_an_error_with_its_line(xpm: Xpm, workspace: Workspace) -> None:
    (workspace.path / "xpm.toml").write_text('\nreddis = "redis://head"\n')
    result = xpm("config")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: {workspace.path}/xpm.toml:2: unknown setting 'reddis'. Did you mean 'redis'?" in result.stderr


def test_unknown_variable_is_a_hint(xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_REDIS_ULR", "redis://head")
    monkeypatch.setenv("XPM_TOKEN_GPU", "0")
    result = xpm("config")
    said = "The variable XPM_REDIS_ULR is unknown. Did you mean XPM_REDIS_URL?\n"
    assert (result.exit_code, result.stderr) == (0, said)


def test_every_command_takes_a_name(xpm: Xpm, of_user: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["status", "-w", "lab"], ["-w", "lab", "status"], ["status"]):
        assert xpm(*words).exit_code == 0
    monkeypatch.setenv("XPM_WORKSPACE", "lab")
    assert rows(xpm("config"))["workspace"].endswith(f"XPM_WORKSPACE (wins over {of_user}:2)")
    unknown = xpm("status", "-w", "lba")
    assert unknown.exit_code == 2
    assert "Workspace 'lba': no workspace has this name" in unknown.stderr
    assert "Did you mean 'lab'? Names are big, lab" in unknown.stderr


def test_what_names_an_unknown_workspace_is_said(
    xpm: Xpm, of_user: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_user.write_text('\nworkspace = "lba"\n')
    assert f"Workspace 'lba', named by {of_user}:2: no workspace has this name" in xpm("config").stderr
    monkeypatch.setenv("XPM_WORKSPACE", "lbb")
    assert "Workspace 'lbb', named by XPM_WORKSPACE: no workspace" in xpm("status").stderr


def test_tilde_in_a_variable_is_the_home_directory(
    xpm: Xpm, tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XPM_WORKSPACE", "~/ws")
    assert rows(xpm("config"))["workspace"] == f"{tmp_path}/ws XPM_WORKSPACE"


def test_folder_of_the_same_name_is_written_as_a_path(xpm: Xpm, of_user: Path, outside: Path) -> None:
    Workspace.open(outside / "big")
    assert "/big: there is no such directory" in xpm("status", "-w", "big").stderr
    assert xpm("status", "-w", "./big").exit_code == 0


def test_list_of_settings_has_their_variables() -> None:
    assert {each.variable for each in SETTINGS.values()} == {"XPM_REDIS_URL", "XPM_WORKSPACE", ""}
    assert not {each.variable for each in SETTINGS.values()} & set(VARIABLES)


def test_what_is_sent_is_shown_without_its_secrets(xpm: Xpm, workspace: Workspace, of_user: Path) -> None:
    of_user.write_text(of_user.read_text() + '[notify]\ncommand = "never"\n')
    (workspace.path / "xpm.toml").write_text(
        '[notify]\ncommand = "curl -d @- https://chat/S3CRET"\napprise = ["slack://S3CRET/a", "mailto://me:S3CRET@b"]\n'
        'on = ["end"]\n'
    )
    result = xpm("config")
    found, file = rows(result), f"{workspace.path}/xpm.toml"
    assert found["notify.command"] == f"'curl ...' {file}:2 (wins over {of_user}:6)"
    assert found["notify.apprise"] == f"slack://***, mailto://*** {file}:3 (wins over {of_user}:6)"
    assert found["notify.on"] == f"end {file}:4 (wins over {of_user}:6)"
    for words in (["config"], ["config", "--json"], ["config", "--debug"]):
        result = xpm(*words)
        assert "S3CRET" not in result.stdout + result.stderr
