"""What the index says of one job: that it was submitted, how it ended, that it was asked to run again, or removed.

Each is one line of JSON.

Owns: the form of the lines. A later xpm may add fields; unknown ones are passed over.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from xpm_core.labels import LIVE
from xpm_core.states import ENDS, State
from xpm_core.workspace.reported.results_file import results_form, results_in
from xpm_core.workspace.reported.values import Scalar

SUBMITTED, ENDED, AGAIN, REMOVED = "submitted", "ended", "again", "removed"
"""The first field of a line, a time in epoch seconds, says what it is."""


def _encoder() -> Callable[[Any], str]:
    """A function that writes JSON without blanks. A script calls it for each job, so it is prepared once.

    `JSONEncoder.encode` makes the same encoder anew at each call.
    """
    plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # a Python without the module in C
        return plain.encode
    write = make(None, plain.default, json.encoder.encode_basestring, None, ":", ",", False, False, True)
    return lambda value: "".join(write(value, 0))


DIGITS = 12
"""How many digits of a digest a line has: enough to find it, and lines stay short."""

LATEST_S = 2.0**37
"""A later time is none; this is the year 6325."""

_ENCODE = _encoder()
_text = json.encoder.encode_basestring
_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass
class End:
    """How a job ended, by the worker that reported it.

    Attributes:
        state: DONE, FAILED or CANCELLED; READY if the job was asked to run again since, so that it has not ended.
        ended_s: When the server was asked to accept that, epoch seconds by the worker's clock. So a line that is
            written late is not newer than another worker's line since.
        started_s: When its last attempt began; 0 if it never did.
        host: The machine.
        worker: The worker.
        execution: The execution that counts.
        attempt: Its number, that of its record in the job's directory.
        error: What went wrong: type, message, file, line, function. Empty without an error.
        code: The snapshot that it ran, the first `DIGITS` of its digest; LIVE for code that was not kept; empty if that
            is not known.
        commit: The commit of its code, as many digits, with `+` if files differed from it; empty outside of git.
        packages: The list of the installed packages, the first `DIGITS` of its digest; empty if it is not known.
        live_files: Whether it has read files of the project that its snapshot does not hold.
        results: What the job has reported, by name, in flat form (xpm_core.workspace.reported). Lists are not in it.
    """

    state: State
    ended_s: float
    started_s: float = 0.0
    host: str = ""
    worker: str = ""
    execution: str = ""
    attempt: int = 0
    error: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    commit: str = ""
    packages: str = ""
    live_files: bool = False
    results: Mapping[str, Scalar] = field(default_factory=dict)


def code_facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """What an execution's record says of its code, as `End` has it. What is malformed counts as not known.

    Example:
        >>> code_facts({"code": {"snapshot": "8c1f2e0..."}, "git": {"commit": "1a2b3c4...", "dirty": True}})
        {'code': '8c1f2e0...', 'commit': '1a2b3c4...+', 'packages': ''}
    """
    code, git = (record.get(name) for name in ("code", "git"))
    snapshot = code_name(code.get("snapshot") or "") if isinstance(code, dict) else ""
    commit = _digits(git.get("commit")) if isinstance(git, dict) else ""
    changed = "+" if commit and isinstance(git, dict) and git.get("dirty") else ""
    more = {"live_files": True} if record.get("live_files") is True else {}
    return {"code": snapshot, "commit": commit + changed, "packages": _digits(record.get("packages")), **more}


def code_name(snapshot: str) -> str:
    """A snapshot as lists name it: the beginning of its digest; LIVE without one."""
    return _digits(snapshot) or LIVE


def _digits(digest: Any) -> str:
    return digest[:DIGITS] if isinstance(digest, str) else ""


@dataclass
class Entry:
    """What the index knows of one job.

    Attributes:
        identity: Its identity.
        task: Its task, `module:Class`; empty if only its end is known.
        tags: Its tags, as the latest run has set them.
        params: Its parameters in one level (parameters.py).
        experiments: The experiments that it belongs to.
        submitted_s: When it was first submitted, epoch seconds by the clock of the script's machine.
        described_s: When task, tags and parameters were written.
        end: How it ended last; None if no end was reported.
    """

    identity: str
    task: str = ""
    tags: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    experiments: list[str] = field(default_factory=list)
    submitted_s: float = 0.0
    described_s: float = 0.0
    end: End | None = None

    @property
    def state(self) -> State | None:
        """The state in which it ended; None if it has not, as far as the index knows."""
        return self.end.state if self.end is not None and self.end.state in ENDS else None


def submitted_line(
    identity: str, task: str, tags: Mapping[str, Any], params: Mapping[str, Any], submitted_s: float
) -> str:
    """The line for a job that was submitted. It is put together here, because a script writes one for each job."""
    known = f'{{"{SUBMITTED}":{round(submitted_s, 3)},"id":{_text(identity)},"task":{_text(task)}'
    return f'{known},"tags":{_map(tags)},"params":{_map(params)}}}'


def _map(values: Mapping[str, Any]) -> str:
    return _ENCODE(values if type(values) is dict else dict(values)) if values else "{}"


def ended_line(identity: str, end: End) -> str:
    """The line for a job that has ended. What has its default is left out."""
    rest = {"started": round(end.started_s, 3), "host": end.host, "worker": end.worker}
    rest |= {"execution": end.execution, "attempt": end.attempt, "error": end.error}
    rest |= {"code": end.code, "commit": end.commit, "packages": end.packages, "live_files": end.live_files}
    rest |= results_form(end.results) if end.results else {}
    known = {name: value for name, value in rest.items() if value}
    return _ENCODE({ENDED: round(end.ended_s, 3), "id": identity, "state": end.state.value, **known})


def again_line(identity: str, at_s: float) -> str:
    """The line for a job that was asked to run again: how it ended before counts no more."""
    return _ENCODE({AGAIN: round(at_s, 3), "id": identity})


def removed_line(identity: str, until_s: float) -> str:
    """The line for a job that was removed: what the index says of it up to that time counts no more."""
    return _ENCODE({REMOVED: round(until_s, 3), "id": identity})


def read_removal(line: bytes | str, removed: dict[str, float]) -> bool:
    """Add what a line says to the times up to which nothing counts, by job; False if it is damaged."""
    try:
        found = json.loads(line)
        identity, until_s = str(found["id"]), _moment(found[REMOVED])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    removed[identity] = max(until_s, removed.get(identity, 0.0))
    return True


def read_removals(files: Iterable[str]) -> dict[str, float]:
    """Up to when nothing counts of the jobs that were removed, by job. What cannot be read is passed over."""
    found: dict[str, float] = {}
    for path in files:
        with contextlib.suppress(OSError), open(path, "rb") as stream:
            for line in stream:
                if line.endswith(b"\n"):
                    read_removal(line, found)
    return found


def read_line(
    line: bytes | str, experiment: str, entries: dict[str, Entry], removed: Mapping[str, float] = _NONE
) -> bool:
    """Add what a line says to the entries.

    A later submission replaces task, tags and parameters of an earlier one. Of several ends, the latest counts. Where
    the clocks of machines differ, that may be a wrong one, until `xpm doctor --repair`. A line of a kind that this xpm
    does not know adds nothing: a later one has written it.

    Args:
        line: The line.
        experiment: The experiment whose file has it; empty for a worker's file.
        entries: The entries so far, by identity.
        removed: The times up to which nothing counts, by job.

    Returns:
        False if the line is damaged; then nothing was added.
    """
    try:
        found = json.loads(line)
        identity = found["id"]
        if not isinstance(identity, str):
            return False
        known, until_s = entries.get(identity), removed.get(identity, -1.0)
        if SUBMITTED in found:
            fresh = _submission(found)
            if fresh.described_s <= until_s:
                return True
            entry = known or fresh
            if not entry.submitted_s:  # until now only its end was read: its place is that of its submission
                entries.pop(identity, None)
            entries[identity] = entry
            if fresh.described_s >= entry.described_s:
                entry.task, entry.tags, entry.params = fresh.task, fresh.tags, fresh.params
                entry.described_s = fresh.described_s
            times = [each for each in (entry.submitted_s, fresh.submitted_s) if each]
            entry.submitted_s = min(times, default=0.0)
            if experiment and experiment not in entry.experiments:
                entry.experiments.append(experiment)
        elif ENDED in found or AGAIN in found:
            end = End(State.READY, _moment(found[AGAIN])) if AGAIN in found else _end(found)
            if end.ended_s <= until_s:
                return True
            entry = known or entries.setdefault(identity, Entry(identity))
            if entry.end is None or _is_newer(end, entry.end):
                entry.end = end
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return False
    return True


def _is_newer(end: End, known: End) -> bool:
    """Whether an end came after another one of the same job.

    Of one execution, the server may accept that it is done after it counted as lost, and nothing after that.
    """
    done = end.state is State.DONE
    if end.execution and end.execution == known.execution and done is not (known.state is State.DONE):
        return done
    return end.ended_s >= known.ended_s


def _submission(found: dict[str, Any]) -> Entry:
    tags, params = found["tags"], found["params"]
    if not isinstance(tags, dict) or not isinstance(params, dict):
        raise TypeError
    at_s = _moment(found[SUBMITTED])
    return Entry(str(found["id"]), str(found["task"]), tags, params, [], at_s, at_s)


def _end(found: dict[str, Any]) -> End:
    state = State(found["state"])
    if state not in ENDS:
        raise ValueError(state)
    error = found.get("error")
    return End(
        state=state,
        ended_s=_moment(found[ENDED]),
        started_s=_moment(found.get("started", 0.0)),
        host=str(found.get("host", "")),
        worker=str(found.get("worker", "")),
        execution=str(found.get("execution", "")),
        attempt=int(found.get("attempt", 0)),
        error=error if isinstance(error, dict) else {},
        **{name: str(found.get(name, ""))[:64] for name in ("code", "commit", "packages")},
        live_files=found.get("live_files") is True,
        results=results_in(found) if "results" in found else {},
    )


def _moment(value: Any) -> float:
    """A time as the index has it.

    Raises:
        ValueError: It is none.
    """
    seconds = float(value)
    if not 0 <= seconds < LATEST_S:
        raise ValueError(seconds)
    return seconds
