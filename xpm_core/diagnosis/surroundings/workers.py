"""The workers: whether they see this directory, which versions they run, and their clocks.

Owns: what the marks of daemons mean (xpm_core.diagnosis.mark).
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xpm_core.diagnosis import file_system
from xpm_core.diagnosis.findings import REPAIR, Finding, error, ok, unknown, warning
from xpm_core.diagnosis.mark import STALE_S, Mark, mark_file, marks_folder, versions
from xpm_core.diagnosis.patient import Patient
from xpm_core.diagnosis.surroundings.place import LITTLE_BYTES
from xpm_core.diagnosis.surroundings.server import SKEW_S, skew
from xpm_core.reading.workers import WorkerState
from xpm_core.store import keys
from xpm_core.store.refusals import daemon_of
from xpm_core.words.text import plural, span
from xpm_core.workspace.files import LISTING_LAG_S

ALONE_S = 600.0
"""After how many seconds a mark that nobody renews is left over."""
RESTART = "restart it with this version"


@dataclass(frozen=True)
class Daemon:
    """The workers of one daemon, and the mark that they have noted last."""

    name: str
    workers: list[WorkerState]
    mark: Mark | None

    @property
    def subject(self) -> str:
        """What findings call it."""
        return f"worker {self.name}"

    @property
    def host(self) -> str:
        """Its machine."""
        return self.workers[0].host


def check(patient: Patient) -> Iterator[Finding]:
    """Examine the workers of the workspace."""
    daemons = known_daemons(patient)
    count = 0
    for daemon in daemons:
        faults = [*_sight(patient, daemon), *_silence(daemon), *_versions(daemon), *_machine(daemon)]
        yield from faults
        count += not faults
    if count or not daemons:
        text = f"{plural(count, 'daemon')} of xpm-worker, in this directory, of this version" if count else "none"
        yield ok("workers", text)
    yield from _left_over(patient, {daemon.name for daemon in daemons})


def known_daemons(patient: Patient) -> list[Daemon]:
    """The daemons whose workers the server knows, by name."""
    workers = patient.view.reader.workers.read(patient.view.now_s)
    with patient.client.pipeline(transaction=False) as pipe:
        for worker in workers:
            pipe.hget(keys.worker(patient.w, worker.name), "mark")
        noted: list[Any] = pipe.execute()
    grouped: defaultdict[str, list[tuple[WorkerState, Mark | None]]] = defaultdict(list)
    for worker, mark in zip(workers, noted, strict=True):
        found = Mark.read(mark) if mark else None
        grouped[found.daemon if found else daemon_of(worker.name)].append((worker, found))
    return [_daemon(name, grouped[name]) for name in sorted(grouped)]


def _daemon(name: str, members: Iterable[tuple[WorkerState, Mark | None]]) -> Daemon:
    workers, marks = zip(*members, strict=True)
    newest = max((mark for mark in marks if mark), key=lambda mark: mark.at_s, default=None)
    return Daemon(name, list(workers), newest)


def _sight(patient: Patient, daemon: Daemon) -> Iterator[Finding]:
    """Whether a daemon sees the directory that the doctor sees."""
    noted, path = daemon.mark, daemon.workers[0].path
    if noted is None:
        text = f"whether it sees this directory is not known: xpm {daemon.workers[0].version} writes no mark"
        yield unknown(daemon.subject, text, RESTART)
        return
    if noted.problem:
        text = f"its mark cannot be read in {path} on {daemon.host}: {noted.problem}"
        yield error(daemon.subject, text, "see its log: it may not be able to write there")
        return
    found = _mark_here(patient.workspace.path, noted.daemon)
    if found is not None and found.nonce == noted.nonce and found.at_s >= noted.at_s - STALE_S:
        return
    young = patient.view.now_s - max(worker.started_s for worker in daemon.workers) < LISTING_LAG_S
    if found is None and young and file_system.is_shared(patient.workspace.path):
        yield unknown(daemon.subject, "its mark is not seen yet, it has just started", "try again in two minutes")
        return
    if not _is_there(patient, daemon):  # it has left meanwhile, and taken its mark along
        return
    text = f"it works in another directory with the same id: {path} on {daemon.host}"
    remedy = f"stop it; if that is a copy, delete its .xpm/workspace.json. Start it in {patient.workspace.path}"
    yield error(daemon.subject, text, remedy)


def _is_there(patient: Patient, daemon: Daemon) -> bool:
    return any(patient.client.exists(keys.worker(patient.w, worker.name)) for worker in daemon.workers)


def _mark_here(workspace: Path, daemon: str) -> Mark | None:
    """The mark of a daemon in this workspace. The folder is listed first, so that a network file system looks anew."""
    try:
        os.listdir(marks_folder(workspace))
        return Mark.read(mark_file(workspace, os.path.basename(daemon)).read_bytes())
    except (OSError, ValueError):
        return None


def _silence(daemon: Daemon) -> Iterator[Finding]:
    for worker in daemon.workers:
        if worker.silent:
            lost = "its job is free for others" if worker.left_s <= 0 else f"its job is free in {span(worker.left_s)}"
            remedy = f"look at it on {worker.host} (pid {worker.pid}), or wait: it is forgotten soon"
            yield warning(f"worker {worker.name}", f"silent for {span(worker.silent_s)}, {lost}", remedy)


def _versions(daemon: Daemon) -> Iterator[Finding]:
    """Versions of xpm and Python that differ from those of this machine."""
    own, theirs = versions(), dict(daemon.mark.versions) if daemon.mark else {}
    theirs["xpm"] = daemon.workers[0].version
    if theirs["xpm"] != own["xpm"]:
        yield warning(daemon.subject, f"xpm {theirs['xpm']}, you have {own['xpm']}", RESTART)
    python = theirs.get("python", "")
    if python and python.split(".")[:2] != own["python"].split(".")[:2]:
        remedy = "start it with the Python of your scripts, if their code or its packages need that"
        yield warning(daemon.subject, f"Python {python}, you have {own['python']}", remedy)


def _machine(daemon: Daemon) -> Iterator[Finding]:
    """The clock and the disk of a daemon's machine."""
    if (mark := daemon.mark) is None:
        return
    if mark.ahead_s is not None and abs(mark.ahead_s) > SKEW_S:
        text = f"the clock of {daemon.host} is {skew(mark.ahead_s)} the server's"
        yield warning(daemon.subject, text, "set the clocks by NTP on both")
    if mark.nonce and mark.free_bytes < LITTLE_BYTES:
        text = f"{mark.free_bytes / 1e6:.0f} MB free in {mark.path} on {daemon.host}"
        yield warning(daemon.subject, text, "free some space there, or ask for a larger quota")


def _left_over(patient: Patient, known: set[str]) -> Iterator[Finding]:
    """Marks of daemons that the server does not know: left over, or of daemons that use another server."""
    old, now_s = [], time.time()
    for file in sorted(marks_folder(patient.workspace.path).glob("*.json")):
        try:
            age_s = now_s - file.stat().st_mtime
        except OSError:  # its daemon has just left
            continue
        if file.stem in known:
            continue
        if age_s > ALONE_S:
            old.append(file)
        elif (mark := _mark_here(patient.workspace.path, file.stem)) and age_s < STALE_S:
            text = f"it works in this directory on {mark.host}, but this server does not know it"
            remedy = f"if it was not killed just now: start it with the address of this server ({patient.view.server})"
            yield warning(f"worker {file.stem}", text, remedy)
    if old:
        yield warning(
            "workers", f"{plural(len(old), 'mark')} left over of workers that are gone", REPAIR, _remover(old)
        )


def _remover(files: list[Path]) -> Any:
    def remove() -> str:
        for file in files:
            file.unlink(missing_ok=True)
        return f"{plural(len(files), 'mark')} of workers that are gone removed"

    return remove
