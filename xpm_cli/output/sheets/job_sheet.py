"""The sheet of a job: how it stands, and what its directory has recorded.

Owns: the lines that `xpm show` prints, and their JSON form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

import click

from xpm_cli.lookup.code.job_code import JobCode
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.sealed_job import imported_from
from xpm_cli.output.code.code_lines import code_lines, machine_lines
from xpm_cli.output.job_record import job_record
from xpm_cli.output.json_form import SCHEMA
from xpm_cli.output.tables.cells import text_of
from xpm_cli.output.tables.job_table import where
from xpm_cli.output.tables.reported import JobReport
from xpm_cli.output.terminal import LABEL_WIDTH, Terminal, state
from xpm_core.index.flat_form import flattened
from xpm_core.judging.acceptance import LONGEST_WHY, Acceptance, standing
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import ENDS, State
from xpm_core.store.replies import shown
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Reason
from xpm_core.words.text import ago, line, meter, plural, span

NAMED = 5
"""How many of the jobs that need this one are named."""
PARAMETERS = 24
"""How many parameters are listed on a terminal."""
LONGEST_VALUE = 60
ATTEMPTS = 5
"""How many of the latest attempts are listed."""
METER = 10
LONGEST_ERROR = 80
IMPORTED = ("file", "experiment", "exported_s", "exported_by", "exported_on", "imported_s", "imported_by", "hidden")
"""What is said in JSON of an imported job."""

NEXT = {
    None: (Commands.logs,),
    State.WAITING: (Commands.why, Commands.cancel),
    State.READY: (Commands.why, Commands.cancel),
    State.DELAYED: (Commands.logs, Commands.cancel),
    State.RUNNING: (Commands.logs, Commands.cancel),
    State.DONE: (Commands.logs,),
    State.FAILED: (Commands.logs, Commands.debug, Commands.retry),
    State.CANCELLED: (Commands.retry,),
    State.BLOCKED: (Commands.why, Commands.cancel),
}
"""Which commands to type next, by state."""


class JobSheet:
    """All that is known of one job."""

    def __init__(self, opened: OpenWorkspace, row: JobRow) -> None:
        self.opened, self.row = opened, row
        self.directory = opened.directory(row)

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The records of the attempts that have ended, in order."""
        return [shown(record) for record in self.directory.records()]

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record of the latest execution; empty if it has not ended."""
        execution = self.row.job.execution if self.row.job else self.row.entry.end and self.row.entry.end.execution
        return next((record for record in self.records if record.get("execution") == execution), {})

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """Its parameters in one level: by its directory, else by the index. Empty if neither has them."""
        return flattened(shown(self.opened.params(self.row))) or self.row.params or {}

    @cached_property
    def needs(self) -> list[JobRow]:
        """The jobs that this one needs; if it is done, by its directory."""
        return self.opened.view.rows(self.opened.view.needs([self.row])[self.row.identity] or ())

    @cached_property
    def dependents(self) -> list[str]:
        """The identities of the jobs that need this one; empty without the server, which alone knows them."""
        return [] if self.opened.view.away else self.opened.reader.jobs.dependents(self.row.identity)

    @cached_property
    def imported(self) -> Mapping[str, Any] | None:
        """From where it was imported; None for a job of this workspace."""
        found = self.directory.imported()
        return None if found is None else dict(shown(found))

    @cached_property
    def accepted(self) -> list[Acceptance]:
        """What people have accepted of its result, the newest first."""
        return standing(self.directory)

    @cached_property
    def code(self) -> JobCode:
        """The code that it ran, or will run."""
        job, state = self.row.job, self.row.state
        options = job.options if job is not None and state is not State.DONE else None
        return JobCode.of(self.opened.workspace.path, self.record if state in ENDS or not options else {}, options)

    @cached_property
    def report(self) -> JobReport:
        """What it has reported."""
        return JobReport(self.row, self.directory)

    @cached_property
    def changed(self) -> list[str] | None:
        """The files of its snapshot that differ now; None if that is not known, or the project is not here."""
        return self.code.changed()

    @property
    def error(self) -> Mapping[str, Any]:
        """The error, with its frames if they are recorded; empty without an error."""
        ended = (State.FAILED, State.DELAYED, State.CANCELLED)  # a cancelled job has one if it had to be killed
        recorded = self.record.get("error") if self.row.state in ended else None
        return recorded or (self.row.error if self.row.state in ended else {})

    # -- for people ------------------------------------------------------------------------------------------------

    def lines(
        self, terminal: Terminal, reason: Reason | None = None, *, full: bool = False, everything: bool = False
    ) -> Iterator[str]:
        """The lines to print.

        Args:
            terminal: What the terminal can show.
            reason: Why it does not run; None if it does.
            full: Whether to show all frames of an error.
            everything: Whether to show all parameters, and their whole values.
        """
        row, title = self.row, click.style(self.opened.title(self.row), bold=True)
        word = state(row.state.value) if row.state else "its state is not known"
        yield terminal.entry(short(row.identity), [title, word, *self.when()])
        if reason is not None:
            yield from terminal.wrapped("why".ljust(LABEL_WIDTH), f"{reason.outlook.value}: {reason}")
        if row.job and row.job.progress:
            yield terminal.entry("progress", _progress(row.job.progress))
        yield from self.report.lines(terminal, whole=everything or terminal.width is None)
        yield from self._about(terminal, everything or terminal.width is None)
        yield from self._related(terminal)
        if row.demand:
            yield terminal.entry("tokens", [f"{name} {units}" for name, units in row.demand.items()])
        whole = everything or terminal.width is None
        yield from code_lines(self.code, terminal, self.changed or (), whole=whole)
        yield from machine_lines(self.record, self.directory.path, terminal)
        for number, record in enumerate(self.records[-ATTEMPTS:]):
            yield terminal.entry("" if number else "attempts", self.attempt(record))
        yield terminal.entry("folder", [str(self.directory.path)])
        if self.imported is not None:
            yield terminal.entry("imported", [self.came_from(self.imported)])
        for number, each in enumerate(self.accepted[:ATTEMPTS]):
            yield terminal.entry("" if number else "accepted", accepted(each))
        if logs := [path.name for path in (self.directory.out, self.directory.err) if path.is_file()]:
            yield terminal.entry("logs", [f"{' and '.join(logs)} in the folder"])
        if self.error:
            yield "error"
            yield from _error(self.error, terminal, full)
        yield terminal.entry("do", self.next_commands())

    def _about(self, terminal: Terminal, whole: bool) -> Iterator[str]:
        if self.params:
            yield terminal.entry("config", self._config(whole))
        elif self.row.state is not None:
            yield terminal.entry("config", ["not recorded: it was submitted by an earlier xpm, and has not run"])
        if self.row.experiments:
            yield terminal.entry("experiment", sorted(self.row.experiments))

    def _config(self, whole: bool) -> Iterator[str]:
        """The parameters; if not `whole`, the first ones, and what fits a line of each value."""
        for name, value in islice(self.params.items(), None if whole else PARAMETERS):
            yield f"{name} = {text_of(value) if whole else line(text_of(value), LONGEST_VALUE)}"
        if not whole and len(self.params) > PARAMETERS:
            yield f"({PARAMETERS} of {len(self.params)} parameters, --all)"

    def _related(self, terminal: Terminal) -> Iterator[str]:
        if self.needs:
            yield terminal.entry("needs", map(self._named, self.needs))
        if self.opened.view.away:
            yield terminal.entry("" if self.needs else "needs", ["which jobs need it, only the server knows"])
        if self.dependents:
            known = self.opened.view.rows(self.dependents[:NAMED])
            more = len(self.dependents) - len(known)
            yield terminal.entry("needed by", [*map(self._named, known), *([f"and {more} more"] if more > 0 else [])])

    def when(self) -> list[str]:
        """Since when, for how long, or how long ago, where, and which attempt."""
        row, now_s = self.row, self.opened.now_s
        attempt = [f"attempt {row.attempts}"] if (row.attempts or 0) > 1 else []
        host = where(row) if row.host else shown(self.record.get("host"))
        on = f" on {host}" if host else ""
        if row.state is State.RUNNING and row.started_s:
            return [f"since {span(now_s - row.started_s)}{on}", *attempt]
        if row.state in (State.DONE, State.FAILED) and row.ended_s:
            ended = f"after {span(row.ended_s - row.started_s)}{on}" if row.started_s else ""
            return list(filter(None, [ended, ago(now_s - row.ended_s), _exit(self.record), *attempt]))
        return [f"submitted {ago(now_s - row.submitted_s)}", *attempt] if row.submitted_s else attempt

    def came_from(self, mark: Mapping[str, Any]) -> str:
        """From whom an imported job came, and when."""
        at_s = mark.get("imported_s")
        when = f", {ago(self.opened.now_s - at_s)}" if isinstance(at_s, (int, float)) else ""
        return f"from {imported_from(mark)}{when}; only --trust runs it here"

    def attempt(self, record: Mapping[str, Any]) -> list[str]:
        """One attempt: `1 done`, how long it took, where; what it used, if there are several."""
        error, several = record.get("error") or {}, len(self.records) > 1
        began, ended, peak = (record.get(name) for name in ("started_s", "ended_s", "peak_memory_bytes"))
        parts = [
            f"{record.get('number', '?')} {record.get('reason') or ('failed' if error else 'ended')}",
            span(ended - began) if isinstance(began, float) and isinstance(ended, float) else "",
            f"on {record['worker']}" if record.get("worker") else "",
            _exit(record),
            f"memory {peak / 2**20:.0f} MB peak" if several and isinstance(peak, (int, float)) and peak else "",
            f"python {record['python']}" if several and record.get("python") else "",
            line(error.get("type", ""), LONGEST_ERROR),
        ]
        return list(filter(None, parts))

    def next_commands(self) -> list[str]:
        """What to type next."""
        commands, job = self.opened.commands, self.row.job
        if self.row.state is State.BLOCKED and job and job.root:
            return [commands.show(job.root), commands.retry(job.root)]
        return [command(commands, self.row.identity) for command in NEXT[self.row.state]]

    def _named(self, row: JobRow) -> str:
        word = state(row.state.value) if row.state else "unknown"
        return f"{self.opened.title(row)} {short(row.identity)} {word}"

    # -- for programs ----------------------------------------------------------------------------------------------

    def as_data(self, why: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON form: the record of a list, and what only one job has. A value that is not known is null."""
        return {
            "schema": SCHEMA,
            "source": self.opened.view.server,
            "age_s": round(self.opened.view.age_s, 3),
            **job_record(self.row, why),
            **{name: getattr(self.row, name) or self.record.get(name) for name in ("worker", "host")},
            "params": dict(self.params) or None,
            "tags": self.opened.tags(self.row),
            "error": dict(self.error) or None,
            "priority": self.row.job.priority if self.row.job else None,
            "needs": {need.identity: need.state.value if need.state else None for need in self.needs},
            "needed_by": self.dependents,
            "directory": str(self.directory.path),
            "imported": self.imported and {name: self.imported.get(name) for name in IMPORTED},
            "accepted": [_accepted_data(each) for each in self.accepted],
            "logs": {"out": str(self.directory.out), "err": str(self.directory.err)},
            "parameters": self.opened.params(self.row).get("parameters"),
            "executions": self.records,
            "snapshot": self.code.snapshot or None,
            "provenance": self.code.provenance and shown(asdict(self.code.provenance)),
            "environment": dict(self.code.packages) or None,
            "changed_files": self.changed,
            "reported": self.report.as_data(),
        }


def accepted(acceptance: Acceptance) -> list[str]:
    """Such as `2026-11-27 by ana on head: only logging changed`, and the code."""
    day = f"{datetime.fromtimestamp(acceptance.accepted_s):%Y-%m-%d}"
    who, host, why, file = (line(each, LONGEST_WHY) for each in _texts(acceptance))
    came = [f"imported from {file}"] if file else []
    return [f"{day} by {who} on {host}: {why}", f"code {short(acceptance.snapshot)}", *came]


def _accepted_data(acceptance: Acceptance) -> dict[str, Any]:
    who, host, why, file = (shown(each) for each in _texts(acceptance))
    return {
        "who": who,
        "host": host,
        "accepted_s": acceptance.accepted_s,
        "why": why,
        "execution": acceptance.execution,
        "snapshot": acceptance.snapshot,
        "provenance": acceptance.provenance,
        "files": [shown(f"{each.tree}/{each.path}") for each in acceptance.files],
        "imported_from": file or None,
    }


def _texts(acceptance: Acceptance) -> tuple[str, str, str, str]:
    return acceptance.who, acceptance.host, acceptance.why, acceptance.file


def _exit(record: Mapping[str, Any]) -> str:
    code, signal = record.get("exit_code"), record.get("signal")
    return f"signal {signal}" if signal else f"exit {code}" if code else ""


def _progress(reported: dict[str, Any]) -> list[str]:
    """The progress that a running job has reported, the outermost loop first: `███████▌··  epoch 8/10`."""
    levels = [reported, *reported.get("inner", ())]
    bars = [meter(level["fraction"], METER) + "  " if level.get("fraction") is not None else "" for level in levels]
    return [f"{bar}{level.get('desc', '')}".rstrip() for bar, level in zip(bars, levels, strict=True)]


def error_parts(error: Mapping[str, Any], *, full: bool = False) -> tuple[str, list[str], int]:
    """Return an error's message, the frames of the user's own code, the innermost first, and how many are left out.

    Args:
        error: The error, as a record has it.
        full: Whether to return all frames.
    """
    message = str(error.get("message", ""))
    head = f"{error.get('type', 'error')}: {message}" if message else str(error.get("type", "error"))
    frames = [frame for frame in error.get("frames") or [error] if frame.get("file")]
    visible = [frame for frame in frames if full or frame.get("own", True)] or frames[-1:]
    lines = []
    for frame in reversed(visible):
        code = f"     {frame['code']}" if frame.get("code") else ""
        lines.append(f"{frame['file']}:{frame.get('line')}  in {frame.get('function')}{code}")
    return head, lines, len(frames) - len(visible)


def _error(error: Mapping[str, Any], terminal: Terminal, full: bool) -> Iterator[str]:
    """An error: its message, then the frames of the user's own code; with `full` all frames."""
    head, lines, hidden = error_parts(error, full=full)
    yield f"  {head}"
    for each in lines:
        yield terminal.text(f"    {each}")
    if hidden:
        yield f"    ({plural(hidden, 'frame')} of libraries hidden, --full)"
