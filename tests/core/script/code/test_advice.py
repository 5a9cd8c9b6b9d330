"""What a report says to do about results of older code."""

from __future__ import annotations

import shlex
from pathlib import Path

from xpm_cli import Program, main
from xpm_core.script.code.advice import MOST, advice
from xpm_core.words.commands import Commands

IDENTITY = "3f9ac2e1" * 8


def test_each_line_ends_with_a_command_that_works_when_it_is_copied() -> None:
    lines = advice({"Train": IDENTITY}, Commands.of_script(Path("/data/my runs")), "digits")
    assert lines == [
        "next    what changed: xpm diff 3f9ac2e --code --workspace '/data/my runs'",
        "        run them again: xpm retry --changed --experiment digits --workspace '/data/my runs'",
        "        or accept them: xpm accept --experiment digits --why '...' --workspace '/data/my runs'",
    ]
    assert isinstance(main, Program)
    for line in lines:
        _, name, *words = shlex.split(line[line.index("xpm ") :])
        command = main.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        command.make_context(name, words, **main.context_settings)  # click keeps its names of the help option


def test_several_classes_are_told_apart_and_many_are_cut() -> None:
    lines = advice({f"T{number}": f"{number}" * 64 for number in range(6)}, Commands(), "digits")
    assert lines[0] == "next    what changed (T0): xpm diff 0000000 --code"
    assert len(lines) == MOST + 2
    assert advice({}, Commands(), "digits") == []
