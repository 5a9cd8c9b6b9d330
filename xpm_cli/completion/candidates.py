"""The words that can come next on a command line.

Owns: which option or argument of which command a word belongs to. values.py knows the words of each kind.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from xpm_cli.completion.command_table import Node
from xpm_cli.completion.values import Candidate, Values


@dataclass
class Typed:
    """What the words so far mean.

    Attributes:
        node: The command that they lead to.
        pending: The option that waits for its value, or for more of them; None if none does.
        waiting: For how many values it waits.
        given: The names of the options that were given.
        arguments: How many arguments were given.
        only_arguments: Whether `--` was given.
        workspace: What --workspace was given; None without it.
    """

    node: Node
    pending: Node | None = None
    waiting: int = 0
    given: set[str] = field(default_factory=set)
    arguments: int = 0
    only_arguments: bool = False
    workspace: str | None = None

    @classmethod
    def of(cls, table: Node, words: Iterable[str]) -> Typed:
        """Follow the words from the program on."""
        typed = cls(table)
        for word in words:
            typed.take(word)
        return typed

    def take(self, word: str) -> None:
        """Follow one more word."""
        if self.pending is not None:
            self._keep(self.pending, word)
            self._wait(self.pending, self.waiting - 1)
        elif word == "--" and not self.only_arguments:
            self.only_arguments = True
        elif word.startswith("-") and len(word) > 1 and not self.only_arguments:
            self._take_option(word)
        elif not self.arguments and word in self.node["commands"]:
            self.node = self.node["commands"][word]
        else:
            self.arguments += 1

    def _take_option(self, word: str) -> None:
        name, written, value = word.partition("=")
        option = self.option(name)
        if option is None and not word.startswith("--"):
            option, value, written = self.option(word[:2]), word[2:], word[2:]
        if option is None:
            return
        self.given.update(option["names"])
        if written:
            self._keep(option, value)
            self._wait(option, option["values"] - 1)
        elif option["kind"]:
            self._wait(option, option["values"])

    def _wait(self, option: Node, values: int) -> None:
        self.pending, self.waiting = (option, values) if values > 0 else (None, 0)

    def _keep(self, option: Node, value: str) -> None:
        if "--workspace" in option["names"]:
            self.workspace = os.path.expanduser(value)

    def option(self, name: str) -> Node | None:
        """The option of a name; None if the command has none."""
        return next((each for each in self.node["options"] if name in each["names"]), None)

    @property
    def argument(self) -> str:
        """The kind of the argument that comes next; empty for none."""
        kinds: Sequence[str] = self.node["arguments"]
        if self.arguments < len(kinds):
            return kinds[self.arguments]
        return kinds[-1] if kinds and self.node["repeat"] else ""


def candidates(table: Node, words: Sequence[str], incomplete: str) -> list[Candidate]:
    """Return the words that can take the place of an incomplete one.

    Args:
        table: All commands.
        words: The words before it, without the name of the program.
        incomplete: The beginning of the word.
    """
    typed = Typed.of(table, words)
    values = Values(typed.workspace, table["columns"])
    if typed.pending is not None:
        return values.of(typed.pending["kind"], incomplete)
    if incomplete.startswith("-") and not typed.only_arguments:
        return _options(typed, values, incomplete)
    found = []
    if not typed.arguments:
        commands = typed.node["commands"].items()
        found = [Candidate(name, below["help"]) for name, below in commands if name.startswith(incomplete)]
    return found + (values.of(typed.argument, incomplete) if typed.argument else [])


def _options(typed: Typed, values: Values, incomplete: str) -> list[Candidate]:
    name, written, value = incomplete.partition("=")
    if written:
        option = typed.option(name)
        found = values.of(option["kind"], value) if option is not None and option["kind"] else []
        return [each._replace(word=f"{name}={each.word}") for each in found]
    return [
        Candidate(name, option["help"])
        for option in typed.node["options"]
        if option["multiple"] or typed.given.isdisjoint(option["names"])
        for name in option["names"]
        if name.startswith(incomplete) and (name.startswith("--") or incomplete == name)
    ]
