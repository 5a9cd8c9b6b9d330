"""What RQ's tools read: whether it shows the jobs as they are. It decides nothing, and is written anew from the jobs.

A hash that stands in no list and no registry is not looked for, because RQ's tools do not see it either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from xpm_core.diagnosis.findings import REPAIR, Finding, error, named, ok
from xpm_core.diagnosis.patient import PAGE, Patient
from xpm_core.store import keys, scripts
from xpm_core.store.replies import text_of
from xpm_core.words.text import plural

SUBJECT = "view for RQ"
KINDS = ("wip", "deferred", "scheduled", "finished", "failed", "canceled")
"""RQ's registries."""


def check(patient: Patient) -> Iterator[Finding]:
    """Compare the view with the jobs: each job, each member of a registry, and the list of each queue."""
    wrong, strange, lists = _jobs(patient, 0), _members(patient, 0), _lists(patient, 0)

    def mend() -> str:
        jobs, members, queues = _jobs(patient, 1), _members(patient, 1), _lists(patient, 1)
        return (
            f"{plural(len(jobs), 'job')} and {plural(queues, 'queue')} written anew, "
            f"{plural(members, 'entry').replace('entrys', 'entries')} removed"
        )

    faults = [f"{plural(len(wrong), 'job')} ({named(wrong)})"] if wrong else []
    faults += [f"{strange} in registries where they do not belong"] if strange else []
    faults += [f"the lists of {plural(lists, 'queue')}"] if lists else []
    if faults:
        yield error(SUBJECT, f"RQ's tools are shown wrongly: {'; '.join(faults)}", REPAIR, mend)
    else:
        yield ok(SUBJECT, "RQ's tools are shown the jobs as they are")


def _run(patient: Patient, script: str, key: str, *arguments: Any) -> Any:
    return scripts.run(patient.client, script, [key], [patient.w, *arguments])


def _jobs(patient: Patient, repair: int) -> list[str]:
    """The jobs that the view shows wrongly."""
    found: list[str] = []
    for page in patient.pages("view for RQ", list(patient.jobs)):
        found += map(text_of, _run(patient, "view_jobs", keys.counts(patient.w), " ".join(page), repair))
    return found


def _members(patient: Patient, repair: int) -> int:
    """How many members of registries do not belong there."""
    count = 0
    for queue in _queues(patient):
        for kind in KINDS:
            key = keys.rq_registry(kind, patient.w, queue)
            if patient.client.type(key) != b"zset":  # a key of another type shows up with its jobs
                continue
            members = (text_of(member) for member, _ in patient.client.zscan_iter(key, count=PAGE))
            while page := list(islice(members, PAGE)):
                count += int(_run(patient, "view_members", key, queue, kind, json.dumps(page), repair))
    return count


def _lists(patient: Patient, repair: int) -> int:
    """How many lists of queues do not hold the ready jobs."""
    lists = (_run(patient, "view_list", keys.queues(patient.w), queue, repair) for queue in _queues(patient))
    return sum(map(int, lists))


def _queues(patient: Patient) -> list[str]:
    """The queues of the workspace, also those that only RQ's tools are shown."""
    found = set(map(text_of, patient.client.smembers(keys.queues(patient.w))))
    first, last = keys.rq_queue(patient.w, "\0").split("\0")
    if patient.client.type(keys.rq_queues) == b"set":
        shown = map(text_of, patient.client.smembers(keys.rq_queues))
        found |= {name[len(first) : -len(last)] for name in shown if name.startswith(first) and name.endswith(last)}
    return sorted(name for name in found if name)
