"""Settings files: `<workspace>/.xpm/settings.toml`, and the user's own `~/.config/xpm/settings.toml`.

    redis = "redis://head:6379/0"       # the server to use

Owns: where they lie, and which settings there are. The workspace's comes first: it is the nearer one.
"""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path

from xpm_core.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SETTINGS: dict[str, str] = {"redis": "address of the Redis server, such as redis://head:6379/0"}
"""Every setting, a string, with its meaning."""


def settings_files(workspace: Path) -> tuple[Path, Path]:
    """The files that settings are looked up in, first things first. They need not exist."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return workspace / ".xpm" / "settings.toml", Path(home, "xpm", "settings.toml")


def look_up(name: str, workspace: Path) -> tuple[str, Path] | None:
    """Look up a setting.

    Returns:
        Its value and the file that gives it, or None when none does.

    Raises:
        SettingsError: A file cannot be read, is no TOML, or has an unknown or wrongly typed setting.
    """
    for file in settings_files(workspace):
        value = read_settings(file).get(name)
        if value is not None:
            return value, file
    return None


def read_settings(file: Path) -> dict[str, str]:
    """All settings of one file; none when it does not exist.

    Raises:
        SettingsError: It cannot be read, is no TOML, or has an unknown or wrongly typed setting.
    """
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(str(file), f"cannot be read: {error.strerror}", "Make it readable, or remove it.") from None
    except ValueError as error:  # also TOMLDecodeError, UnicodeDecodeError
        raise SettingsError(str(file), f"is not TOML: {error}", "Correct it, or remove it.") from None
    for name, value in settings.items():
        if name not in SETTINGS:
            close = difflib.get_close_matches(name, SETTINGS, 1)
            remedy = f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(sorted(SETTINGS))}."
            raise SettingsError(str(file), f"unknown setting {name!r}", remedy)
        if not isinstance(value, str):
            problem = f"{name}: expected a string, got {type(value).__name__}"
            raise SettingsError(str(file), problem, f"Give the {SETTINGS[name]}.")
    return settings
