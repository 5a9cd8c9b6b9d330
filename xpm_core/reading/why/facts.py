"""What `why.lua` and `waits.lua` return, as records.

Owns: their form. Others can write into Redis, so each fact may be missing or malformed; it is then absent here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xpm_core.store.records import Pause
from xpm_core.store.refusals import Refusal
from xpm_core.store.replies import pause_of, shown


@dataclass(frozen=True)
class Worker:
    """A living worker of the job's queue.

    Attributes:
        name, host: Its name and its machine.
        stands: What is in its way: small, refused, silent, leaving, short; or able.
        age_s: How long ago it was heard of, seconds; None if that is not known.
        left_s: How long it will live, seconds; None for ever.
        lease_left_s: In how many seconds it counts as gone.
        job: The job that it runs; empty if it is idle.
        task, started_s: That job's task, and when it started (0 if that is not known).
    """

    name: str
    host: str
    stands: str
    age_s: float | None
    left_s: float | None
    lease_left_s: float
    job: str
    task: str
    started_s: float


@dataclass(frozen=True)
class Held:
    """Units that a job holds of a token: the ids of its workspace and its own, its task, and since when."""

    workspace: str
    job: str
    units: int
    task: str
    started_s: float


@dataclass(frozen=True)
class Wanted:
    """A token of a job's demand.

    Attributes:
        name: The token.
        wants: How many units the job asks for.
        capacity, used: How many units there are, and how many are held.
        most: How many the largest machine has that serves the queue.
        host: The machine whose units these are; empty if all share them.
        holders: The jobs that hold units.
    """

    name: str
    wants: int
    capacity: int
    used: int
    most: int
    host: str
    holders: tuple[Held, ...]


@dataclass(frozen=True)
class Prospects:
    """What keeps a job from running, if it has not started: see `lua/include/prospects.lua`.

    Attributes:
        standing: How many living workers of the queue stand in each way (`Worker.stands`).
        idle: How many of the able ones are idle.
        lack: The tokens of which too few units are free.
        keeper: `workspace:job` for which a token is kept; empty for none.
        next: The idle worker that takes the job next; empty for none.
        least_s: How long a worker must live to get it, seconds.
        tokens: The tokens of its demand.
        workers: The living workers of its queue; only of one job.
        refusals: What workers lack for its project; only of one job.
        in_line: Whether it stands in line.
        ready: How many jobs of its queue are ready; only of one job.
        ahead: How many of them come before it; None if that is not known.
        place, of, before: Its place in its line, how many jobs stand there, and the first of those before it; place is
            0 if it does not stand there.
    """

    standing: Mapping[str, int]
    idle: int
    lack: tuple[str, ...]
    keeper: str
    next: str
    least_s: float
    tokens: tuple[Wanted, ...]
    workers: tuple[Worker, ...]
    refusals: tuple[Refusal, ...]
    in_line: bool
    ready: int
    ahead: int | None
    place: int
    of: int
    before: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """The facts of one job.

    Attributes:
        now_s: The server's time, epoch seconds.
        state, execution: The job's state and latest execution at that moment.
        suspended: Whether all workers are suspended.
        pause: The pause of its queue; None without one.
        lease_left_s, lease_s: Of a running job, in how many seconds its lease is over, and how long a lease is; None if
            that is not known.
        steps: Of a waiting job, the way to the job that has to run first: identity and state of each.
        pending: Of a waiting job, how many of the jobs that it needs are not done.
        prospects: Of a job that has not started, what keeps it from running.
    """

    now_s: float
    state: str
    execution: str
    suspended: bool
    pause: Pause | None
    lease_left_s: float | None
    lease_s: float | None
    steps: tuple[tuple[str, str], ...]
    pending: int
    prospects: Prospects


@dataclass(frozen=True)
class Line:
    """A line of a queue: its head, how many jobs stand in it, and what keeps the head from running."""

    head: str
    jobs: int
    prospects: Prospects


@dataclass(frozen=True)
class Page:
    """A page of a queue's lines; `more` says whether there are others, and `pause` is that of the queue, if any."""

    now_s: float
    suspended: bool
    pause: Pause | None
    more: bool
    lines: tuple[Line, ...]


def facts_of(reply: bytes) -> Facts | None:
    """The facts that `why.lua` returned; None if the server does not know the job."""
    if not reply:
        return None
    data = _read(reply)
    now_s, lease_s = _seconds(data, "now"), _seconds(data, "lease_ms") or None
    end_s = _seconds(data, "lease_end")
    left_s = end_s - now_s if end_s else None
    if left_s is not None and lease_s is not None:
        left_s = min(left_s, lease_s)  # it lies further ahead if the server's clock went back
    steps = tuple((str(step[0]), str(step[1])) for step in _list(data, "steps"))
    return Facts(
        now_s, str(data["state"]), str(data.get("execution", "")), bool(data.get("suspended")),
        pause_of(data.get("pause")), left_s, lease_s, steps, int(data.get("pending", 0)), _prospects(data, now_s),
    )  # fmt: skip


def page_of(reply: bytes) -> Page:
    """The lines that `waits.lua` returned."""
    data = _read(reply)
    now_s = _seconds(data, "now")
    lines = (
        Line(
            str(each.get("head", "")),
            int(each["jobs"]),
            _prospects({**each, "in_line": True, "ready": each["jobs"]}, now_s),
        )
        for each in _list(data, "lines")
    )
    pause = pause_of(data.get("pause"))
    return Page(now_s, bool(data.get("suspended")), pause, bool(data.get("more")), tuple(lines))


def damage(error: Exception) -> str:
    """What is wrong with the keys that a script read, by its error: others can write into Redis.

    Raises:
        Exception: The error itself, if it is not about keys, but about what the user may do.
    """
    said = str(error)
    if said.startswith("XPMARG "):
        return f"{said.removeprefix('XPMARG ')} (somebody else wrote it)"
    if "user_script" not in said:
        raise error
    return "what Redis has of it is damaged"


def _read(reply: bytes) -> dict[str, Any]:
    data: dict[str, Any] = shown(json.loads(reply.decode("utf-8", "replace")))
    return data


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a reply. Lua writes an empty one as an empty object."""
    found = data.get(name)
    return found if isinstance(found, list) else []


def _seconds(data: Mapping[str, Any], name: str) -> float:
    return float(data.get(name) or 0) / 1000


def _maybe_seconds(data: Mapping[str, Any], name: str) -> float | None:
    return _seconds(data, name) if data.get(name) is not None else None


def _prospects(data: Mapping[str, Any], now_s: float) -> Prospects:
    return Prospects(
        standing=dict(data.get("standing") or {}),
        idle=int(data.get("idle", 0)),
        lack=tuple(_list(data, "lack")),
        keeper=str(data.get("keeper", "")),
        next=str(data.get("next", "")),
        least_s=float(data.get("least", 0)),
        tokens=tuple(_wanted(each) for each in _list(data, "tokens")),
        workers=tuple(_worker(each) for each in _list(data, "workers")),
        refusals=tuple(Refusal.read(each) for each in _list(data, "refusals")),
        in_line=bool(data.get("in_line")),
        ready=int(data.get("ready", 0)),
        ahead=int(data["ahead"]) if "ahead" in data else None,
        place=int(data.get("place", 0)),
        of=int(data.get("of", 0)),
        before=tuple(_list(data, "before")),
    )


def _worker(row: Mapping[str, Any]) -> Worker:
    return Worker(
        row["name"], row["host"], row["stands"], _maybe_seconds(row, "age"), _maybe_seconds(row, "left"),
        _seconds(row, "lease_left"), row.get("job", ""), row.get("task", ""), _seconds(row, "started"),
    )  # fmt: skip


def _wanted(row: Mapping[str, Any]) -> Wanted:
    holders = tuple(
        Held(each["w"], each["job"], int(each["units"]), each["task"], _seconds(each, "started"))
        for each in _list(row, "holders")
    )
    return Wanted(
        row["name"], int(row["wants"]), int(row["capacity"]), int(row["used"]), int(row["most"]), row["at"], holders
    )
