"""Save a configuration in a directory, with the data that it names, and load it again, also on another machine."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from xpm_core.config.live_objects import live
from xpm_core.errors import PayloadError
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity.description import describe
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters.paths import JOB, Layout
from xpm_core.language.parameters.schema import schema_of
from xpm_core.tracebacks.edges import edge
from xpm_core.wire.packer import Packer
from xpm_core.wire.unpacker import Unpacker

WIRE, READABLE, DATA = "configuration.msgpack", "configuration.json", "data"


@edge
def save(config: Any, directory: str | os.PathLike[str]) -> None:
    """Save a configuration, and all that it refers to, in a directory.

    The files and folders that a `DataPath` names are copied into the directory. The configuration is sealed.
    `configuration.json` is for people, `configuration.msgpack` for `load`.

    Args:
        config: The configuration.
        directory: The directory. It is made if it does not exist.

    Raises:
        MissingParameterError: A parameter has no value.
        FileNotFoundError: A `DataPath` names a file that does not exist.

    Example:
        >>> save(model, "models/best")
    """
    seal(config)
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    copied: dict[tuple[int, str], Path] = {}
    for number, (_, each) in enumerate(reachable(config)):
        for name, parameter in schema_of(each).parameters.items():
            if parameter.role == "data" and (source := each.__dict__[name]) is not None:
                target = Path(DATA, str(number), name, source.name)
                copy(source, folder / target)
                copied[id(each), name] = JOB / target
    described = json.dumps(describe(config), indent=2)
    (folder / READABLE).write_text(described + "\n", encoding="utf-8")
    (folder / WIRE).write_bytes(Packer(config, own=copied).data())


@edge
def load(directory: str | os.PathLike[str], *, as_instance: bool = False) -> Any:
    """Load a configuration from a directory in which `save` put it.

    Args:
        directory: The directory.
        as_instance: Whether to return a live object instead, as `instance()` does.

    Returns:
        The configuration, sealed, with the identity that it had.

    Raises:
        PayloadError: Nothing was saved there, or it was changed.
        TaskImportError: A class cannot be imported.

    Example:
        >>> model = load("models/best")
    """
    folder = Path(directory).absolute()
    try:
        data = (folder / WIRE).read_bytes()
        identity = json.loads((folder / READABLE).read_text(encoding="utf-8"))["identity"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PayloadError(str(folder), f"no configuration was saved there ({error})", "Save one first.") from None
    config, _ = Unpacker(folder, folder).configuration(data, identity)
    return live(config, Layout(config, folder, folder)) if as_instance else config


def copy(source: Path, target: Path) -> None:
    """Copy a file or a directory."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
