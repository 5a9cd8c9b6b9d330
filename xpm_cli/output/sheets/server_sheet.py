"""How a server stands, for people and for programs.

Owns: the lines, and the fields that programs get (docs/reference/json.md).
"""

from __future__ import annotations

import time
from typing import Any

from xpm_cli.output.json_form import moment
from xpm_cli.output.terminal import Terminal
from xpm_core.server.shared.status import EMBEDDED, NAMED, SHARED, ServerStatus
from xpm_core.words.text import ago, plural

MEANING = {
    SHARED: "for several machines, by xpm server start",
    NAMED: "not started by xpm",
    EMBEDDED: "for one machine at a time, while scripts or workers use it",
}


def sheet(status: ServerStatus, terminal: Terminal) -> list[str]:
    """The lines to print."""
    lines = [
        terminal.entry("server", [status.address, MEANING[status.kind]]),
        terminal.entry("from", [status.source]),
    ]
    if status.notice is not None:
        here = "" if status.notice.elsewhere else " (this machine)"
        since = ago(max(time.time() - status.notice.started_s, 0))
        lines.append(terminal.entry("host", [f"{status.notice.host}{here}", f"started {since}"]))
        lines.append(terminal.entry("listens", [f"at {status.notice.listening.bind}", _encryption(status)]))
    if status.reachable:
        info = status.info
        lines.append(terminal.entry("program", [status.program, f"process {info.get('process_id', 'unknown')}"]))
        clients = plural(int(info.get("connected_clients", 0)), "client")
        lines.append(terminal.entry("memory", [f"{int(info.get('used_memory', 0)) / 1e6:.1f} MB", clients]))
        lines.append(terminal.entry("keeps", [_persistence(status), str(info.get("maxmemory_policy", ""))]))
    return [*lines, terminal.entry("reachable", [_reachable(status)])]


def _reachable(status: ServerStatus) -> str:
    if status.reachable:
        return "from here, yes"
    if status.kind == EMBEDDED:
        return status.problem or "it does not run now"
    return f"from here, no: {status.problem}"


def _encryption(status: ServerStatus) -> str:
    assert status.notice is not None
    return "TLS" if status.notice.listening.tls_cert else "not encrypted"


def _persistence(status: ServerStatus) -> str:
    if status.persists:
        return "all data, in its append-only file"
    return "not all data: its append-only file is off, or cannot be written"


def server_record(status: ServerStatus) -> dict[str, Any]:
    """The record of a server for programs."""
    notice, info = status.notice, status.info
    return {
        "kind": status.kind,
        "address": status.address,
        "source": status.source,
        "reachable": status.reachable,
        "problem": status.problem or None,
        "host": None if notice is None else notice.host,
        "started": None if notice is None else moment(notice.started_s),
        "bind": None if notice is None else notice.listening.bind,
        "tls": None if notice is None else bool(notice.listening.tls_cert),
        "pid": info.get("process_id"),
        "program": status.program if status.reachable else None,
        "memory_bytes": info.get("used_memory"),
        "clients": info.get("connected_clients"),
        "persists": status.persists if status.reachable else None,
        "eviction": info.get("maxmemory_policy"),
    }
