"""Sending one text by a command and by apprise, and that no secret is ever said."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

import pytest
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.script.announce import sending
from xpm_core.script.announce.sending import Sender, address_shown, command_shown

APPRISE = """
import logging

class Apprise:
    def __init__(self):
        self.addresses = []

    def add(self, address):
        self.addresses.append(address)
        if "odd" in address:
            logging.getLogger("apprise").warning("unsupported URL %s", address)
            return False
        return True

    def notify(self, title, body):
        if "raises" in self.addresses[0]:
            raise ValueError(self.addresses[0])
        with open({path!r}, "a") as file:
            file.write(f"{{self.addresses[0]}}|{{title}}|{{body}}\\n")
        return "refuses" not in self.addresses[0]
"""


def by_command(command: str, text: str, variables: dict[str, str]) -> str:
    return Sender().by_command(command, text, variables)


def test_a_command_gets_the_text_and_the_variables(tmp_path: Path) -> None:
    command = f"(cat; echo $XPM_EVENT) > {tmp_path}/got"
    assert by_command(command, "text ✗\n", {"XPM_EVENT": "end"}) == ""
    assert (tmp_path / "got").read_text() == "text ✗\nend\n"


def test_a_command_that_fails_is_said_with_its_last_words_and_without_its_arguments() -> None:
    command = "sh -c 'echo no >&2; echo s3cret at https://chat/x9token >&2; exit 7' s3cret"
    assert by_command(command, "", {}) == "notify: the command 'sh ...' ended with exit code 7: *** at https://***"


def test_a_command_that_does_not_exist_is_said() -> None:
    assert "notify: the command 'no-such-program' ended with exit code 127" in by_command("no-such-program", "", {})
    assert "cannot be run: ValueError" in by_command("a\0b", "", {})


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LIMIT_S", 0.2)
    said = by_command("sleep 1000 & sleep 1000", "", {})
    assert said == "notify: the command 'sleep ...' was ended, because it takes more than 0.2 s"


def test_a_command_that_reads_nothing_is_no_error() -> None:
    assert by_command("true", "x" * 1_000_000, {}) == ""


def test_what_a_command_lets_go_on_in_the_background_goes_on_with_the_text(tmp_path: Path) -> None:
    gate, got = tmp_path / "gate", tmp_path / "got"
    waits = f"while [ ! -e {gate} ]; do sleep 0.02; done"
    assert by_command(f'text=$(cat); ({waits}; echo "$text" > {got}) &', "text\n", {}) == ""
    assert not got.exists()
    gate.touch()
    wait_until(lambda: got.exists() and got.read_text() == "text\n")


@pytest.mark.parametrize(
    "command",
    [
        "sh -c 'echo wrong: abc123secret >&2; exit 1' --token=abc123secret",
        "sh -c 'echo wrong: abc123secret >&2; exit 1' 'Authorization: Bearer abc123secret'",
        "sh -c 'echo wrong: $0 >&2; exit 1' $NOTE_TOKEN",
        "sh -c 'echo wrong: $0 >&2; exit 1' ${NOTE_TOKEN}",
    ],
)
def test_a_part_of_a_word_and_the_value_of_a_variable_are_not_said(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTE_TOKEN", "abc123secret")
    said = by_command(command, "", {})
    assert "exit code 1: wrong: ***" in said
    assert "abc123" not in said


def test_a_sender_that_is_stopped_ends_its_program_and_says_nothing(tmp_path: Path) -> None:
    began = tmp_path / "began"
    sender, said = Sender(), []
    command = f"echo $$ > {began}.new; mv {began}.new {began}; sleep 1000"
    thread = threading.Thread(target=lambda: said.append(sender.by_command(command, "", {})))
    thread.start()
    wait_until(began.exists)
    pid = int(began.read_text())
    sender.stop()
    thread.join(PATIENCE_S)
    assert said == [""]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.fixture
def apprise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `apprise`, and the file into which it writes what it sends."""
    (tmp_path / "apprise.py").write_text(APPRISE.format(path=str(tmp_path / "sent")))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "sent"


def test_each_address_gets_the_text_and_a_wrong_one_is_said_without_its_secret(
    apprise: Path, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = ["slack://s3cret/one", "odd://s3cret", "x-raises://s3cret", "refuses://s3cret"]
    with caplog.at_level(logging.DEBUG):
        said = list(Sender().by_apprise(addresses, "title", "text"))
    assert apprise.read_text().splitlines() == ["slack://s3cret/one|title|text", "refuses://s3cret|title|text"]
    assert said == [
        "notify: address 2 (odd://***): apprise does not understand it",
        "notify: address 3 (x-raises://***): ValueError",
        "notify: address 4 (refuses://***): apprise could not send the message",
    ]
    assert "s3cret" not in caplog.text


def test_without_apprise_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/nowhere", *(each for each in sys.path if "site-packages" not in each)])
    (said,) = Sender().by_apprise(["slack://s3cret"], "title", "text")
    assert said.endswith("Install it: pip install apprise")


@pytest.mark.parametrize(
    ("address", "shown"), [("mailto://me:pw@lab.org", "mailto://***"), ("s3cret", "***"), ("://s3cret", "***")]
)
def test_an_address_is_shown_by_its_first_word(address: str, shown: str) -> None:
    assert address_shown(address) == shown


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("notify-send", "'notify-send'"),
        ("curl -H 'Authorization: s3cret' x", "'curl ...'"),
        ("TOKEN=s3cret curl x", "'*** ...'"),
        ("'unclosed s3cret", '"\'unclosed ..."'),
        ("", "''"),
    ],
)
def test_a_command_is_shown_by_its_program(command: str, shown: str) -> None:
    assert command_shown(command) == shown


def test_a_secret_that_a_script_reads_from_its_environment_is_not_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_TOKEN", "abc123secret")
    script = tmp_path / "send.sh"
    script.write_text("echo denied for $CHAT_TOKEN >&2; exit 4\n")
    said = by_command(f"sh {script}", "x", {})
    assert said == "notify: the command 'sh ...' ended with exit code 4: denied for ***"
