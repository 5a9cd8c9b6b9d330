"""All commands with their options and arguments, as plain data, so that completion imports none of the commands.

Owns: what kind of word each option and argument takes, and the copy of the table in the user's cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

PACKAGE = Path(__file__).parent.parent

Node = dict[str, Any]
"""A command: its `help`, its `options`, the kinds of its `arguments`, whether the last one may `repeat`, its
`commands`, and of the program the `columns` of lists. An option has `names`, `help`, and the `kind` of its value, which
is empty for a flag."""

_KINDS = {
    "JOB": "job", "A": "job", "B": "job", "EXPERIMENT": "experiment", "TASK": "task", "STATE[,...]": "state",
    "FILTER": "filter", "DIR": "dir", "DIR|NAME": "workspace", "FILE": "file", "FILE.yaml": "file",
    "EXPERIMENT:RESULT:FILTER": "number", "X": "column", "Y": "column",
}  # fmt: skip
"""The kinds of words, by the words of the help."""
_KINDS_OF_OPTIONS = {
    "--tag": "tag",
    "--experiment": "experiment",
    "--columns": "column",
    "--sort": "key",
    "--over": "column",
    "--by": "column",
    "--pivot": "column",
}
_KINDS_OF_NAMES = {"workers": "worker", "queues": "queue", "tokens": "token"}
"""The kinds of the arguments NAME, by the group of commands."""
NO_KIND = "other"


def command_table(program: click.Group) -> Node:
    """Return the table: from the cache if no file of the commands has changed since, else made of the commands."""
    file, key = _cache_file(), _key()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(file.read_bytes())
        if found["key"] == key:
            table: Node = found["table"]
            return table
    table = _table_of(program)
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = file.with_name(f"{file.name}.{os.getpid()}")
        temporary.write_text(json.dumps({"key": key, "table": table}))
        temporary.replace(file)
    return table


def _table_of(program: click.Group) -> Node:
    from xpm_core.filters import FIELDS

    context = click.Context(program, info_name="xpm", **program.context_settings)
    return {**_node(program, context), "columns": list(FIELDS)}


def _node(command: click.Command, context: click.Context) -> Node:
    given = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    arguments = [each for each in given if isinstance(each, click.Argument)]
    group = context.parent.info_name if context.parent is not None else None
    node: Node = {
        "help": command.get_short_help_str(100),
        "options": [_option(each) for each in given if isinstance(each, click.Option)],
        "arguments": [_kind(each, group) for each in arguments],
        "repeat": bool(arguments) and arguments[-1].nargs == -1,
        "commands": {},
    }
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                node["commands"][name] = _node(below, click.Context(below, info_name=name, parent=context))
    return node


def _option(option: click.Option) -> Node:
    text = (option.help or "").partition(". ")[0].rstrip(".")
    valueless = option.is_flag or option.count
    return {
        "names": [*option.opts, *option.secondary_opts],
        "help": text,
        "kind": "" if valueless else _kind(option),
        "multiple": option.multiple,
        "values": 0 if valueless else option.nargs,
    }


def _kind(parameter: click.Parameter, group: str | None = None) -> str:
    if isinstance(parameter.type, click.Choice):
        return "choice:" + ",".join(map(str, parameter.type.choices))
    for name in parameter.opts:
        if name in _KINDS_OF_OPTIONS:
            return _KINDS_OF_OPTIONS[name]
    written = (parameter.metavar or "").removesuffix("...")
    bare = written.removeprefix("[").removesuffix("]") if written.startswith("[") else written
    if bare == "NAME" and group in _KINDS_OF_NAMES:
        return _KINDS_OF_NAMES[group]
    if bare in _KINDS:
        return _KINDS[bare]
    if isinstance(parameter.type, (click.Path, click.File)):
        return "file" if getattr(parameter.type, "file_okay", True) else "dir"
    return NO_KIND


def _cache_file() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = hashlib.sha256(os.fsencode(PACKAGE) + sys.version.encode()).hexdigest()[:16]
    return Path(home, "xpm", "commands", f"{name}.json")


def _key() -> str:
    """Differs as soon as a file of the commands is another one."""
    facts = [f"{path}:{time_ns}" for path, time_ns in sorted(_times(PACKAGE))]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _times(folder: Path) -> Iterator[tuple[str, int]]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _times(Path(entry.path))
        elif entry.name.endswith(".py"):
            yield entry.path, entry.stat().st_mtime_ns
