"""The links from experiments to the directories of their jobs: those that lead nowhere, and those that are missing."""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from xpm_core.diagnosis.findings import NAMED, REPAIR, Finding, ok, unknown, warning
from xpm_core.diagnosis.patient import Patient
from xpm_core.errors import WorkspaceError
from xpm_core.index.merged import MergedIndex
from xpm_core.language.graph.tags import name_from_tags
from xpm_core.store import keys
from xpm_core.store.replies import map_of, text_of
from xpm_core.words.text import plural
from xpm_core.workspace.job_links import JobLinks

SUBJECT = "links"
MOMENT_S = 1.0
"""How long a script may take to make links after the server has learnt of the jobs, seconds."""
TARGET = re.compile(r"\.\./\.\./\.\./\.\./jobs/[a-z0-9_-][a-z0-9._-]*/([0-9a-f]{64})")
NAME = re.compile(r"[0-9a-f]{7,64}")
"""How the name of a link ends."""


@dataclass
class Links:
    """The links of all experiments.

    Attributes:
        root: The folder of all experiments.
        jobs: By experiment, the jobs that it has links to.
        damaged: Links that lead to no place of a job.
        dangling: Links to the directories of jobs that do not exist: each with the job's identity.
        strange: Files, folders, and links with a name that no script gives.
    """

    root: Path
    jobs: dict[str, set[str]] = field(default_factory=dict)
    damaged: list[Path] = field(default_factory=list)
    dangling: list[tuple[Path, str]] = field(default_factory=list)
    strange: list[Path] = field(default_factory=list)


def check(patient: Patient) -> Iterator[Finding]:
    """Compare the links with the experiments of the server, and with the directories."""
    links = read_links(patient)
    faults = [*_of_files(links)]
    if patient.away:
        yield from faults
        yield unknown(SUBJECT, "whether some are missing is not known, because the server cannot be had")
        return
    if dead := _dead(patient, links):
        text = f"{plural(len(dead), 'link')} to jobs that nobody knows: {_named(dead, links.root)}"
        faults.append(warning(SUBJECT, text, REPAIR, _remover(dead, "to jobs that nobody knows")))
    if missing := _missing(patient, links):
        count = sum(map(len, missing.values()))
        text = f"{plural(count, 'job')} without a link in {', '.join(sorted(missing)[:NAMED])}"
        faults.append(warning(SUBJECT, text, REPAIR, _maker(patient, missing)))
    yield from faults
    if not faults:
        yield ok(SUBJECT, f"{sum(map(len, links.jobs.values()))} from experiments to their jobs")


def read_links(patient: Patient) -> Links:
    """Read the links of all experiments."""
    links = Links(root := patient.workspace.path / "experiments")
    for experiment in _listed(root):
        jobs = links.jobs.setdefault(experiment, set())
        for task in _listed(root / experiment / "jobs"):
            folder = root / experiment / "jobs" / task
            if _is_no_folder(folder):
                links.strange.append(folder)
                continue
            names = _listed(folder)
            for name in patient.counted(f"links of {experiment}", names, len(names)):
                _sort_in(patient, links, jobs, folder / name)
    return links


def _sort_in(patient: Patient, links: Links, jobs: set[str], link: Path) -> None:
    try:
        target = os.readlink(link)
    except FileNotFoundError:
        return
    except OSError:
        links.strange.append(link)
        return
    found = TARGET.fullmatch(target)
    if not NAME.fullmatch(link.name.rpartition("-")[2]):
        links.strange.append(link)
    elif found is None or not found[1].startswith(link.name.rpartition("-")[2]):
        links.damaged.append(link)
    else:
        jobs.add(found[1])
        if found[1] not in patient.on_disk:
            links.dangling.append((link, found[1]))


def _dead(patient: Patient, links: Links) -> list[Path]:
    """The links to jobs that nobody knows. The server is asked anew, because a script may just have submitted them."""
    known = patient.jobs.keys() | MergedIndex(patient.workspace.path).read().keys()
    strangers = {identity for _, identity in links.dangling if identity not in known}
    strangers -= patient.read(sorted(strangers)).keys()
    return [link for link, identity in links.dangling if identity in strangers]


def _of_files(links: Links) -> Iterator[Finding]:
    if links.damaged:
        text = f"{plural(len(links.damaged), 'link')} to no place of a job: {_named(links.damaged, links.root)}"
        yield warning(SUBJECT, text, REPAIR, _remover(links.damaged, "to no place of a job"))
    if links.strange:
        named = _named(links.strange, links.root)
        text = f"{plural(len(links.strange), 'file')} there that no script has made: {named}"
        yield warning(SUBJECT, text, "move what you have put there elsewhere")


def _missing(patient: Patient, links: Links) -> dict[str, set[str]]:
    """By experiment, the jobs of the server that it has no link to, even a moment later."""
    deadline = time.monotonic() + MOMENT_S
    while True:
        found = {}
        for name in patient.view.reader.experiments.names():
            members = patient.client.sscan_iter(keys.experiment_jobs(patient.w, name), count=1000)
            without = set(map(text_of, members)) - links.jobs.get(name, set())
            if without := {each for each in without if each in patient.jobs and patient.jobs[each].task}:
                found[name] = without
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(MOMENT_S / 5)
        links.jobs = read_links(patient).jobs


def _maker(patient: Patient, missing: dict[str, set[str]]) -> Callable[[], str]:
    def make() -> str:
        count = 0
        for experiment, identities in missing.items():
            links = JobLinks(patient.workspace.experiment(experiment))
            for identity in sorted(identities):
                with suppress(WorkspaceError):  # the next look names it again
                    links.add(patient.directory(patient.jobs[identity]), _tags(patient, identity))
                    count += 1
        return f"{plural(count, 'link')} made"

    return make


def _tags(patient: Patient, identity: str) -> str:
    """The tags of a job in one word, by the server, or by the job's directory; empty if both have forgotten them."""
    found = map_of(patient.client.hget(keys.job(patient.w, identity), "tags"))
    if not found:
        try:
            found = json.loads(patient.directory(patient.jobs[identity]).params.read_bytes()).get("tags", {})
        except (OSError, ValueError, AttributeError):
            found = {}
    plain = {name: value for name, value in sorted(found.items()) if isinstance(value, (str, int, float))}
    return name_from_tags(plain) if plain else ""


def _remover(links: list[Path], which: str) -> Callable[[], str]:
    def remove() -> str:
        for link in links:
            if link.is_symlink():
                link.unlink(missing_ok=True)
        return f"{plural(len(links), 'link')} {which} removed"

    return remove


def _named(paths: list[Path], root: Path) -> str:
    return ", ".join(f"{path.relative_to(root).parts[0]}/{path.name}" for path in paths[:NAMED]) + (
        ", …" if len(paths) > NAMED else ""
    )


def _is_no_folder(path: Path) -> bool:
    """Whether something else than a folder lies there. A folder that somebody removes meanwhile is none."""
    try:
        return not stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []
