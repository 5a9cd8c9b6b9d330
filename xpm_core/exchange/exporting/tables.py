"""The lists of jobs in an export: one for programs, one for spreadsheets; and the text that explains the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from xpm_core.exchange.exporting.selection import ChosenJob
from xpm_core.exchange.layout import ExportRecord, is_moment
from xpm_core.words.csv_line import csv_line
from xpm_core.words.text import amount, plural
from xpm_core.workspace.reported.results_file import results_in
from xpm_core.workspace.reported.values import finite

README_TEXT = """\
{experiment}: {jobs}, {size}
Written by {user} on {host}, {time}, with xpm {version} (https://pypi.org/project/xpm-queue).

You can read all of this as it is. With xpm, a colleague takes it into a workspace:
    xpm import FILE --workspace DIR

jobs.csv       one row for each job: what it is, its tags, its parameters, its results, how it ended, which code it ran
jobs.json      the same for programs, with all parameters
jobs/TASK/ID/  the directory of each job: what it wrote and printed (*.out, *.err), params.json with its parameters,
               results.json with its results, and .xpm/: how each attempt went (executions), what it ran (handed.json),
               and why its result still stands with later code (accepted.jsonl)
runs/TIME/     each run of the experiment's script: its results and its log
sampled.jsonl  how each sampling of seeds has ended, if there were any
code/ID/       the code that jobs ran, as plain files. "code" in jobs.csv says which job ran which
documents/     what code and environment are made of, named by SHA-256: the list of a snapshot's files (snapshots),
               how jobs came to be submitted (provenance), installed packages (packages), what jobs ran
               (ran)
parts/, arguments/   what the jobs' payloads refer to, named by SHA-256

An identity (ID) is the SHA-256 of a job's task and parameters.
{notes}"""


def job_rows(
    jobs: Sequence[ChosenJob], folders: Mapping[str, str], hidden: Mapping[str, list[str]], results: bool = True
) -> list[Any]:
    """The content of jobs.json; `results` says whether it may have what the jobs have reported."""
    return [_row(job, folders, hidden.get(job.identity, []), results) for job in jobs]


def _row(job: ChosenJob, folders: Mapping[str, str], hidden: list[str], results: bool) -> dict[str, Any]:
    records = job.directory.records()
    record = records[-1] if records else {}
    counting = job.entry.end.execution if job.entry.end else ""
    counted = next((each for each in records if each.get("execution") == counting), record)
    snapshot = job.kept.spec.options.snapshot
    return {
        "identity": job.identity,
        "task": job.task,
        "state": job.state,
        "own": job.own,
        "tags": dict(job.entry.tags),
        "parameters": dict(job.entry.params),
        "code": folders.get(snapshot) or None,
        "started": _moment(record.get("started_s")),
        "ended": _moment(record.get("ended_s")),
        "host": record.get("host"),
        "attempts": len(records),
        "needs": sorted(job.kept.needs),
        "directory": job.directory.relative,
        "hidden": hidden,
        "results": {name: finite(value) for name, value in results_in(counted).items()} if results else {},
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The content of jobs.csv."""
    tags = list(dict.fromkeys(name for row in rows for name in row["tags"]))
    names = list(dict.fromkeys(name for row in rows for name in row["parameters"]))
    results = list(dict.fromkeys(name for row in rows for name in row["results"]))
    plain = ("identity", "task", "state", "code", "started", "ended", "host", "directory")
    header = [*plain, *(f"tag:{name}" for name in tags), *names, *(f"result:{name}" for name in results)]
    lines = [csv_line(header)]
    for row in rows:
        values = [row[name] for name in plain]
        values += [row["tags"].get(name) for name in tags]
        values += [row["parameters"].get(name) for name in names]
        values += [row["results"].get(name) for name in results]
        lines.append(csv_line(map(_cell, values)))
    return "".join(lines)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, (dict, list, bool)) else value


def readme(record: ExportRecord) -> str:
    """The content of README.txt."""
    notes = []
    if not record.results:
        notes.append("It has no results: neither what jobs wrote nor what they printed. So it cannot be imported.")
    if record.hidden:
        names = sorted({name for each in record.hidden.values() for name in each})
        notes.append(f"Hidden, because they may be secret: the values of {', '.join(names)}.")
    if record.left_out:
        notes.append("Left out, because they lead elsewhere or are no files:")
        notes += [f"    {name}" for name in record.left_out[:50]]
    return README_TEXT.format(
        experiment=record.experiment,
        jobs=plural(record.jobs, "job"),
        size=amount(record.size),
        user=record.user,
        host=record.host,
        time=_moment(record.exported_s),
        version=record.version,
        notes="".join(f"\n{note}" for note in notes) + ("\n" if notes else ""),
    )


def _moment(seconds: Any) -> str | None:
    if not is_moment(seconds) or not seconds:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
