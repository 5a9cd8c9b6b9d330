"""Settings files, and the order in which a server is looked for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from xpm_core.errors import RedisUrlError, SettingsError
from xpm_core.project.settings import project_settings, read_settings
from xpm_core.script.submit.options import Options
from xpm_core.server.address import ServerAddress, locate
from xpm_core.workspace.workspace import Workspace


def write(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


@pytest.fixture
def of_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "xpm" / "settings.toml"


@pytest.fixture
def of_workspace(workspace: Workspace) -> Path:
    return workspace.path / ".xpm" / "settings.toml"


def test_the_nearest_word_counts(
    workspace: Workspace, of_user: Path, of_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert locate(workspace.path) == ServerAddress(None, "embedded")
    write(of_user, 'redis = "redis://user"')
    assert locate(workspace.path) == ServerAddress("redis://user", str(of_user))
    write(workspace.path / "xpm.toml", 'redis = "redis://people"')
    assert locate(workspace.path) == ServerAddress("redis://people", str(workspace.path / "xpm.toml"))
    write(of_workspace, 'redis = "redis://workspace"')
    assert locate(workspace.path) == ServerAddress("redis://workspace", str(of_workspace))
    monkeypatch.setenv("XPM_REDIS_URL", "redis://environment")
    assert locate(workspace.path) == ServerAddress("redis://environment", "XPM_REDIS_URL")
    assert locate(workspace.path, "redis://argument") == ServerAddress("redis://argument", "redis=")


def test_an_empty_variable_says_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_REDIS_URL", "")
    assert locate(workspace.path).url is None


def test_settings_lie_in_the_home_directory_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / ".config" / "xpm" / "settings.toml", 'redis = "redis://home"')
    assert locate(tmp_path / "workspace").url == "redis://home"


def test_a_wrong_address_is_refused_wherever_it_stands(workspace: Workspace, of_workspace: Path) -> None:
    write(of_workspace, 'redis = "head:6379"')
    with pytest.raises(RedisUrlError):
        locate(workspace.path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("redis = ", "is not TOML: Invalid value"),
        ("redis = 3", "redis: expected a string, got int"),
        ('redis = ""', "redis: it is empty. Give the address of the Redis server, .*Or take the line out"),
        ('rediss = "redis://head"', "unknown setting 'rediss'. Did you mean 'redis'"),
        ("colour = 1", "unknown setting 'colour'. Known are: notify, redis, workspace, workspaces"),
        ('workspaces.lab = "/data"', "workspaces: only a user can set it. Write it into /"),
    ],
)
def test_a_wrong_file_is_one_clear_error(of_workspace: Path, workspace: Workspace, content: str, problem: str) -> None:
    write(of_workspace, content)
    with pytest.raises(SettingsError, match=problem) as caught:
        locate(workspace.path)
    assert str(caught.value).startswith(str(of_workspace))


def test_the_workspace_of_a_user_does_not_depend_on_the_current_directory(of_user: Path) -> None:
    for named in ("lab", "/data/xpm", "~/xpm"):
        assert read_settings(write(of_user, f'workspace = "{named}"')).content == {"workspace": named}
    with pytest.raises(SettingsError, match=r"an absolute path, or one that begins with ~, got '\.\./x'"):
        read_settings(write(of_user, 'workspace = "../x"'))


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_settings(tmp_path / "folder")
    (tmp_path / "latin").write_bytes(b'redis = "\xe9"')
    with pytest.raises(SettingsError, match="is not TOML"):
        read_settings(tmp_path / "latin")


PROJECT = """
from xpm_core import Task

class Count(Task):
    def execute(self): ...

class Cold(Count):
    template = False
"""


def project(folder: Path, name: str, described: str) -> Any:
    """A module of a project that is described so."""
    write(folder / "pyproject.toml", described)
    write(folder / "tasks" / f"{name}.py", PROJECT)
    spec: Any = importlib.util.spec_from_file_location(name, folder / "tasks" / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    del sys.modules[name]
    return module


@pytest.mark.parametrize(
    ("described", "wanted"),
    [
        ("[tool.xpm]\ntemplates = false", False), ("[tool.xpm]\ntemplates = true", True), ("[tool.xpm]\n", True),
        ("[tool]\nxpm.templates = false", False), ("[tool.other]\ntemplates = false", True), ("no TOML", True),
    ],
)  # fmt: skip
def test_a_project_can_do_without_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, described: str, wanted: bool
) -> None:
    module = project(tmp_path, "tasks_with_settings", described)
    monkeypatch.setitem(sys.modules, "tasks_with_settings", module)
    told = [Options().in_job(cls).template for cls in (module.Count, module.Cold)]
    assert told == [wanted, False]


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        ("[tool.xpm]\ntemplate = false", "unknown setting 'tool.xpm.template'. Did you mean 'templates'"),
        ("[tool.xpm]\ntemplates = 0", "tool.xpm.templates: expected true or false, got int. Say whether"),
        ("[tool.xpm]\ntemplates", "is not TOML"),
        ("[tool]\nxpm = 3", "tool.xpm: expected a table, got int"),
    ],
)
def test_a_wrong_setting_of_a_project_is_one_clear_error(tmp_path: Path, described: str, problem: str) -> None:
    write(tmp_path / "pyproject.toml", described)
    with pytest.raises(SettingsError, match=problem) as caught:
        project_settings(str(tmp_path))
    assert str(caught.value).startswith(str(tmp_path / "pyproject.toml"))


@pytest.mark.parametrize(
    ("mode", "url", "of_user_said", "of_workspace_said"),
    [
        (0o644, "redis://:S3CRET@head", "everybody can read it", "everybody can read it"),
        (0o640, "redis://:S3CRET@head", "its group can read it", ""),
        (0o600, "redis://:S3CRET@head", "", ""),
        (0o644, "rediss://head?ssl_password=S3CRET", "everybody can read it", "everybody can read it"),
        (0o644, "redis://alice@head", "", ""),
    ],
)
def test_a_password_that_others_can_read_is_warned_of_once(
    workspace: Workspace,
    of_user: Path,
    of_workspace: Path,
    caplog: pytest.LogCaptureFixture,
    mode: int,
    url: str,
    of_user_said: str,
    of_workspace_said: str,
) -> None:
    for file, said in [(of_user, of_user_said), (of_workspace, of_workspace_said)]:
        write(file, f'redis = "{url}"').chmod(mode)
        caplog.clear()
        for _ in range(2):
            locate(workspace.path)
        expected = [f"{file}: holds a password, and {said}. Close it: chmod 600 {file}"] if said else []
        assert caplog.messages == expected


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("workspaces = 3", 1, "workspaces: expected a table, got int"),
        ("[workspaces]\nbig = '/big'\nlab = 'data'", 3, "workspaces.lab: expected an absolute path"),
        ("\n[workspaces]\nlab = 3", 3, "workspaces.lab: expected an absolute path, or one that begins with ~, got int"),
        ("workspaces.'a/b' = '/data'", 1, "'a/b' cannot be the name of a workspace"),
        ("redis = 'redis://head'\n[workspace]\nlab = '/data'", 2, "workspace: expected a string, got dict"),
        ("redis = 'redis://head'\n[worspaces]\nlab = '/data'", 2, "unknown setting 'worspaces'. Did you mean"),
    ],
)
def test_a_wrong_setting_of_a_user_is_named_with_its_line(
    of_user: Path, workspace: Workspace, content: str, line: int, problem: str
) -> None:
    write(of_user, content)
    with pytest.raises(SettingsError, match=problem) as caught:
        locate(workspace.path)
    assert str(caught.value).startswith(f"{of_user}:{line}: ")


def test_the_files_of_certificates_are_named_from_the_folder_of_the_settings(
    workspace: Workspace, of_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(of_workspace, 'redis = "rediss://:word@head:1/2?ssl_ca_certs=our%20ca.crt&ssl_certfile=/me.crt"')
    url = locate(workspace.path).url
    folder = quote(str(of_workspace.parent), safe="/")
    assert url == f"rediss://:word@head:1/2?ssl_ca_certs={folder}/our%20ca.crt&ssl_certfile=/me.crt"
    monkeypatch.setenv("XPM_REDIS_URL", "rediss://head?ssl_ca_certs=ca.crt")
    assert locate(workspace.path).url == "rediss://head?ssl_ca_certs=ca.crt"
