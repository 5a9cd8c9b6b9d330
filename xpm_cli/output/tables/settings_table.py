"""Settings and variables as a table, and for programs.

Owns: the columns, and the fields that programs get (docs/reference/json.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xpm_cli.output.terminal import Terminal

NOT_SET = "not set"


@dataclass(frozen=True)
class SettingLine:
    """A setting or a variable.

    Attributes:
        name: Its name.
        value: Its value as it may be shown; None if nothing sets it.
        source: What sets it; empty if nothing does.
        meaning: What it is for.
        others: What also sets it, and does not count.
    """

    name: str
    value: str | None
    source: str
    meaning: str
    others: tuple[str, ...] = ()


def table(lines: Iterable[SettingLine], files: Sequence[Path], terminal: Terminal) -> list[str]:
    """The lines to print: a row for each setting, and the files that were read."""
    rows = [["SETTING", "VALUE", "FROM"]]
    for each in lines:
        instead = f" (wins over {', '.join(each.others)})" if each.others else ""
        rows.append([each.name, "-" if each.value is None else each.value, f"{each.source or NOT_SET}{instead}"])
    first, *rest = (f"{file}{'' if file.exists() else ' (does not exist)'}" for file in files)
    listed = [f"{'files':<{len('files') + 2}}{first}", *(f"{'':<{len('files') + 2}}{other}" for other in rest)]
    if terminal.fits(rows):
        return [*terminal.table(rows), "", *listed]
    width = max(len(name) for name, _, _ in rows) + 2  # a row in two lines: paths are copied, and are never cut
    beside = [f"{name:<{width}}{_two_lines(value, source, width)}" for name, value, source in rows[1:]]
    return [*map(terminal.text, beside), "", *listed]


def _two_lines(value: str, source: str, width: int) -> str:
    """A value, and below it what sets it."""
    return source if source == NOT_SET else f"{value}\n{'':<{width}}from {source}"


def setting_record(line: SettingLine) -> dict[str, Any]:
    """The record of a setting for programs."""
    return {
        "name": line.name,
        "value": line.value,
        "source": line.source or None,
        "overrides": list(line.others),
        "meaning": line.meaning,
    }
