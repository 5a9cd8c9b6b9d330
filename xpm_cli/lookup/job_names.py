"""Which jobs a name on the command line means."""

from __future__ import annotations

from pathlib import Path

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.errors import AmbiguousJobError, UnknownExperimentError, UnknownJobError
from xpm_core.reading.jobs import Job
from xpm_core.states import State


def job_named(opened: OpenWorkspace, name: str) -> Job:
    """The job that a name means: a prefix of its identity, task/prefix, its directory, `last` or `failed`.

    Raises:
        UnknownJobError: No job has that name.
        AmbiguousJobError: Several have.
    """
    found = _jobs_named(opened, name)
    if not found:
        raise UnknownJobError(name)
    if len(found) > 1:
        raise AmbiguousJobError(name, tuple(job.identity for job in found))
    return found[0]


def jobs_of_experiment(opened: OpenWorkspace, name: str) -> list[Job]:
    """The jobs of an experiment, of all its runs, in the order of their submission.

    Raises:
        UnknownExperimentError: There is no such experiment.
    """
    known = [experiment.name for experiment in opened.reader.experiments.read()]
    if name not in known:
        raise UnknownExperimentError(name, tuple(known))
    jobs = opened.reader.jobs.read(opened.reader.experiments.identities(name))
    return sorted(jobs, key=lambda job: job.submitted_s)


def _jobs_named(opened: OpenWorkspace, name: str) -> list[Job]:
    if name in ("last", "failed"):
        return opened.every_job(*([State.FAILED] if name == "failed" else []))[:1]
    if identity := _identity_in(Path(name), opened):
        return opened.reader.jobs.read([identity])
    if "/" in name:
        task, _, prefix = name.rpartition("/")
        known = [job for job in opened.every_job() if job.name.lower() == task.lower()]
        return [job for job in known if job.identity.startswith(prefix)]
    return opened.reader.jobs.read([opened.reader.jobs.find(name.lower())])


def _identity_in(path: Path, opened: OpenWorkspace) -> str:
    """The identity of the job whose directory, or a link to it, a path is; empty if it is none."""
    place = path.expanduser().resolve()
    return place.name if opened.workspace.path / "jobs" in place.parents and len(place.name) == 64 else ""
