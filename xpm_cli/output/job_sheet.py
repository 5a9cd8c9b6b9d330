"""The sheet of a job: its state from Redis, and its records from its directory.

Owns: the lines that `xpm show` prints, and their JSON form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import click

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.terminal import Terminal, state
from xpm_core.labels import bare_class, short
from xpm_core.reading.jobs import Job
from xpm_core.reading.why.records import Why
from xpm_core.states import State
from xpm_core.store.replies import shown
from xpm_core.words.commands import Commands
from xpm_core.words.text import ago, meter, plural, span

DEPENDENTS = 5
"""How many of the jobs that need this one are named."""

METER = 10

UNSTARTED = (State.WAITING, State.READY, State.DELAYED, State.BLOCKED)

NEXT = {
    State.WAITING: (Commands.why, Commands.cancel),
    State.READY: (Commands.why, Commands.cancel),
    State.DELAYED: (Commands.logs, Commands.why, Commands.cancel),
    State.RUNNING: (Commands.logs, Commands.cancel),
    State.DONE: (Commands.logs,),
    State.FAILED: (Commands.logs, Commands.retry),
    State.CANCELLED: (Commands.retry,),
    State.BLOCKED: (Commands.cancel,),
}
"""Which commands to type next, by state."""


class JobSheet:
    """All that is known of one job."""

    def __init__(self, opened: OpenWorkspace, job: Job) -> None:
        self.opened = opened
        self.job = job
        self.directory = opened.directory(job)

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record of the latest execution; empty if it has not ended."""
        return self.directory.record(self.job.execution) or {} if self.job.execution else {}

    @cached_property
    def params(self) -> dict[str, Any]:
        """The job's parameters as its directory holds them; empty before the job first ran."""
        return self.opened.params(self.job)

    @cached_property
    def where(self) -> tuple[str, str]:
        """Host and worker of the latest execution; if the job is done, from its record."""
        host, worker = (str(shown(self.record.get(name, ""))) for name in ("host", "worker"))
        return self.job.host or host, self.job.worker or worker

    @cached_property
    def needs(self) -> list[Job]:
        """The jobs that this one needs; if it is done, from its directory."""
        known = self.opened.reader.jobs.needs(self.job.identity)
        kept = self.directory.kept(self.job.task) if self.job.state is State.DONE else None
        return self.opened.reader.jobs.read(known or sorted(kept.needs if kept else ()))

    @cached_property
    def dependents(self) -> list[str]:
        """The identities of the jobs that need this one."""
        return self.opened.reader.jobs.dependents(self.job.identity)

    @cached_property
    def why(self) -> Why | None:
        """Why it does not run; None if it runs or has ended."""
        is_open = self.job.state in UNSTARTED
        return self.opened.reader.reasons.why(self.job.identity) if is_open else None

    @property
    def error(self) -> dict[str, Any]:
        """The error, with its frames if they are recorded; empty without an error."""
        ended = (State.FAILED, State.DELAYED, State.CANCELLED)  # a cancelled job has one if it had to be killed
        recorded = self.record.get("error") if self.job.state in ended else None
        return recorded or self.job.error

    def lines(self, terminal: Terminal, *, full: bool = False) -> Iterator[str]:
        """The lines to print; with `full` all frames of an error."""
        job = self.job
        yield terminal.entry(
            short(job.identity), [click.style(self.opened.title(job), bold=True), state(job.state.value), *self._when()]
        )
        if self.why is not None:
            yield terminal.entry("why", [f"{self.why.reason.outlook.value}: {self.why.reason}"])
        if job.progress:
            yield terminal.entry("progress", _progress(job.progress))
        if config := list(_parameters(self.params)):
            yield terminal.entry("config", config)
        if self.needs:
            yield terminal.entry("needs", map(self._named, self.needs))
        if self.dependents:
            known = self.opened.reader.jobs.read(self.dependents[:DEPENDENTS])
            more = len(self.dependents) - len(known)
            yield terminal.entry("needed by", [*map(self._named, known), *([f"and {more} more"] if more > 0 else [])])
        if job.demand:
            yield terminal.entry("tokens", [f"{name} {units}" for name, units in job.demand.items()])
        if self.record:
            yield terminal.entry("used", self._used())
        yield terminal.entry("folder", [str(self.directory.path)])
        if self.error:
            yield "error"
            yield from _error(self.error, terminal, full)
        yield terminal.entry("do", self._next())

    def _when(self) -> list[str]:
        job, now_s = self.job, self.opened.now_s
        attempt = [f"attempt {job.attempts}"] if job.attempts > 1 else []
        if job.state is State.RUNNING:
            return [f"since {span(now_s - job.started_s)} on {job.host}", *attempt]
        if job.state in (State.DONE, State.FAILED) and job.ended_s:
            place = f" on {self.where[0]}" if self.where[0] else ""
            ended = f"after {span(job.ended_s - job.started_s)}{place}" if job.started_s else ""
            exit_code, signal = self.record.get("exit_code"), self.record.get("signal")
            how = f"signal {signal}" if signal else f"exit {exit_code}" if exit_code else ""
            return list(filter(None, [ended, ago(now_s - job.ended_s), how, *attempt]))
        return [f"submitted {ago(now_s - job.submitted_s)}", *attempt]

    def _used(self) -> list[str]:
        peak = self.record.get("peak_memory_bytes")
        memory = [f"memory {peak / 2**20:.0f} MB peak"] if peak else []
        python = [f"python {self.record['python']}"] if self.record.get("python") else []
        return [*memory, *python, f"worker {self.where[1]}"]

    def _next(self) -> list[str]:
        commands = self.opened.commands
        if self.job.state is State.BLOCKED and self.job.root:
            return [commands.show(self.job.root), commands.retry(self.job.root)]
        return [command(commands, self.job.identity) for command in NEXT[self.job.state]]

    def _named(self, job: Job) -> str:
        return f"{self.opened.title(job)} {short(job.identity)} {state(job.state.value)}"

    def as_data(self) -> dict[str, Any]:
        """The JSON form. Times are ISO 8601 with their zone; a value that is not known yet is null."""
        job = self.job
        return {
            "schema": SCHEMA,
            "id": job.identity,
            "state": job.state.value,
            "task": job.task,
            "tags": self.opened.tags(job),
            "queue": job.queue,
            "tokens": job.demand,
            "priority": job.priority,
            "attempts": job.attempts,
            "submitted": moment(job.submitted_s),
            "started": moment(job.started_s),
            "ended": moment(job.ended_s),
            "worker": self.where[1] or None,
            "host": self.where[0] or None,
            "reason": job.reason or None,
            "why": self.why.as_data() if self.why else None,
            "progress": job.progress or None,
            "error": self.error or None,
            "blocked_by": job.root or None,
            "needs": {need.identity: need.state.value for need in self.needs},
            "needed_by": self.dependents,
            "directory": str(self.directory.path),
            "parameters": self.params.get("parameters"),
            "executions": self.directory.records(),
        }


def _progress(reported: dict[str, Any]) -> list[str]:
    """The progress that a running job has reported, the outermost loop first: `███████▌··  epoch 8/10`."""
    levels = [reported, *reported.get("inner", ())]
    bars = [meter(level["fraction"], METER) + "  " if level.get("fraction") is not None else "" for level in levels]
    return [f"{bar}{level.get('desc', '')}".rstrip() for bar, level in zip(bars, levels, strict=True)]


def _parameters(described: dict[str, Any], path: str = "") -> Iterator[str]:
    """The parameters of a configuration as params.json has them: `lr = 0.1`, `model = MLP`, `model.layers = 3`.

    Files that the job itself makes are left out. So are the parameters of the tasks that it uses: they are other jobs.
    """
    for name, value in described.get("parameters", {}).items():
        where = f"{path}{name}"
        if isinstance(value, dict) and "class" in value:
            task = bare_class(value["class"])
            yield f"{where} = {task} {short(value['identity'])}" if "job" in value else f"{where} = {task}"
            if "job" not in value:
                yield from _parameters(value, f"{where}.")
        elif isinstance(value, dict) and value.get("in") == "job":
            continue
        elif isinstance(value, dict) and (len(value) == 1 or "in" in value):
            inner = next(iter(value.values()))
            yield f"{where} = {inner if isinstance(inner, str) else _brief(inner)}"
        else:
            yield f"{where} = {_brief(value)}"


def _brief(value: Any) -> str:
    """A value as JSON, in which the class and the beginning of the identity stand for each configuration."""
    if isinstance(value, list):
        return f"[{', '.join(map(_brief, value))}]"
    if isinstance(value, dict) and {"class", "identity"} <= value.keys():
        return f"{bare_class(value['class'])} {short(value['identity'])}"
    if isinstance(value, dict) and value.keys() == {"see"}:
        return str(value["see"])
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)}: {_brief(inner)}' for name, inner in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def _error(error: dict[str, Any], terminal: Terminal, full: bool) -> Iterator[str]:
    """An error: its message, then the frames of the user's own code, the innermost first; with `full` all frames."""
    message = str(error.get("message", ""))
    yield f"  {error.get('type', 'error')}: {message}" if message else f"  {error.get('type', 'error')}"
    frames = [frame for frame in error.get("frames") or [error] if frame.get("file")]
    visible = [frame for frame in frames if full or frame.get("own", True)] or frames[-1:]
    for frame in reversed(visible):
        code = f"     {frame['code']}" if frame.get("code") else ""
        yield terminal.text(f"    {frame['file']}:{frame.get('line')}  in {frame.get('function')}{code}")
    if hidden := len(frames) - len(visible):
        yield f"    ({plural(hidden, 'frame')} of libraries hidden, --full)"
