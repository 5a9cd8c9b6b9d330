"""Read the folders of runs that Hydra has made, as by `--multirun`: parameters from `.hydra/`, results from a file.

Owns: which folders are runs, and what their files say.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from xpm_core.errors import ExchangeError, YamlError
from xpm_core.exchange.foreign.cells import value_of
from xpm_core.exchange.foreign.csv_file import table_of
from xpm_core.exchange.foreign.sheet import Column, Line, Sheet, leaves
from xpm_core.exchange.foreign.texts import printable, read_text
from xpm_core.language.dict_form import yaml_files
from xpm_core.words.text import listed, plural

DEFAULTS = ("results.json", "metrics.json", "results.csv")
"""The files of results that are looked for in each folder of a run, unless another one is named."""

NAMED = 5
_NAME_ONE = "Name the folder of a sweep, such as multirun/2026-11-27/12-00-00."
_OVERRIDE = re.compile(r"(?P<sign>\+\+|\+|~)?(?P<name>[^=]+)(?:=(?P<value>.*))?", re.DOTALL)
_DIGITS = re.compile(r"(\d+)")


def read_hydra(folder: Path, results_file: str = "") -> Sheet:
    """The runs in a folder, and in the folders below it.

    Args:
        folder: The folder of one sweep, or of many.
        results_file: The file of results in the folder of each run; empty for the first of `DEFAULTS` that there is.

    Raises:
        ExchangeError: There are no runs, or a file is not what it should be.
        YamlError: A file of Hydra is no YAML; names the line.
    """
    where = str(folder)
    if not folder.is_dir():
        raise ExchangeError(where, "it is no folder", _NAME_ONE)
    _check_inside(results_file)
    runs = _runs(folder)
    if not runs:
        problem = "it has no folder of a run, which has .hydra/config.yaml"
        raise ExchangeError(where, problem, _NAME_ONE)
    name = results_file or next((each for each in DEFAULTS if any((run / each).is_file() for run in runs)), "")
    if not name or not any((run / name).is_file() for run in runs):
        wanted = results_file or " or ".join(DEFAULTS)
        problem = f"none of its {plural(len(runs), 'run')} has {wanted}"
        raise ExchangeError(where, problem, "Name the file with the results of a run: --results-file metrics.json.")
    return _sheet(folder, runs, name)


def _check_inside(results_file: str) -> None:
    path = PurePosixPath(results_file)
    if path.is_absolute() or ".." in path.parts:
        problem = "expected a path within the folder of a run"
        raise ExchangeError(f"--results-file {results_file}", problem, "Write one such as eval/results.json.")


def _runs(folder: Path) -> list[Path]:
    """The folders of runs, in the order of their numbers. Links are not followed."""
    found = []
    for place, names, _ in os.walk(folder):
        if ".hydra" in names:
            names.remove(".hydra")
            if any(Path(place, ".hydra", each).is_file() for each in ("config.yaml", "overrides.yaml")):
                found.append(Path(place))
    return sorted(found, key=lambda run: _natural(os.path.relpath(run, folder)))


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(text)]


def _sheet(folder: Path, runs: list[Path], results_file: str) -> Sheet:
    sheet, digest = Sheet("hydra", str(folder), ""), hashlib.sha256()
    lacking = []
    for run in runs:
        relative = os.path.relpath(run, folder)
        line = Line(relative, folder=relative)
        digest.update(f"{relative}\n".encode("utf-8", "surrogateescape"))
        for path, value in _parameters(run, digest).items():
            sheet.add(Column(f"config.{path}", path, "param"))
            line.values[f"config.{path}"] = printable(value)
        if (run / results_file).is_file():
            for path, value in _results(run / results_file, digest).items():
                sheet.add(Column(f"results.{path}", path, "result"))
                line.values[f"results.{path}"] = printable(value)
        else:
            line.failed = True
            lacking.append(relative)
        sheet.append(line)
    sheet.digest = digest.hexdigest()
    if lacking:
        has, counts = ("has", "counts") if len(lacking) == 1 else ("have", "count")
        names = listed(lacking, NAMED)
        sheet.notes.append(f"{plural(len(lacking), 'run')} {has} no {results_file}, and {counts} as failed: {names}.")
    if apart := _without_hydra(runs):
        has = "has" if len(apart) == 1 else "have"
        names = listed([os.path.relpath(each, folder) for each in apart], NAMED)
        count = plural(len(apart), "numbered folder")
        sheet.notes.append(f"{count} beside runs {has} no .hydra. Passed over: {names}.")
    return sheet


def _without_hydra(runs: list[Path]) -> list[Path]:
    """The folders beside those of runs that are numbered as runs are, and lack what Hydra writes."""
    known, found = set(runs), set[Path]()
    for place in {run.parent for run in runs if run.name.isdigit()}:
        with os.scandir(place) as entries:
            numbered = [Path(place, each.name) for each in entries if each.name.isdigit() and each.is_dir()]
        found |= set(numbered) - known
    return sorted(found, key=lambda each: _natural(str(each)))


def _text(file: Path, digest: Any) -> str:
    text, found = read_text(file)
    digest.update(f"{file.name} {found}\n".encode())
    return text


def _parameters(run: Path, digest: Any) -> dict[str, Any]:
    """The configuration of a run in one level, and the overrides that it does not show, as the choice of a group."""
    found: dict[str, Any] = {}
    config, overrides = run / ".hydra" / "config.yaml", run / ".hydra" / "overrides.yaml"
    if config.is_file():
        text = _text(config, digest) if config.stat().st_size else ""
        values, _ = yaml_files.parsed(text, str(config))
        if not isinstance(values, (dict, type(None))):
            raise ExchangeError(str(config), "expected a mapping", "It was not written by Hydra: correct it.")
        found.update(leaves(values or {}))
    if overrides.is_file():
        text = _text(overrides, digest) if overrides.stat().st_size else ""
        values, _ = yaml_files.parsed(text, str(overrides))
        if not isinstance(values, (list, type(None))):
            raise ExchangeError(str(overrides), "expected a list", "It was not written by Hydra: correct it.")
        for name, value in _overrides(values or [], str(overrides)):
            if name not in found:
                found[name] = value
    return found


def _overrides(words: list[Any], where: str) -> Iterator[tuple[str, Any]]:
    for word in words:
        match = _OVERRIDE.fullmatch(str(word))
        if match is None:
            raise ExchangeError(where, f"expected NAME=VALUE, got {str(word)!r}", "Correct it.")
        if match["sign"] == "~" or match["value"] is None or match["name"].startswith("hydra."):
            continue
        try:
            value, _ = yaml_files.parsed(match["value"], where)
        except YamlError:  # Hydra's grammar has more than YAML: keep the text
            value = match["value"]
        yield match["name"].partition("@")[0], value if not isinstance(value, dict) else match["value"]


def _results(file: Path, digest: Any) -> Mapping[str, Any]:
    """The results in a file, in one level."""
    text, where = _text(file, digest), str(file)
    if file.suffix == ".csv":
        table = table_of(text, where)
        if len(table.rows) > 1:
            problem = f"expected one row of results, got {len(table.rows)}"
            raise ExchangeError(where, problem, "Write the final values into a JSON file.")
        cells = zip(table.header, table.rows[0][1], strict=False)
        return {name: value for name, cell in cells if name and (value := value_of(cell)) is not None}
    if file.suffix in (".yaml", ".yml"):
        values, _ = yaml_files.parsed(text, where)
    else:
        try:
            values = json.loads(text)
        except RecursionError:
            raise _too_deep(where) from None
        except ValueError as error:
            problem = f"it is no JSON ({getattr(error, 'msg', error)})"
            place = f"{where}:{getattr(error, 'lineno', 1)}"
            raise ExchangeError(place, problem, "Correct it, or name another file: --results-file.") from None
    if not isinstance(values, dict):
        problem = f"expected an object with results, got {type(values).__name__}"
        raise ExchangeError(where, problem, 'Write {"accuracy": 0.9}.')
    try:
        return dict(leaves(printable(values)))
    except RecursionError:  # JSON is read deeper than its values can be gone through
        raise _too_deep(where) from None


def _too_deep(where: str) -> ExchangeError:
    return ExchangeError(where, "it is nested too deep", "Write it in fewer levels.")
