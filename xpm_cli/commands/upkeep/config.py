"""`xpm config`: the settings and variables that hold, and where each comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from xpm_cli.app import common_options, say, setting
from xpm_cli.lookup.find_workspace import Place, find_workspace
from xpm_cli.output.forms import as_json
from xpm_cli.output.tables.settings_table import SettingLine, setting_record, table
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import UnknownWorkspaceError, WorkspaceError
from xpm_core.project.settings import NOTIFY, SETTINGS, look_up_all, read_settings, settings_files, users_file
from xpm_core.project.variables import VARIABLES, unknown
from xpm_core.script.announce.sending import address_shown, command_shown
from xpm_core.server.url import safe_url

HIDDEN = "***"
EMBEDDED = "embedded (the workspace has a server of its own while it is used)"


@click.command()
@common_options
@click.option("--json", "as_document", is_flag=True, help="Print them as JSON.")
def config(as_document: bool) -> None:
    """Show the settings that hold, and where each comes from.

    An option wins over a variable of the environment, and that over the files. Of the files, the first one counts that
    has the setting: .xpm/settings.toml in the workspace, which xpm server writes; xpm.toml in the workspace; your own,
    ~/.config/xpm/settings.toml. An unknown setting in a file is an error. Passwords, keys, addresses of apprise
    and the arguments of commands are not shown.

    Your own file can name workspaces, for -w NAME, by lines such as lab = "/data/xpm" below [workspaces]; and
    workspace = "lab" says which one is meant where none is near.
    """
    place = _place()
    path = None if place is None else Path(os.path.realpath(place.path))
    lines = [_workspace(place), _redis(path), *_names(), *_notify(path), *_variables()]
    files = settings_files(path)
    if as_document:
        head = {
            "workspace": None if path is None else str(path),
            "files": [{"path": str(file), "exists": file.exists()} for file in files],
            "unknown_variables": list(unknown()),
        }
        click.echo(as_json(head, "settings", map(setting_record, lines)))
    else:
        for text in table(lines, files, Terminal.of_stdout()):
            click.echo(text)
    for name, close in unknown().items():
        say(f"The variable {name} is unknown.{f' Did you mean {close}?' if close else ''}")


def _place() -> Place | None:
    """The workspace that is meant; None if there is none near. An unknown name is an error."""
    try:
        return find_workspace(setting("workspace"))
    except UnknownWorkspaceError:
        raise
    except WorkspaceError as error:
        say(str(error))
        return None


def _workspace(place: Place | None) -> SettingLine:
    known = SETTINGS["workspace"]
    if place is None:
        return SettingLine("workspace", None, "", known.meaning)
    set_by = [known.variable] if os.environ.get(known.variable) else []
    set_by += map(str, look_up_all("workspace", None))
    others = tuple(each for each in set_by if each != place.source)
    return SettingLine("workspace", os.path.realpath(place.path), place.source, known.meaning, others)


def _redis(path: Path | None) -> SettingLine:
    """The address of the server: of all that name one, the first counts."""
    known = SETTINGS["redis"]
    found = [(setting("redis"), known.option), (os.environ.get(known.variable), known.variable)]
    found += [(each.value, str(each)) for each in look_up_all("redis", path)]
    named = [(safe_url(value), source) for value, source in found if value]
    if not named:
        return SettingLine("redis", EMBEDDED, "default", known.meaning)
    return SettingLine("redis", *named[0], known.meaning, tuple(source for _, source in named[1:]))


def _names() -> Iterator[SettingLine]:
    """The names of workspaces."""
    file = read_settings(users_file())
    for name, directory in sorted(file.content.get("workspaces", {}).items()):
        source = file.where("workspaces", name)
        yield SettingLine(f"workspaces.{name}", directory, source, f"the directory of the workspace {name}")


def _notify(path: Path | None) -> Iterator[SettingLine]:
    """What scripts send, and by what. Addresses and the words of a command may be secret."""
    found = look_up_all("notify", path)
    for key, value in found[0].value.items() if found else ():
        source = read_settings(found[0].file, path).where("notify", key)
        shown = command_shown(value) if key == "command" else ", ".join(map(address_shown, value))
        others = tuple(map(str, found[1:]))
        yield SettingLine(f"notify.{key}", ", ".join(value) if key == "on" else shown, source, NOTIFY[key][1], others)


def _variables() -> Iterator[SettingLine]:
    for name, variable in VARIABLES.items():
        value = os.environ.get(name)
        shown = HIDDEN if value and variable.secret else value
        yield SettingLine(name, shown, "" if value is None else "environment", variable.meaning)
