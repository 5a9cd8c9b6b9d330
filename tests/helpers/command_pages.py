"""The commands as a page of the reference: what click knows of each, as Markdown.

`from helpers.command_pages import commands_text`.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

import click
from helpers.project_files import PROGRAMS, program

WIDTH = 120
WORDS = {
    "integer range": "N",
    "integer": "N",
    "float range": "NUMBER",
    "float": "NUMBER",
    "path": "PATH",
    "file": "FILE",
}
"""What stands for a value, by the name of its type; TEXT for others."""


def commands_text() -> str:
    """All commands of both programs."""
    return "\n\n".join(part for name in PROGRAMS for part in _command(program(name), None, name))


def _command(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    """A command, and the commands below it."""
    # click keeps the option `--help` that it makes for a command first, so this context is that of a real call.
    context = click.Context(command, parent, info_name=name, **command.context_settings)
    yield f"## {context.command_path}"
    yield f"    {context.command_path} {' '.join(command.collect_usage_pieces(context))}"
    yield from _paragraphs(command.help or "")
    common = _names(parent) if parent is not None else set()
    if rows := [row for row in _options(command, context) if row[0] not in common]:
        yield "\n".join(["| option | meaning |", "| --- | --- |", *(f"| `{names}` | {text} |" for names, text in rows)])
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None, child
            if not found.hidden:
                yield from _command(found, context, child)


def _names(context: click.Context) -> set[str]:
    """The first column of the options of a command."""
    return {names for names, _ in _options(context.command, context)}


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """The options of a command, each with its meaning. Versions of click print these in different ways."""
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            names = ", ".join([*parameter.opts, *parameter.secondary_opts])
            if not (parameter.is_flag or parameter.count):
                names += f" {parameter.metavar or _metavar(parameter.type)}"
            yield names, " ".join(" ".join(_meaning(parameter)).split()).replace("|", "\\|")


def _metavar(kind: click.ParamType) -> str:
    """What stands for the value of an option."""
    return "{" + ",".join(kind.choices) + "}" if isinstance(kind, click.Choice) else WORDS.get(kind.name, "TEXT")


def _meaning(option: click.Option) -> Iterator[str]:
    """What an option means, and what is known of its value."""
    yield option.help or ""
    least, most = getattr(option.type, "min", None), getattr(option.type, "max", None)
    if most is not None:
        yield f"{least:g} to {most:g}."
    elif least:
        yield f"At least {least:g}."
    if option.required:
        yield "Required."
    if option.show_default is True:
        each = option.default if isinstance(option.default, (list, tuple)) else [option.default]
        yield f"Default: {', '.join(f'{value:g}' if isinstance(value, float) else str(value) for value in each)}."
    if option.show_envvar and option.envvar:
        yield f"The variable {option.envvar} does the same."


def _paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a help text. Lines of a paragraph that begins with `\\b` stay as they are."""
    for paragraph in inspect.cleandoc(text).partition("\f")[0].split("\n\n"):
        if paragraph.startswith("\b"):
            yield textwrap.indent(paragraph.removeprefix("\b").strip("\n"), " " * 4)
        elif paragraph.strip():
            yield textwrap.fill(" ".join(paragraph.split()), WIDTH, break_long_words=False, break_on_hyphens=False)
