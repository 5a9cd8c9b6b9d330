"""How the server of a workspace stands: where it runs, since when, and whether it can be reached from here.

It works for each kind of server: one for several machines, the workspace's embedded one, and one that settings name.
Nothing is started.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from xpm_core.errors import RedisUnavailableError, XpmError
from xpm_core.server import connection, notice, probe
from xpm_core.server.address import locate
from xpm_core.server.embedded.record import ServerRecord, client_of
from xpm_core.server.notice import Notice
from xpm_core.server.url import safe_url
from xpm_core.workspace.workspace import Workspace

SHARED, NAMED, EMBEDDED = "shared", "named", "embedded"
"""The kinds: started by `xpm server start`; named by somebody; the workspace's own, which runs while it is used."""

LEASE_S = 10.0


@dataclass(frozen=True)
class ServerStatus:
    """How a server stands.

    Attributes:
        kind: One of the three kinds.
        address: Its address without a password.
        source: What names it.
        problem: Why it cannot be reached from here, and what to do; empty if it can be.
        notice: Where it was started; None unless it is a shared one.
        info: What the server says of itself (INFO), if it can be reached.
    """

    kind: str
    address: str
    source: str
    problem: str = ""
    notice: Notice | None = None
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def reachable(self) -> bool:
        """Whether it answers here."""
        return bool(self.info)

    @property
    def program(self) -> str:
        """The name and the version of its program: `valkey 8.1.8`."""
        name = self.info.get("server_name", "redis")
        return f"{name} {self.info.get(f'{name}_version', 'unknown')}"

    @property
    def persists(self) -> bool:
        """Whether it writes all that it has acknowledged, and has done so without an error."""
        return self.info.get("aof_enabled") == 1 and self.info.get("aof_last_write_status") == "ok"


def status_of(workspace: Workspace, redis_url: str | None) -> ServerStatus:
    """Find out how the server of a workspace stands.

    Args:
        workspace: The workspace.
        redis_url: An address that the user gave; None without one.

    Raises:
        RedisUrlError, SettingsError: The address cannot be found out.
    """
    found = locate(workspace.path, redis_url)
    if found.url is None:
        return _embedded(workspace.path)
    known = Notice.read(workspace.path)
    if known is not None and not known.is_at(found.url):
        known = None
    kind = NAMED if known is None else SHARED
    try:
        with notice.explained(workspace.path, found.url), connection.open(found.url, lease_s=LEASE_S) as client:
            info = _info(client, found.url)
    except XpmError as error:
        return ServerStatus(kind, safe_url(found.url), found.source, str(error), known)
    return ServerStatus(kind, safe_url(found.url), found.source, "", known, info)


def _info(client: redis.Redis, url: str) -> dict[str, Any]:
    try:
        return dict(client.info())
    except redis.RedisError as error:
        fault = probe.cause_of(error, client)
        raise RedisUnavailableError(f"Redis at {safe_url(url)}", fault.problem, fault.remedy) from error


def _embedded(workspace: Path) -> ServerStatus:
    """The embedded server, if it runs on this machine at the moment."""
    try:
        record = ServerRecord.read(workspace / ".xpm" / "redis")
    except OSError:  # it belongs to another user
        record = None
    if record is None or record.elsewhere:
        where = "" if record is None else f"on host {record.host}, for that machine alone"
        return ServerStatus(EMBEDDED, EMBEDDED, "default", where)
    with client_of(record.socket) as client:
        try:
            return ServerStatus(EMBEDDED, EMBEDDED, "default", "", None, dict(client.info()))
        except redis.RedisError:
            return ServerStatus(EMBEDDED, EMBEDDED, "default")
