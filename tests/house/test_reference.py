"""The reference is complete and current: commands, errors, ways to fail, and the messages that it quotes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.error_pages import classes, part_of
from helpers.project_files import PACKAGES, ROOT, files, place, python_files
from helpers.quotations import unknown_sentences
from helpers.reference_pages import PAGES, current

from xpm_cli import app
from xpm_core import errors
from xpm_core.errors import XpmError
from xpm_core.script.ending import INTERRUPTED
from xpm_worker.cli import OUT_OF_REACH

REFERENCE = ROOT / "docs" / "reference"
ERRORS = REFERENCE / "errors.md"
KIND = re.compile(r"from_(?:text|stack)\(\s*\"(\w+)\"|kind = \"(\w+)\" if .* else \"(\w+)\"|type=\"(\w+)\", message=")
LUA_KIND = re.compile(r"type = '(\w+)', message =")
QUOTED = re.compile(r"(?:^ {4}[^\n]*\n)+", re.MULTILINE)

WITHOUT_MESSAGE = {"XpmError", "ShapedError", "ConfigurationError"}
"""Bases, which are not raised themselves."""

OWN_WORDS = {"GracefulTimeout": "the user's code says why", "FailedExperiment": "its text is a whole report"}
"""Errors whose text is no sentence of the code."""


def headings(text: str) -> list[str]:
    """The words that head the parts of a page that are explained one by one."""
    return re.findall(r"^### (\w+)$", text, re.MULTILINE)


def quoted(page: Path) -> list[str]:
    """The messages that a page quotes: its indented blocks."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(block.split()) for block in QUOTED.findall(text)]


def kinds_in_code() -> set[str]:
    """The words that the code gives to failures without an exception."""
    found = {word for path in python_files() for match in KIND.findall(path.read_text()) for word in match if word}
    return found | {word for path in files(".lua", *PACKAGES) for word in LUA_KIND.findall(path.read_text())}


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_page_is_current(page: Path) -> None:
    text = page.read_text()
    assert text == current(text), "it is not what the code says: run `make reference`"


def test_every_error_has_a_part_of_the_page() -> None:
    assert {cls.__name__ for cls in classes()} == set(errors.__all__)
    made = ERRORS.read_text().partition("<!-- made: errors -->")[2]
    assert headings(made) == [cls.__name__ for cls in classes()]


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_docstring_of_an_error_says_what_to_do(cls: type[XpmError]) -> None:
    assert part_of(cls, "Remedy").endswith((".", ")"))
    assert bool(part_of(cls, "Message")) == (cls.__name__ not in WITHOUT_MESSAGE)


@pytest.mark.parametrize("cls", [cls for cls in classes() if cls.__name__ not in OWN_WORDS], ids=lambda c: c.__name__)
def test_message_of_an_error_is_one_of_the_code(cls: type[XpmError]) -> None:
    assert list(unknown_sentences(part_of(cls, "Message"))) == []


def test_every_way_to_fail_has_a_part_of_the_page() -> None:
    part = ERRORS.read_text().partition("## How a job fails")[2].partition("\n## ")[0]
    assert set(headings(part)) == kinds_in_code()


def test_exit_codes_are_those_of_the_code() -> None:
    part = ERRORS.read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    tables = [list(map(int, re.findall(r"^\| (\d+) \|", table, re.MULTILINE))) for table in part.split("\nOf ")[1:]]
    of_xpm = sorted(value for name, value in vars(app).items() if name.isupper() and type(value) is int)
    assert of_xpm[:3] == [app.FAILED, app.USAGE, app.UNREACHABLE]
    assert tables == [[0, *of_xpm], [0, app.USAGE, OUT_OF_REACH], [0, app.FAILED, INTERRUPTED]]


@pytest.mark.parametrize("page", [REFERENCE / "errors.md", REFERENCE / "troubleshooting.md"], ids=place)
def test_messages_that_a_page_quotes_are_of_the_code(page: Path) -> None:
    own = {part_of(cls, "Message") for cls in classes() if cls.__name__ in OWN_WORDS}
    messages = [message for message in quoted(page) if message not in own]
    assert len(messages) > 10
    unknown = [sentence for message in messages for sentence in unknown_sentences(message)]
    assert not unknown, "no string of the code says:\n" + "\n".join(unknown)


def test_message_that_is_made_up_is_noticed() -> None:
    message = "Train.lr: the moon is full. Give one before you submit. Buy another moon."
    assert list(unknown_sentences(message)) == ["Train.lr: the moon is full.", "Buy another moon."]


def test_command_that_has_changed_is_noticed() -> None:
    text = (REFERENCE / "cli.md").read_text()
    for word in ("xpm-worker", "--slots", "Print it as JSON."):
        assert current(text.replace(word, "…")) != text.replace(word, "…")
