"""What lies where in the file of an experiment.

    <experiment>/README.txt                  for people without xpm
    <experiment>/export.json                 what the file holds, and who has written it
    <experiment>/jobs.json, jobs.csv         all jobs: identity, task, tags, parameters, state, code
    <experiment>/jobs/<task>/<identity>/     the directory of a job, as in a workspace
    <experiment>/runs/<time>/                a run of the script: its results and its log
    <experiment>/sampled.jsonl               how samplings of `xp.until` have ended
    <experiment>/code/<snapshot>/<tree>/…    the code, as plain files
    <experiment>/documents/<kind>/<digest>   what is known of code and environment: the kinds are below
    <experiment>/parts/, arguments/          what payloads of jobs refer to, by digest

Owns: these names, and the form of export.json.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from xpm_core.errors import ExchangeError
from xpm_core.workspace.experiment_directory import SAMPLED
from xpm_core.workspace.job_records import ACCEPTED, RECORD

SCHEMA = 1
FORM = "an experiment of xpm"

README, EXPORT, JOBS, TABLE = "README.txt", "export.json", "jobs.json", "jobs.csv"
FILES = (README, EXPORT, JOBS, TABLE, SAMPLED)
FOLDERS = ("jobs", "runs", "code", "documents", "parts", "arguments")
DOCUMENTS = ("snapshots", "provenance", "packages", "ran")
LATEST_S = 10**10
"""Epoch seconds. A later time is none."""
RECORDS = ("done", "failed", "handed.json", "outputs.jsonl", ACCEPTED)
"""Files of a job's folder `.xpm`, beside the records of its executions. Others are not taken along."""


@dataclass(frozen=True)
class ExportRecord:
    """What an export says of itself: the content of export.json.

    Attributes:
        experiment: The name of the experiment.
        exported_s: When it was written, epoch seconds.
        user: Who has written it.
        host: Where.
        version: With which xpm.
        results: Whether it has what jobs have written, so that they can be reused.
        jobs: How many jobs it has.
        size: How large its files are, bytes.
        latest: The name of the newest run; empty without one.
        snapshots: The folder in `code` of each snapshot.
        hidden: By job, the names of variables and options whose values were hidden, because they may be secret.
        left_out: Files that were left out, such as links that lead elsewhere, at most 1,000.
    """

    experiment: str
    exported_s: float
    user: str = ""
    host: str = ""
    version: str = ""
    results: bool = True
    jobs: int = 0
    size: int = 0
    latest: str = ""
    snapshots: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, list[str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def written(self) -> bytes:
        """The content of the file."""
        return json.dumps({"schema": SCHEMA, "form": FORM, **asdict(self)}, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, where: str, data: bytes) -> ExportRecord:
        """Read the file.

        Raises:
            ExchangeError: It is malformed, or of a later xpm.
        """
        try:
            fields = json.loads(data)
            schema, form = fields.pop("schema"), fields.pop("form")
            found = cls(**{name: fields[name] for name in cls.__dataclass_fields__ if name in fields})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ExchangeError(where, f"its {EXPORT} is malformed", NOT_OURS) from None
        if isinstance(schema, int) and schema > SCHEMA:
            raise ExchangeError(where, f"its form {schema} is of a later version", "Upgrade xpm.")
        if form != FORM or schema != SCHEMA or not found._is_sound():
            raise ExchangeError(where, f"its {EXPORT} is malformed", NOT_OURS)
        return found

    def _is_sound(self) -> bool:
        texts = all(
            isinstance(each, str) for each in (self.experiment, self.user, self.host, self.version, self.latest)
        )
        numbers = is_moment(self.exported_s) and type(self.jobs) is int and type(self.size) is int
        maps = _is_map(self.snapshots, _is_text) and _is_map(self.hidden, _is_list_of_texts)
        return texts and numbers and maps and isinstance(self.results, bool) and _is_list_of_texts(self.left_out)


NOT_OURS = "It was not written by `xpm export`, or was changed since: ask for it again."


def is_record(name: str) -> bool:
    """Whether a path in a job's directory is one of the records in `.xpm` that are taken along."""
    if name.startswith(".xpm/executions/"):
        return RECORD.fullmatch(name[len(".xpm/executions/") :]) is not None
    return name.startswith(".xpm/") and name[len(".xpm/") :] in RECORDS


def is_moment(value: Any) -> bool:
    """Whether a value is a time of these centuries, epoch seconds."""
    return type(value) in (int, float) and 0 <= value < LATEST_S


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_map(value: Any, check: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) and check(each) for name, each in value.items())
