"""Decide what may go.

A job may go if it has ended, nobody can be running it, and no job that stays needs it. Whether the server agrees is
found out once more, job by job, when it is removed (removal.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Set

from xpm_core.cleaning.code.freeing import Freeing
from xpm_core.cleaning.facts import ENDED, Facts
from xpm_core.cleaning.leftovers import leftovers
from xpm_core.cleaning.places import listed
from xpm_core.cleaning.records import Item, Kind, Left, Plan, Wanted, Why
from xpm_core.cleaning.runs import Run
from xpm_core.labels import short
from xpm_core.states import Event, State

FRESH_S = 86400.0
"""A job that the server has lost sight of may still run unless its directory was silent for so long, seconds."""
SET_ASIDE_S = 60.0
"""How long a worker may take to set a directory aside, seconds."""
UNSUCCESSFUL = (State.FAILED, State.CANCELLED)

_OLD = re.compile(r"([0-9a-f]{64})-(\d+)-[0-9a-f]{8}")


def plan(facts: Facts, wanted: Wanted) -> Plan:
    """What may go of what somebody wants to remove."""
    found = Plan(strange=list(facts.places.strange))
    gone = _runs(facts, wanted, found)
    _jobs(facts, wanted, gone, found)
    if wanted.old:
        _old(facts, wanted, found)
    if wanted.orphans:
        found.items += [item for item in leftovers(facts) if wanted.is_older(item.changed_s)]
    if not wanted.nothing:
        found.items += [_item(facts, Kind.TRASH, path, "of an earlier removal") for path in facts.places.trash]
        _code(facts, wanted, found)
    return found


def _runs(facts: Facts, wanted: Wanted, found: Plan) -> list[Run]:
    """Add the runs that go. A run whose script may still name jobs stays, and one whose jobs have not ended."""
    if wanted.keep_runs is None:
        return []
    gone: list[Run] = []
    for run in facts.runs.beyond(wanted.keep_runs):
        relative = run.path.relative_to(facts.workspace.path).as_posix()
        item = _item(facts, Kind.RUNS, relative, f"{run.experiment} {run.path.name}")
        if run.names_any(facts.unfinished) or _may_name_more(facts, run):
            found.keep(Why.IN_USE)
        elif wanted.is_older(item.changed_s):
            gone.append(run)
            found.items.append(item)
    found.unnamed = len((facts.runs.named() - facts.runs.named(gone)) & facts.known) if gone else 0
    return gone


def _may_name_more(facts: Facts, run: Run) -> bool:
    """Whether the script of a run may still name jobs, and let them need those that it has named before."""
    relative = run.path.relative_to(facts.workspace.path).as_posix()
    return not run.ended and not facts.is_silent(relative, FRESH_S)


def _jobs(facts: Facts, wanted: Wanted, gone: list[Run], found: Plan) -> None:
    """Add the jobs that go: those that are wanted, less all that other jobs need."""
    wanting = _wanted_jobs(facts, wanted, gone)
    in_use = wanting.keys() & facts.runs.named_by(lambda run: _may_name_more(facts, run))
    fresh = {identity for identity in wanting.keys() - in_use if _may_run(facts, identity)}
    going = {identity: kind for identity, kind in wanting.items() if identity not in fresh | in_use}
    if going:
        needed = facts.needs.closure(facts.known - going.keys(), lambda count: facts.tick("dependencies", count))
        _say_needed(facts, going.keys() & needed, going.keys(), found)
        going = {identity: kind for identity, kind in going.items() if identity not in needed}
    found.keep(Why.FRESH, len(fresh))
    found.keep(Why.NAMED, len(in_use))
    found.items += [_job_item(facts, identity, kind) for identity, kind in going.items()]


def _say_needed(facts: Facts, needed: Set[str], going: Set[str], found: Plan) -> None:
    """Count the jobs that stay because others need them; apart, those that only blocked jobs need."""
    blocked = {each for each, job in facts.jobs.items() if job.state is State.BLOCKED} if needed else set()
    others = facts.needs.closure(facts.known - going - blocked) if blocked else needed
    found.keep(Why.NEEDED, len(needed & others))
    found.keep(Why.BLOCKED, len(needed - others))


def _wanted_jobs(facts: Facts, wanted: Wanted, gone: list[Run]) -> dict[str, Kind]:
    """The jobs that somebody wants to remove and that have ended, as far as is known, each with its kind."""
    named = facts.runs.named(gone) if wanted.orphans else set()
    found: dict[str, Kind] = {}
    for identity in facts.known - facts.places.fixed.keys():
        job = facts.jobs.get(identity)
        if job is not None and job.state not in ENDED:
            continue
        if wanted.failed and facts.state(identity) in UNSUCCESSFUL:
            found[identity] = Kind.FAILED
        elif wanted.orphans and identity not in named:
            found[identity] = Kind.ORPHANS
    return {identity: kind for identity, kind in found.items() if wanted.is_older(facts.changed_s(identity))}


def _may_run(facts: Facts, identity: str) -> bool:
    """Whether an execution of a job may still run, or its worker come back, although the server knows of none.

    That is so if the server does not know the job, and if it has lost sight of the job's worker.
    """
    job, relative = facts.jobs.get(identity), facts.places.jobs.get(identity)
    if job is not None and job.reason != Event.LOST.value:
        return False
    if job is not None and facts.now_s - job.ended_s < FRESH_S:
        return True
    return relative is not None and not facts.is_silent(relative, FRESH_S)


def _old(facts: Facts, wanted: Wanted, found: Plan) -> None:
    """Add what retries have set aside. What a worker may be setting aside just now stays."""
    folder = facts.workspace.path / "old"
    if folder.is_symlink():
        found.strange.append(Left("old", "it is a link"))
        return
    for task in listed(folder):
        if task.is_symlink() or not task.is_dir():
            found.strange.append(Left(f"old/{task.name}", "it was not put there by xpm"))
            continue
        for entry in listed(folder / task.name):
            relative, match = f"old/{task.name}/{entry.name}", _OLD.fullmatch(entry.name)
            if match is None or entry.is_symlink():
                found.strange.append(Left(relative, "it was not put there by xpm"))
            elif _is_being_set_aside(facts, match[1], entry):
                found.keep(Why.MOVED)
            elif wanted.is_older(facts.size(relative).newest_s):
                what = f"{short(match[1])}  {facts.what(match[1])}, attempt {match[2]}"
                found.items.append(_item(facts, Kind.OLD, relative, what))


def _code(facts: Facts, wanted: Wanted, found: Plan) -> None:
    """Add the code that nobody names once all that is gone; with `orphans`, also what nobody names already."""
    gone = [item for item in found.items if item.kind in (Kind.OLD, Kind.FAILED, Kind.ORPHANS)]
    freeing = Freeing(facts.code, facts.naming, lambda count: facts.tick("records of code", count))
    found.items += freeing.items(gone, everything=wanted.orphans, is_older=wanted.is_older)
    found.strange += facts.naming.unknown


def _is_being_set_aside(facts: Facts, identity: str, entry: os.DirEntry[str]) -> bool:
    job = facts.jobs.get(identity)
    runs = job is not None and job.state is State.RUNNING
    return runs and facts.now_s - entry.stat(follow_symlinks=False).st_ctime < SET_ASIDE_S


def _item(facts: Facts, kind: Kind, relative: str, what: str) -> Item:
    size = facts.size(relative)
    return Item(kind, relative, what=what, changed_s=size.newest_s, size=size.bytes)


def _job_item(facts: Facts, identity: str, kind: Kind) -> Item:
    relative, job = facts.places.jobs.get(identity, ""), facts.jobs.get(identity)
    state = facts.state(identity)
    return Item(
        kind=kind,
        path=relative,
        identity=identity,
        what=facts.what(identity),
        state=state.value if state else "",
        execution=job.execution if job else "",
        changed_s=facts.changed_s(identity),
        size=facts.size(relative).bytes if relative else 0,
    )
