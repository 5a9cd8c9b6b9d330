"""What is not pinned when a job is run again: what is another thing here than it was then, or is not known.

Owns: these notes. A note is a fact, not a verdict: the comparison of the files says whether it matters.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from xpm_core.project.moved_code import MovedCode
from xpm_core.reproduction.requirements import Packages, differences, is_kept, unpinned
from xpm_core.snapshot.manifest import LargeFile, Link, Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.words.text import amount


class Note(NamedTuple):
    """Something that is not pinned.

    Attributes:
        what: What it is about: code, python, package, variable, machine, seed, file, link.
        text: What was then, and what is here.
    """

    what: str
    text: str


@dataclass(frozen=True)
class Then:
    """What is known of an execution.

    Attributes:
        record: Its record; empty if there is none.
        provenance: How the job was submitted; None if that is not known.
        manifest: The files of its snapshot; None without one.
        packages: Its packages; None if they are not known.
        live: Whether today's files are taken instead of a snapshot.
    """

    record: Mapping[str, Any]
    provenance: Provenance | None
    manifest: Manifest | None
    packages: Packages | None
    live: bool = False

    @property
    def kept(self) -> MovedCode:
        """Where the files of the snapshot are in the folder in which the job is run again."""
        roots = self.provenance.roots if self.provenance is not None and self.manifest is not None else {}
        return MovedCode({root: f"{CODE}/{name}" for root, name in roots.items()})


CODE = "code"
"""The folder of the snapshot's trees, in the folder in which the job is run again."""


class Here(NamedTuple):
    """What this process has.

    Attributes:
        packages: Its packages.
        machine: The facts of this machine, as records have them.
        environment: The variables of the job.
    """

    packages: Packages
    machine: Mapping[str, Any]
    environment: Mapping[str, str]


def notes(then: Then, here: Here) -> list[Note]:
    """What is not pinned, the most important first."""
    return [*_code(then), *_python(then, here), *_packages(then, here), *_rest(then, here)]


def _code(then: Then) -> Iterator[Note]:
    if then.live:
        yield Note("code", "today's files run. Which files ran then is not compared.")
    for entry in then.manifest.entries if then.manifest is not None else ():
        if isinstance(entry, LargeFile):
            if problem := _changed(entry):
                yield Note("file", f"{entry.path} was not kept: {problem} ({entry.target})")
        elif isinstance(entry, Link):
            there = "" if os.path.exists(entry.target) else ", which is gone"
            yield Note(
                "link", f"{entry.path} leads out of the project, to {entry.target}{there}. Nothing there is kept"
            )


def _changed(entry: LargeFile) -> str:
    """How a large file that was not kept differs from then; empty if it does not."""
    try:
        status = os.stat(entry.target)
    except OSError:
        return "it is gone, or cannot be read"
    if status.st_size != entry.size:
        return f"it had {amount(entry.size)}, and has {amount(status.st_size)}"
    return "" if status.st_mtime_ns == entry.mtime_ns else "it was written again since"


def _python(then: Then, here: Here) -> Iterator[Note]:
    version = str(then.record.get("python") or (then.packages.python if then.packages else ""))
    now = platform.python_version()
    if version and version != now:
        yield Note("python", f"Python {version} then, {now} here")
    elif not version:
        yield Note("python", f"which Python ran is not recorded; {now} here")


def _packages(then: Then, here: Here) -> Iterator[Note]:
    if then.packages is None:
        yield Note("package", "which packages were installed is not recorded")
        return
    for name, text in differences(then.packages, here.packages):
        if not is_kept(then.packages, name, then.kept):
            yield Note("package", text)
    for text in unpinned(then.packages, then.kept):
        yield Note("package", text)


def _rest(then: Then, here: Here) -> Iterator[Note]:
    for name, value in then.provenance.variables.items() if then.provenance is not None else ():
        now = here.environment.get(name)
        if not name.startswith(_PLACES) and "***" not in value and now != value:
            yield Note("variable", f"{name} was {value!r} where it was submitted, {_variable(now)} here")
    machine = then.record.get("machine")
    if isinstance(machine, Mapping):
        for name in ("cpu", "arch", "gpus", "driver"):
            before, now = machine.get(name), here.machine.get(name)
            if before != now:
                yield Note("machine", f"{_NAMES[name]}: {_fact(before)} then, {_fact(now)} here")
    if not then.record.get("seeds"):
        yield Note("seed", "no seed is declared. A result that depends on random numbers can differ")


_PLACES = ("XPM_", "SLURM_", "CONDA_", "VIRTUAL_ENV", "PYTHONPATH")
"""Variables that say where something is. They differ without a difference in what a job computes."""
_NAMES = {"cpu": "processor", "arch": "architecture", "gpus": "GPUs", "driver": "driver of the GPUs"}


def _variable(value: str | None) -> str:
    return "not set" if value is None else repr(value)


def _fact(value: Any) -> str:
    if not value:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
