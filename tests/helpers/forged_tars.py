"""Files of experiments that somebody has changed. `from helpers.forged_tars import written, changed`."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.finished_jobs import Study

from xpm_core.exchange.exporting.export import prepare
from xpm_core.exchange.exporting.tar_writer import written_whole

Files = dict[str, bytes]
"""The contents of the files of an export, by their names below its folder."""


def written(study: Study, path: Path) -> Path:
    """The file of an experiment."""
    export = prepare(study.workspace, study.name, version="1")
    with written_whole(path) as stream:
        export.write(stream)
    return path


def files_of(path: Path) -> Files:
    """What a file has."""
    with tarfile.open(path) as tar:
        found = {member.name.partition("/")[2]: tar.extractfile(member) for member in tar if member.isreg()}
        return {name: file.read() for name, file in found.items() if file is not None}


def changed(path: Path, change: Callable[[Files], object], top: str = "digits") -> Path:
    """The same file after a change of its contents."""
    files = files_of(path)
    change(files)
    return packed(path.with_name(f"changed-{path.name}"), {f"{top}/{name}": data for name, data in files.items()})


def packed(path: Path, files: Mapping[str, bytes], *others: tarfile.TarInfo, mode: str = "w") -> Path:
    """A tar with these files, and with other members."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for other in others:
            tar.addfile(other, io.BytesIO(b"x" * other.size) if other.isreg() else None)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    """A member of a tar."""
    found = tarfile.TarInfo(name)
    found.type, found.size, found.linkname = kind, size, link
    return found
