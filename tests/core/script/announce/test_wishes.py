"""What the settings wish to be sent, and whose commands are run."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from xpm_core.errors import SettingsError
from xpm_core.script.announce.wishes import Wishes, wishes_of

OWN = pwd.getpwuid(os.geteuid()).pw_name
"""The name of this user."""


def wishes(folder: Path, text: str) -> Wishes:
    (folder / "xpm.toml").write_text(text)
    return wishes_of(folder)


def test_without_settings_nothing_is_sent(tmp_path: Path) -> None:
    assert wishes_of(tmp_path) == Wishes()


def test_a_table_says_what_is_sent_and_how(tmp_path: Path) -> None:
    text = '[notify]\ncommand = "mail me"\napprise = ["slack://a/b"]\non = ["end"]\n'
    assert wishes(tmp_path, text) == Wishes("mail me", ("slack://a/b",), ("end",))


def test_the_first_file_with_the_table_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "xpm").mkdir()
    (tmp_path / "xpm" / "settings.toml").write_text('[notify]\ncommand = "mine"\n')
    place = tmp_path / "workspace"
    place.mkdir()
    assert wishes_of(place).command == "mine"
    assert wishes(place, '[notify]\ncommand = "ours"\n').command == "ours"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("command = 7", "notify.command: expected a string that is not empty"),
        ('command = " "', "notify.command: expected a string that is not empty"),
        ('apprise = "slack://s3cret"', "notify.apprise: expected a list of strings, none of them empty"),
        ("apprise = []", "notify.apprise: expected a list of strings, none of them empty"),
        ('apprise = ["slack://s3cret", 1]', "notify.apprise: expected a list of strings"),
        ('on = ["start"]', "notify.on: expected failure or end, got 'start'"),
        ('on = ["slack://s3cret"]', "notify.on: expected failure or end, got 'slack'."),
        ('comand = "mail"', "Did you mean 'command'?"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_without_secrets(table: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        wishes(tmp_path, f"[notify]\n{table}\n")
    assert said in str(raised.value)
    assert f"{tmp_path}/xpm.toml:2" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_notify_must_be_a_table(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="notify: expected a table, got str"):
        wishes(tmp_path, 'notify = "mail"\n')


def test_a_command_that_another_user_has_written_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[notify]\ncommand = "rm -rf ~"\napprise = ["slack://a"]\n'
    (tmp_path / "xpm.toml").write_text(text)
    if os.geteuid() == 0:
        os.chown(tmp_path / "xpm.toml", 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    found = wishes_of(tmp_path)
    assert (found.command, found.apprise) == ("", ("slack://a",))
    assert "notify.command is not run, because another user has written this file" in found.problem


@pytest.mark.parametrize(
    ("mode", "group", "run"),
    [(0o664, "lab", False), (0o666, OWN, False), (0o664, OWN, True), (0o644, "lab", True), (0o600, "lab", True)],
)
def test_a_command_in_a_file_that_others_can_write_is_not_run(
    mode: int, group: str, run: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xpm.toml").touch()
    (tmp_path / "xpm.toml").chmod(mode)
    monkeypatch.setattr(grp, "getgrgid", lambda number: SimpleNamespace(gr_name=group))
    found = wishes(tmp_path, '[notify]\ncommand = "mail me"\n')
    assert bool(found.command) == run
    assert (f"chmod go-w {tmp_path}/xpm.toml" in found.problem) != run


def test_whoever_can_write_the_file_of_a_user_is_his_own_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many systems give each user a group of his own, and let it write all of his files."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "xpm" / "settings.toml"
    file.parent.mkdir()
    file.write_text('[notify]\ncommand = "mine"\n')
    file.chmod(0o664)
    assert wishes_of(tmp_path / "workspace").command == "mine"
