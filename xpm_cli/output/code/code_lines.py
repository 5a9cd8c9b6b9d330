"""The lines of `xpm show` about what ran: the code of a job, who submitted it, the machine, and what it used.

Owns: which of these facts people see, and in which words.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xpm_cli.lookup.code.job_code import JobCode
from xpm_cli.output.terminal import Terminal
from xpm_core.labels import short
from xpm_core.snapshot.facts.secrets import HIDDEN
from xpm_core.snapshot.provenance import GitState, Tree
from xpm_core.words.text import amount, line, plural

NOTABLE = (
    "torch", "tensorflow", "jax", "keras", "lightning", "transformers", "scikit-learn", "xgboost", "lightgbm", "numpy",
    "scipy", "pandas",
)  # fmt: skip
"""The packages whose versions are shown, the first three of them that are installed. `--json` has all packages."""
SHOWN_PACKAGES = 3
SHOWN_FILES = 5
"""How many files are named that differ now."""
LONGEST_COMMAND = 200
MOST_ENTRIES = 5000
"""A job's folder with more entries is not measured."""


def code_lines(code: JobCode, terminal: Terminal, changed: Sequence[str] = (), *, whole: bool = False) -> Iterator[str]:
    """The lines about the code of a job; none if nothing is known.

    Args:
        code: The code.
        terminal: What the terminal can show.
        changed: The files that differ now from the snapshot.
        whole: Whether to cut nothing.
    """
    return (terminal.entry(label, items) for label, items in code_entries(code, changed, whole=whole))


def code_entries(
    code: JobCode, changed: Sequence[str] = (), *, whole: bool = False
) -> Iterator[tuple[str, Sequence[str]]]:
    """The same, each as a label and what belongs to it. Without a label, it belongs to the entry before."""
    items = [
        *([_ran(code)] if code.known else []),
        *([f"python {line(code.python, 20)}"] if code.python else []),
        *_packages(code.versions),
    ]
    if items:
        yield "code", items
    if changed:
        named = changed if whole else changed[:SHOWN_FILES]
        more = f" and {len(changed) - len(named)} more" if len(changed) > len(named) else ""
        names = ", ".join(line(each, LONGEST_COMMAND) for each in named)
        yield "", [f"{plural(len(changed), 'file')} {_differ(changed)} now: {names}{more}"]
    if code.provenance is not None and (submitted := _submitted(code, whole)):
        yield "submitted", submitted


def _differ(changed: Sequence[str]) -> str:
    return "differs" if len(changed) == 1 else "differ"


def _ran(code: JobCode) -> str:
    """Such as `snapshot 8c1f2e0 (git main 1a2b3c4 + 2 changed files)`."""
    what = f"snapshot {short(code.snapshot)}" if code.snapshot else "live code"
    if code.provenance is None:
        return what
    trees = code.provenance.trees
    said = [said for tree in trees if (said := _tree(tree, alone=len(trees) == 1))]
    return f"{what} ({'; '.join(said)})" if said else what


def _tree(tree: Tree, *, alone: bool) -> str:
    if tree.git is None:
        return "" if alone else line(tree.name, 40)
    return _git(tree.git) if alone else f"{line(tree.name, 40)}: {_git(tree.git)}"


def _git(git: GitState) -> str:
    branch, commit = line(git.branch, 40), short(git.commit) or "before the first commit"
    changed = f" + {plural(git.changed_count, 'changed file')}" if git.is_dirty else ""
    return f"{' '.join(filter(None, ['git', branch, commit]))}{changed}"


def _packages(versions: Mapping[str, str]) -> list[str]:
    found = [name for name in NOTABLE if name in versions]
    return [f"{name} {line(versions[name], 20)}" for name in found[:SHOWN_PACKAGES]]


def _submitted(code: JobCode, whole: bool) -> list[str]:
    """By which script and arguments, and by whom."""
    provenance = code.provenance
    assert provenance is not None
    words = [provenance.script, *map(_quoted, provenance.arguments)] if provenance.script else []
    command = line(" ".join(words), 10**6 if whole else LONGEST_COMMAND)
    by, on = line(provenance.user, 40), line(provenance.host, 60)
    return [*([f"by {command}"] if command else []), *([" on ".join(filter(None, [by, on]))] if by or on else [])]


def _quoted(argument: str) -> str:
    """An argument as it is typed; a hidden one is no pattern of a shell."""
    rest = argument.replace(HIDDEN, "")
    return argument if HIDDEN in argument and rest in ("", shlex.quote(rest)) else shlex.quote(argument)


def machine_lines(record: Mapping[str, Any], folder: Path, terminal: Terminal) -> Iterator[str]:
    """The lines about the machine that an execution ran on, and about what it used.

    Args:
        record: Its record.
        folder: The job's folder.
        terminal: What the terminal can show.
    """
    return (terminal.entry(label, items) for label, items in machine_entries(record, folder))


def machine_entries(record: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """The same, each as a label and what belongs to it."""
    machine = record.get("machine")
    if isinstance(machine, dict) and (items := [*_machine(machine), *_devices(record)]):
        yield "machine", items
    if used := list(_used(record, folder)):
        yield "used", used


def _machine(machine: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(cpu := machine.get("cpu"), str):
        yield line(cpu, 60)
    if isinstance(cores := machine.get("cores"), int):
        yield plural(cores, "core")
    if isinstance(memory := machine.get("memory_bytes"), int):
        yield f"memory {amount(memory)}"
    gpus = machine.get("gpus")
    names = [str(each) for each in gpus] if isinstance(gpus, list) else []
    for name in dict.fromkeys(names):
        yield f"{names.count(name)} x {line(name, 60)}" if names.count(name) > 1 else line(name, 60)
    if names and machine.get("driver"):
        yield f"driver {line(machine['driver'], 40)}"


def _devices(record: Mapping[str, Any]) -> list[str]:
    """The devices that the job saw, such as `CUDA_VISIBLE_DEVICES=2,3`."""
    devices = record.get("devices")
    return [line(f"{name}={value}", 80) for name, value in devices.items()] if isinstance(devices, dict) else []


def _used(record: Mapping[str, Any], folder: Path) -> Iterator[str]:
    peak, cpu_s, began, ended = (record.get(name) for name in ("peak_memory_bytes", "cpu_s", "started_s", "ended_s"))
    if isinstance(peak, (int, float)) and peak:
        yield f"memory {peak / 2**20:.0f} MB peak"
    if all(isinstance(each, (int, float)) for each in (cpu_s, began, ended)) and ended > began:  # type: ignore[operator]
        yield f"cpu {100 * cpu_s / (ended - began):.0f} %"  # type: ignore[operator]
    if (size := _size(folder)) is not None:
        yield f"disk {amount(size)}"


def _size(folder: Path) -> int | None:
    """The bytes of the files in a folder; None if there are too many of them, or it cannot be read."""
    total, count, waiting = 0, 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            return None
        if count > MOST_ENTRIES:
            return None
    return total
