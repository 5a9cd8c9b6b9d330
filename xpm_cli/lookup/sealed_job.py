"""What a job runs, as its script has sealed it: from the server, or from the directory of a job that is done.

Owns: whom to believe. The code of the job is about to be imported, so if XPM_SIGNING_KEY is set, its signature is
verified. Without a key, a file that another user has written is not believed. What an imported job runs was made by
somebody else: it is run only if the user has said that he trusts it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.errors import DebugError, ForgottenJobError, UnknownJobError
from xpm_core.labels import bare_class, label, short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.store.records import Submission
from xpm_core.store.replies import shown
from xpm_core.wire import signing
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobSpec

ENDED_BADLY = (State.FAILED, State.CANCELLED)


class SealedJob(NamedTuple):
    """A job that can be run.

    Attributes:
        spec: What it runs.
        needs: Identities of the jobs that it needs.
    """

    spec: JobSpec
    needs: Sequence[str]


def verified(opened: OpenWorkspace, spec: JobSpec) -> JobSpec:
    """Return what a job runs, if XPM_SIGNING_KEY is not set, or if the job is signed with it.

    Raises:
        SignatureError: It is not.
    """
    if (key := signing.key_in(os.environ)) is not None:
        signing.verify(key, opened.workspace.id, spec)
    return spec


def imported_from(mark: Mapping[str, Any]) -> str:
    """From where a job was imported: `digits.tar, exported by alice on head`.

    Args:
        mark: What `JobDirectory.imported` returns.
    """
    file, by, on = (shown(mark.get(name)) for name in ("file", "exported_by", "exported_on"))
    return f"{file or 'a file'}{f', exported by {by}' if by else ''}{f' on {on}' if on else ''}"


def distrust(directory: JobDirectory, *, trusts: bool, given: Collection[str] = ()) -> tuple[str, str] | None:
    """Why that is not run which the directory of a job keeps, and what to do; None if it may be run.

    Args:
        directory: The directory of the job.
        trusts: Whether the user has said that he trusts who has made it (`--trust`).
        given: Names of variables that the job gets from elsewhere.
    """
    mark = directory.imported()
    if mark is None:
        return None
    if not trusts:
        problem = f"it was imported ({imported_from(mark)}), so somebody else decides what it runs"
        return problem, "If you trust that, give --trust. Else run its script yourself."
    hidden = mark.get("hidden")
    names = [str(name) for name in hidden if name not in given] if isinstance(hidden, list) else []
    if names:
        problem = f"it was exported without the values of {shown(', '.join(names))}, which may be secret"
        return problem, "Run its script, which sets them."
    return None


def vouched(opened: OpenWorkspace, row: JobRow, kept: Submission | None) -> Submission | None:
    """What a trusted job runs. That of an imported job is signed, if XPM_SIGNING_KEY is set: else no worker took it."""
    key = signing.key_in(os.environ)
    if kept is None or key is None or not opened.directory(row).is_imported():
        return kept
    return kept._replace(spec=signing.signed(key, opened.workspace.id, kept.spec))


def sealed_job(opened: OpenWorkspace, row: JobRow, *, trusts: bool = False) -> SealedJob:
    """Return what a job runs, and what it needs.

    Args:
        opened: The workspace.
        row: The job.
        trusts: Whether to run what an imported job runs. It is not signed.

    Raises:
        DebugError: It is not known, it is not believed, or this xpm cannot run it.
        ForgottenJobError: Only the index knows the job.
        SignatureError: See `verified`.
        XpmError: Only the server knows it, and it cannot be had.
    """
    found = _kept(opened, row, trusts)
    imported = found is not None and opened.directory(row).is_imported()
    if found is None:
        try:
            spec = opened.reader.jobs.spec(row.identity)
        except UnknownJobError:
            raise ForgottenJobError(row.identity) from None
        found = SealedJob(spec, opened.reader.jobs.needs(row.identity))
    spec = found.spec if imported else verified(opened, found.spec)
    if unknown := spec.options.unknown:
        problem = f"it has the option {unknown[0]!r}, which this version does not know"
        raise DebugError(spec.label, problem, "Use the version with which it was submitted.")
    if problem := next(spec.options.problems(), ""):
        raise DebugError(spec.label, problem, "It was not written by this xpm: submit the job again.")
    return found


def _kept(opened: OpenWorkspace, row: JobRow, trusts: bool) -> SealedJob | None:
    """A done job, by its directory: the server forgets what it runs. None for another job."""
    directory = opened.directory(row)
    if row.state is not State.DONE and not (row.state is None and directory.is_marked()):
        return None
    name = label(bare_class(row.task or ""), row.identity)
    if distrusted := distrust(directory, trusts=trusts, given=os.environ):
        raise DebugError(name, *distrusted)
    own = signing.key_in(os.environ) is None or directory.is_imported()
    kept = directory.kept(row.task or "", own=own)
    if kept is not None:
        return SealedJob(kept.spec, kept.needs)
    if own and directory.kept(row.task or "") is not None:
        problem = f"{directory.path} says what it runs, and belongs to another user"
        raise DebugError(name, problem, "Run its script yourself, or set XPM_SIGNING_KEY if the job is signed.")
    remedy = f"Remove it, and run its script again: {directory.path}."
    raise DebugError(name, "its directory does not say what it runs", remedy)


def check_inputs(opened: OpenWorkspace, job: SealedJob) -> None:
    """Make sure that the jobs which a job needs are done, and that their directories are there.

    Raises:
        DebugError: One is not; it says which.
    """
    rows = {row.identity: row for row in opened.view.rows(job.needs)}
    for need in job.needs:
        row = rows.get(need)
        if row is None:
            raise DebugError(job.spec.label, f"it needs job {short(need)}, which nobody knows", "Run its script again.")
        if problem := _lacking(opened, row):
            raise DebugError(job.spec.label, f"it needs {opened.title(row)} {short(need)}, {problem[0]}", problem[1])


def _lacking(opened: OpenWorkspace, row: JobRow) -> tuple[str, str] | None:
    """Why what a job has made cannot be used, and what to do; None if it can."""
    directory, commands = opened.directory(row), opened.commands
    place: Path = directory.path
    if row.state is not State.DONE and not (row.state is None and directory.is_marked()):
        word = row.state.value if row.state else "not known to be done"
        if row.state in ENDED_BADLY:
            return f"which is {word}", f"Run that first: {commands.retry(row.identity)}"
        return f"which is {word}", f"See when it ends: {commands.show(row.identity)}"
    if not place.is_dir():
        return f"whose directory is gone ({place})", f"Run that again: {commands.retry(row.identity)}"
    return None
