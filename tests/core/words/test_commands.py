"""Command lines in messages lead to the workspace and its server."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from xpm_core.words.commands import Commands

IDENTITY, OTHER = "3f2a91c" + "0" * 57, "9d01e44" + "0" * 57
PLACE = Path("/data/my runs")


def test_a_script_names_its_workspace_always_and_its_server_if_nothing_else_does() -> None:
    plain, named = Commands.of_script(PLACE), Commands.of_script(PLACE, "redis://head:6379/0")
    assert plain.show(IDENTITY) == "xpm show 3f2a91c --workspace '/data/my runs'"
    assert plain.start_worker("gpu") == "xpm-worker --workspace '/data/my runs' --queue gpu"
    assert named.status() == "XPM_REDIS_URL=redis://head:6379/0 xpm status --workspace '/data/my runs'"


def test_the_program_names_what_it_was_given() -> None:
    bare, given = Commands.of_program(PLACE, None), Commands.of_program(PLACE, "my runs", "redis://head:6379/0")
    assert bare.show(IDENTITY) == "xpm show 3f2a91c"
    assert given.show(IDENTITY) == "xpm show 3f2a91c --workspace 'my runs' --redis redis://head:6379/0"
    assert bare.start_worker("default") == "xpm-worker --workspace '/data/my runs'"
    assert bare.start_worker("gpu") == "xpm-worker --workspace '/data/my runs' --queue gpu"
    assert given.start_worker("default") == "xpm-worker --workspace '/data/my runs' --redis redis://head:6379/0"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Commands().show(IDENTITY), "xpm show 3f2a91c"),
        (Commands().why_all(), "xpm why"),
        (Commands().logs(IDENTITY), "xpm logs 3f2a91c"),
        (Commands().debug(IDENTITY), "xpm debug 3f2a91c"),
        (Commands().debug(IDENTITY, " --pdb"), "xpm debug 3f2a91c --pdb"),
        (Commands().cancel(IDENTITY, OTHER), "xpm cancel 3f2a91c 9d01e44"),
        (Commands().cancel_all("digits"), "xpm cancel --experiment digits"),
        (Commands().retry(IDENTITY), "xpm retry 3f2a91c"),
        (Commands().retry_failed(), "xpm retry --failed"),
        (Commands().retry_failed("digits"), "xpm retry --failed --experiment digits"),
        (Commands().status(), "xpm status"),
        (Commands().resume_workers("node7", "m 1"), "xpm workers resume node7 'm 1'"),
        (Commands().resume_queue("gpu"), "xpm queues resume gpu"),
        (Commands().gc(), "xpm gc"),
        (Commands().gc("--old"), "xpm gc --old"),
        (Commands().diff_all("last", "my sweep.py:learn"), "xpm diff last 'my sweep.py:learn' --all"),
        (Commands().code_since(IDENTITY), "xpm diff 3f2a91c --code"),
        (Commands().retry_changed("digits"), "xpm retry --changed --experiment digits"),
        (Commands().accept("digits"), "xpm accept --experiment digits --why '...'"),
        (Commands().diff_code("last", "model=svm"), "xpm diff last model=svm --code"),
    ],
)
def test_each_command_is_written_as_it_is_typed(command: str, words: str) -> None:
    assert command == words
    assert shlex.split(command)[0] == "xpm"
