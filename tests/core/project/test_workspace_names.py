"""Names of workspaces in the user's settings, wherever a workspace is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core import experiment
from xpm_core.errors import UnknownWorkspaceError
from xpm_core.project.workspace_names import directory_of
from xpm_core.reading.look import look
from xpm_core.workspace.workspace import Workspace


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory. The user's settings name two workspaces."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    file = tmp_path / "config" / "xpm" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'[workspaces]\nlab = "{tmp_path}/data/lab"\nbig = "~/big"\n')
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_a_name_is_the_directory_that_the_user_has_given_it(tmp_path: Path) -> None:
    assert directory_of("lab") == f"{tmp_path}/data/lab"
    assert directory_of("big") == directory_of("~/big") == f"{tmp_path}/home/big"


@pytest.mark.parametrize("given", ["./lab", "/data/lab", "../lab", ".", Path("lab")])
def test_a_path_is_a_directory_whatever_the_names(given: str | Path) -> None:
    assert directory_of(given) == str(given)


def test_a_name_wins_over_a_folder_and_this_is_said_once(
    here: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (here / "lab").mkdir()
    assert {directory_of("lab", quiet=True), directory_of("lab"), directory_of("lab")} == {f"{tmp_path}/data/lab"}
    [said] = caplog.messages
    assert said.startswith(f"The workspace lab is {tmp_path}/data/lab, by ")
    assert said.endswith("For the folder here, write ./lab.")


def test_a_word_that_is_no_name_is_a_folder_here(here: Path) -> None:
    (here / "runs").mkdir()
    assert directory_of("runs") == "runs"
    assert directory_of("new", create=True) == "new"


def test_an_unknown_word_is_an_error_with_the_names(here: Path) -> None:
    with pytest.raises(UnknownWorkspaceError, match=r"Did you mean 'lab'\? Names are big, lab, by .*settings.toml"):
        directory_of("lbab", create=True)
    with pytest.raises(UnknownWorkspaceError, match=r"no folder here\. Names are big, lab"):
        directory_of("nowhere")


@pytest.mark.redis
def test_scripts_name_a_workspace_so(tmp_path: Path, redis_url: str) -> None:
    with experiment("lab", "named", redis=redis_url) as xp:
        assert xp.workspace.path == tmp_path / "data" / "lab"
    with look("lab", redis=redis_url) as view:
        assert view.workspace == Workspace.open(tmp_path / "data" / "lab")
