"""The directory of the workspace: whether files can be written and renamed there, how much space is free, and whether
another directory has the same id."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from xpm_core.diagnosis import file_system
from xpm_core.diagnosis.findings import Finding, error, ok, unknown, warning
from xpm_core.diagnosis.patient import Patient
from xpm_core.diagnosis.surroundings.server import SKEW_S, skew
from xpm_core.errors import WorkspaceError
from xpm_core.workspace.files import write_atomic
from xpm_core.workspace.workspace import Workspace

LITTLE_BYTES, SCARCE_BYTES = 10**9, 10**8
"""Free space below which the doctor warns, and below which jobs soon fail."""
FEW_FILES, SCARCE_FILES = 10_000, 500
"""The same of files that can still be made: a job makes about ten."""
RENAMES = 30
"""How often a file is replaced while it is read, to see that it is there at each moment."""


def check(patient: Patient) -> Iterator[Finding]:
    """Examine the directory of the workspace."""
    path = patient.workspace.path
    subject = f"workspace {path}"
    if not os.access(path, os.W_OK | os.X_OK):
        yield error(subject, "not writable", "make it writable for you")
        return
    probe = path / ".xpm" / f".probe.{os.urandom(4).hex()}"  # what a doctor that is killed leaves, `xpm gc` takes
    good = []
    try:
        written_s = time.time()
        write_atomic(probe, b"0", durable=True)
        ahead_s = written_s - probe.stat().st_mtime
        if abs(ahead_s) > SKEW_S:
            yield warning(subject, f"this machine's clock is {skew(ahead_s)} that of its disk", "set the clocks by NTP")
        if fault := renaming_fault(probe):
            yield error(subject, fault, "put the workspace on a file system that replaces files in one step")
        else:
            good.append("rename is atomic")
    except WorkspaceError as refused:
        yield error(subject, refused.problem, refused.remedy)
        return
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    yield from space_faults(subject, path)
    yield from kind_faults(subject, path)
    yield from twins(patient)
    free = shutil.disk_usage(path).free
    yield ok(subject, ", ".join(["writable", f"{free / 1e9:.3g} GB free", *good, file_system.named(path)]))


def renaming_fault(file: Path) -> str:
    """Replace a file again and again while another thread reads it. Returns what was wrong; empty if nothing was."""
    seen: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            try:
                if not file.read_bytes().isdigit():
                    seen.append("a reader saw a part of a file")
            except FileNotFoundError:
                seen.append("a file was missing while it was replaced")
            except OSError:
                continue

    reader = threading.Thread(target=watch)
    reader.start()
    try:
        for number in range(RENAMES):
            write_atomic(file, str(number).encode(), durable=False)
    finally:
        over.set()
        reader.join()
    if not seen and file.read_bytes() != str(RENAMES - 1).encode():
        seen.append("a file that was replaced still had its old content")
    return f"rename is not atomic: {seen[0]}" if seen else ""


def space_faults(subject: str, path: Path) -> Iterator[Finding]:
    """Whether space runs out, as far as the file system says it of this user."""
    about = os.statvfs(path)
    free = about.f_bavail * about.f_frsize
    if free < LITTLE_BYTES:
        finding = error if free < SCARCE_BYTES else warning
        yield finding(subject, f"{free / 1e6:.0f} MB free", "free some space there, or ask for a larger quota")
    if about.f_files and about.f_favail < FEW_FILES:
        finding = error if about.f_favail < SCARCE_FILES else warning
        yield finding(subject, f"only {about.f_favail} files can still be made (inodes)", "remove files there")


def kind_faults(subject: str, path: Path) -> Iterator[Finding]:
    """What one should know of the kind of the file system."""
    kind = file_system.kind_of(path)
    if not kind:
        yield unknown(subject, "the kind of its file system is not known")
    elif kind in file_system.IN_MEMORY:
        yield warning(subject, f"it lies in memory ({kind}): results go when this machine stops", "move it to a disk")


def twins(patient: Patient) -> Iterator[Finding]:
    """Other directories of this machine that have the same id, and in which workers or copies of the server work."""
    own = patient.workspace
    if patient.away:
        return
    for path in sorted({Path(worker.path) for worker in patient.view.workers()} - {own.path}):
        try:
            found = Workspace.open(path, create=False, writable=False)
            if found.id != own.id or os.path.samefile(path, own.path):
                continue
        except (WorkspaceError, OSError):  # no directory of this machine; the marks of the workers say more
            continue
        remedy = f"stop its workers, then delete {path}/.xpm/workspace.json: it gets an id of its own"
        yield error(f"workspace {path}", f"it is a copy of {own.path} with the same id, on the same server", remedy)
