"""YAML files of experiments, written and read.

`from helpers.yaml_files import document, write`.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from xpm_core.experiment_file.content import merging
from xpm_core.experiment_file.content.merging import Document


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files, by name; returns the first one."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text.removeprefix("\n") if text.startswith("\n ") else text))
    return folder / next(iter(files))


def document(folder: Path, text: str, **others: str) -> Document:
    """A file of that text, read with what is below it. The others are files by name, without their endings."""
    return merging.read(write(folder, {"sweep.yaml": text, **{f"{name}.yaml": each for name, each in others.items()}}))
