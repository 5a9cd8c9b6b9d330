"""The server: whether it is fit, what it keeps on disk, its memory, how fast it answers, and its clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from xpm_core.diagnosis.findings import Finding, error, ok, warning
from xpm_core.diagnosis.patient import Patient
from xpm_core.errors import XpmError
from xpm_core.reading.server import server_time
from xpm_core.server import fitness
from xpm_core.store import rights
from xpm_core.words.text import span

PINGS = 7
SLOW_S = 0.05
"""An answer that takes longer slows jobs down, seconds: each job takes a few round trips."""
SKEW_S = 2.0
"""Clocks that differ more make times hard to compare, seconds."""
FULL, NEARLY_FULL = 0.95, 0.8
"""Shares of its memory that a server may use."""
SUBJECT = "redis"


def check(patient: Patient) -> Iterator[Finding]:
    """Examine the server."""
    if patient.view.away is not None:
        yield _of_error(patient.view.away)
        return
    client, url = patient.client, patient.view.connector.url
    try:
        fitness.check(client, url, tries=1)
        rights.check(client, url)
    except XpmError as refused:
        yield _of_error(refused)
    info: Mapping[str, Any] = client.info()
    yield from faults_of(info)
    latency_s, ahead_s = measured(patient)
    if latency_s > SLOW_S:
        yield warning(SUBJECT, f"an answer takes {_milliseconds(latency_s)}", "use a server that is nearer")
    if abs(ahead_s) > SKEW_S:
        yield warning("clock", f"this machine's is {skew(ahead_s)} the server's", "set the clocks by NTP on both")
    yield ok(SUBJECT, f"{summary(info, patient.view.server)}, answers in {_milliseconds(latency_s)}")


def faults_of(info: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with a server, by its INFO, beside what `fitness` refuses."""
    if info.get("aof_last_write_status", "ok") != "ok":
        yield error(SUBJECT, "it could not write its AOF: it takes no writes", "free space on its disk; see its log")
    if info.get("rdb_last_bgsave_status", "ok") != "ok":
        text = "its last snapshot failed (rdb_last_bgsave_status): it may refuse writes until one succeeds"
        yield error(SUBJECT, text, "free space or memory there; see its log")
    if info.get("aof_last_bgrewrite_status", "ok") != "ok":
        yield warning(SUBJECT, "its last AOF rewrite failed: the file grows", "free space on its disk; see its log")
    if not info.get("aof_enabled"):
        text = "AOF is off: a restart forgets jobs that are not done"
        yield warning(SUBJECT, text, "on the server: CONFIG SET appendonly yes, and in its configuration")
    used, limit = int(info.get("used_memory", 0)), memory_limit(info)
    if limit and used >= NEARLY_FULL * limit:
        finding = error if used >= FULL * limit else warning
        remedy = "raise maxmemory, or remove old jobs" if info.get("maxmemory") else "set maxmemory, or add memory"
        yield finding(SUBJECT, f"its memory is {used / limit:.0%} full ({_size(used)} of {_size(limit)})", remedy)


def memory_limit(info: Mapping[str, Any]) -> int:
    """How much memory a server may use: `maxmemory`, or all that its machine has; 0 if that is not known."""
    return int(info.get("maxmemory", 0)) or int(info.get("total_system_memory", 0))


def summary(info: Mapping[str, Any], where: str) -> str:
    """What a server is, by its INFO."""
    program = "valkey" if "valkey_version" in info else "version"
    version = info.get("valkey_version") or info.get("redis_version", "unknown")
    used, limit = int(info.get("used_memory", 0)), memory_limit(info)
    memory = f"memory {_size(used)}" + (f" of {_size(limit)}" if limit else "")
    policy = info.get("maxmemory_policy", "policy unknown")
    return f"{where}, {program} {version}, AOF {'on' if info.get('aof_enabled') else 'off'}, {memory}, {policy}"


def measured(patient: Patient) -> tuple[float, float]:
    """How long an answer takes, the median of some; and how far this machine's clock is ahead. Both in seconds."""
    took, ahead = [], []
    for _ in range(PINGS):
        asked, began = time.time(), time.perf_counter()
        there_s = server_time(patient.client)
        took.append(time.perf_counter() - began)
        ahead.append(asked + took[-1] / 2 - there_s)
    return median(took), ahead[took.index(min(took))]


def skew(ahead_s: float) -> str:
    """A difference of two clocks in words.

    Example:
        >>> skew(-4.2)
        '4 s behind'
    """
    return f"{span(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'}"


def _of_error(found: XpmError) -> Finding:
    """A finding that says what an error says."""
    where, problem, remedy = (getattr(found, name, "") for name in ("where", "problem", "remedy"))
    if where and problem:
        return error(SUBJECT, f"{where.removeprefix('Redis at ')}: {problem}", remedy)
    return error(SUBJECT, str(found), "")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _size(number: int) -> str:
    """A size in bytes, rounded."""
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB")):
        if number >= 1000**power:
            return f"{number / 1000**power:.3g} {unit}"
    return f"{number / 1000:.0f} kB"
