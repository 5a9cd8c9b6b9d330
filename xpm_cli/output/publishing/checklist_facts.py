"""What a paper must state of an experiment, as plain data: the JSON form of `xpm checklist`.

Owns: its fields (docs/reference/schemas/checklist.json), and how hours are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.publishing.attempts import Attempt, Attempts
from xpm_cli.lookup.publishing.tried import Tried, foreign_in, given_up, jobs_of, removed, tried
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_core.labels import LIVE
from xpm_core.results.foreign import ForeignRun, foreign_notes
from xpm_core.states import State

HOUR_S = 3600.0
UNSETTLED = (State.RUNNING, State.READY, State.WAITING, State.DELAYED)
MACHINE = ("cpu", "cores", "memory_bytes", "gpus", "driver", "system")

Item = TypeVar("Item")


@dataclass(frozen=True)
class ChecklistFacts:
    """The facts of an experiment.

    Attributes:
        opened: The workspace.
        experiment: The name of the experiment.

    Raises:
        UnknownExperimentError: There is no such experiment.
    """

    opened: OpenWorkspace
    experiment: str

    @cached_property
    def rows(self) -> list[Any]:
        """Its jobs."""
        return jobs_of(self.opened, self.experiment)

    @cached_property
    def attempts(self) -> Attempts:
        """The attempts of its jobs."""
        return Attempts.of(self.opened, self.rows)

    @cached_property
    def tasks(self) -> list[Tried]:
        """What was tried, by task."""
        return tried(self.opened, self.rows)

    @cached_property
    def foreign(self) -> list[ForeignRun]:
        """The runs in its tables that xpm has not made."""
        return foreign_in(self.opened, self.experiment)

    @cached_property
    def removed(self) -> int:
        """How many jobs it had that somebody has removed."""
        return removed(self.opened, self.experiment, self.rows)

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": SCHEMA,
            "experiment": self.experiment,
            "time": moment(self.opened.now_s),
            "source": self.opened.view.server,
            "jobs": self._jobs(),
            "attempts": self._attempts(),
            "compute": self._compute(),
            "hardware": self._hardware(),
            "search": [
                {
                    "task": task.name,
                    "name": column.name,
                    "kind": column.kind,
                    "values": task.values(column),
                }
                for task in self.tasks
                for column in task.varying
            ],
            "seeds": [
                {"task": task.name, "name": name, "values": values, "varies": len(values) > 1}
                for task in self.tasks
                for name, values in task.seeds().items()
            ],
            "repeats": self._repeats(),
            "sampling": self._sampling(),
            "packages": self._packages(),
            "code": self._code(),
            "notes": list(self._notes()),
        }

    def _jobs(self) -> dict[str, Any]:
        states = Counter(row.state.value if row.state else "unknown" for row in self.rows)
        left = given_up(self.opened, self.experiment, self.rows)
        return {
            "total": len(self.rows),
            "states": {word: states[word] for word in [*(state.value for state in State), "unknown"] if states[word]},
            "tasks": {task.name: len(task.table) for task in self.tasks},
            "given_up": None if left is None else len(left),
            "removed": self.removed,
            "imported": len(self.attempts.imported),
            "foreign": len(self.foreign),
        }

    def _attempts(self) -> dict[str, Any]:
        found = self.attempts
        return {
            "total": len(found.ended) + found.unrecorded,
            "counting": len(found.counting),
            "discarded": dict(Counter(_discarded(each) for each in found.ended if not each.counts)),
            "unrecorded": found.unrecorded,
        }

    # -- compute and hardware --------------------------------------------------------------------------------------

    def _compute(self) -> dict[str, Any]:
        ended = self.attempts.ended
        by_task = _grouped(ended, lambda attempt: attempt.row.name or "?")
        return {
            **_hours(ended),
            "hours_that_count": _hours(self.attempts.counting)["hours"],
            "tasks": [
                {"task": name, "attempts": len(found), **_hours(found), **_per_result(found)}
                for name, found in by_task.items()
            ],
        }

    def _hardware(self) -> list[dict[str, Any]]:
        found = []
        for attempts in _grouped(self.attempts.ended, _place).values():
            first = attempts[0]
            devices = Counter(each.devices for each in attempts if each.devices is not None)
            facts = {name: first.machine.get(name) for name in MACHINE}
            hours = _hours(attempts)["hours"]
            counts = {"attempts": len(attempts), "hours": hours, "devices": dict(sorted(devices.items()))}
            found.append({"host": first.host or None, **facts, **counts})
        return sorted(found, key=lambda each: -each["hours"])

    # -- repetitions, packages and code ----------------------------------------------------------------------------

    def _repeats(self) -> list[dict[str, Any]]:
        reporting = [task for task in self.tasks if task.reports] or self.tasks
        return [{"task": task.name, **vars(task.repeats)} for task in reporting]

    def _sampling(self) -> list[dict[str, Any]]:
        """How samplings of its jobs have ended, as `xp.until` has written it."""
        tasks = {row.identity: row.name or "?" for row in self.rows}
        found = []
        for name in sorted({self.experiment, *(name for row in self.rows for name in row.experiments)}):
            for each in self.opened.workspace.experiment(name).samplings():
                mine = [tasks[job] for job in each.jobs if job in tasks]
                if mine and each.is_of(len(mine)):
                    about = {name: value for name, value in each._asdict().items() if name != "jobs"}
                    found.append({"task": mine[0], **about, "over": list(each.over)})
        return found

    def _packages(self) -> dict[str, Any]:
        """Of the attempts that count: the environments, and the versions that packages had in these."""
        environments: list[dict[str, Any]] = []
        versions: dict[str, set[str]] = {}
        for (python, digest), attempts in _grouped(self.attempts.counting, _environment).items():
            code = attempts[0].code
            facts = {"python": python or None, "packages": digest or None, "known": bool(code.versions)}
            environments.append({**facts, "jobs": len(attempts)})
            for name, version in code.versions.items():
                versions.setdefault(name, set()).add(version)
        return {
            "environments": environments,
            "versions": {name: sorted(versions[name], key=str) for name in sorted(versions)},
        }

    def _code(self) -> list[dict[str, Any]]:
        """Of the attempts that count: which code they ran, and which of its files differ now."""
        found = []
        for attempts in _grouped(self.attempts.counting, _ran).values():
            code, git = attempts[0].code, attempts[0].record.get("git")
            known = git if isinstance(git, dict) else {}
            trees = code.provenance.trees if code.provenance else ()
            state = next((tree.git for tree in trees if tree.git is not None), None)
            found.append(
                {
                    "snapshot": (code.snapshot or LIVE) if code.known else None,
                    "commit": known.get("commit") or None,
                    "branch": (state.branch if state else "") or None,
                    "dirty": bool(known.get("dirty")) if known else None,
                    "script": (code.provenance.script if code.provenance else "") or None,
                    "jobs": len(attempts),
                    "changed_files": code.changed(),
                }
            )
        return found

    def _notes(self) -> Iterable[str]:
        found = self.attempts
        yield from self.opened.view.notes
        if found.gone:
            yield f"Done jobs without a record of the attempt that counts: {len(found.gone)}. Their hours are unknown."
        if found.unrecorded:
            yield f"Attempts that have left no record: {found.unrecorded}. Their hours are not known."
        if untimed := sum(attempt.seconds is None for attempt in found.ended):
            yield f"Attempts whose record does not say how long they took: {untimed}. Their hours are not known."
        if unsaid := sum(attempt.cpu_s is None for attempt in found.ended):
            yield f"Attempts whose record does not say their hours of processors: {unsaid}. The sum lacks these."
        if found.imported:
            yield f"Imported jobs: {len(found.imported)}. They ran elsewhere, and their hours are in the sums."
        for note in foreign_notes(self.foreign):
            yield f"{note} What they took, and what they ran with, is not known here, and is in no sum."
        if unsettled := sum(row.state in UNSETTLED for row in self.rows):
            yield f"Jobs that have not ended: {unsettled}. The facts are those of now."
        if shared := sum(len(row.experiments) > 1 for row in self.rows):
            yield f"Jobs that other experiments have, too: {shared}. Their hours are in the sums."
        if self.removed:
            yield "Jobs were removed from the workspace. Their attempts and hours are not in the sums."
        yield "Hours are those of attempts: of two that run at once on one machine, both count."


def _discarded(attempt: Attempt) -> str:
    """Why an attempt does not count: how it ended, or "replaced" if it was done and the job has run again."""
    return "replaced" if attempt.outcome == "done" else attempt.outcome


def _hours(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The hours of attempts, of processors and of devices: of the attempts that say them, and how many do not.

    Those of devices are null if no attempt says them.
    """
    seconds = [(attempt.seconds or 0.0, attempt) for attempt in attempts]
    devices = [(took, attempt.device_count) for took, attempt in seconds]
    known = [took * count for took, count in devices if count is not None]
    return {
        "hours": sum(took for took, _ in seconds) / HOUR_S,
        "cpu_hours": sum(attempt.cpu_s or 0.0 for attempt in attempts) / HOUR_S,
        "device_hours": sum(known) / HOUR_S if known or not devices else None,
        "devices_unknown": len(devices) - len(known),
    }


def _per_result(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """How many results there are, and how many hours each took: of its own attempt, and with all that do not count."""
    counting = [attempt for attempt in attempts if attempt.counts]
    if not counting:
        return {"results": 0, "hours_per_result": None, "hours_per_result_with_discarded": None}
    mine, all_hours = _hours(counting)["hours"], _hours(attempts)["hours"]
    return {
        "results": len(counting),
        "hours_per_result": mine / len(counting),
        "hours_per_result_with_discarded": all_hours / len(counting),
    }


def _place(attempt: Attempt) -> Hashable:
    return attempt.host, repr([attempt.machine.get(name) for name in MACHINE])


def _environment(attempt: Attempt) -> tuple[str, str]:
    return attempt.code.python, attempt.code.packages_digest


def _ran(attempt: Attempt) -> Hashable:
    return attempt.code.known, attempt.code.snapshot, repr(attempt.record.get("git"))


Key = TypeVar("Key", bound=Hashable)


def _grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> Mapping[Key, list[Item]]:
    found: dict[Key, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found
