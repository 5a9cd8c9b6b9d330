"""Where the server of a workspace runs that `xpm server start` has started for several machines.

    <workspace>/.xpm/server.json    host, time and how the server listens; no password

Everybody who can read the workspace may read this file. While it exists, no embedded server is started, because the two
have the same data. The address with the password is in `<workspace>/.xpm/settings.toml`.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from xpm_core.errors import RedisUnavailableError
from xpm_core.server import faults
from xpm_core.words.text import ago
from xpm_core.workspace.files import write_atomic

_UNNAMED = (
    "This machine does not know that name. On host {host}, stop the server, and give it one that all machines know: "
    "xpm server start --advertise ADDRESS"
)

ALL = "*"
"""As an address to listen at: all addresses of the machine."""


@dataclass(frozen=True)
class Listening:
    """How a server listens. Each may be empty, or 0, if it is to be chosen.

    Attributes:
        bind: The address of this machine at which it listens; `*` for all.
        port: The port.
        advertise: The name or address by which other machines reach this one.
        tls_cert: The file of its certificate; empty without TLS.
        tls_key: The file of the key that belongs to it.
        tls_ca: The file of the authority that has signed it; empty if all machines trust that one already.
    """

    bind: str = ""
    port: int = 0
    advertise: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""

    def __str__(self) -> str:
        return f"{f'[{self.advertise}]' if ':' in self.advertise else self.advertise}:{self.port}"


@dataclass(frozen=True)
class Notice:
    """A server for several machines that was started, and was not stopped."""

    host: str
    boot: str
    """Id of the boot of that host; empty where the system has none."""
    started_s: float
    """When it was started, epoch seconds."""
    listening: Listening

    @classmethod
    def of(cls, listening: Listening) -> Notice:
        """The notice of a server that was just started here."""
        return cls(socket.gethostname(), boot_id(), time.time(), listening)

    @classmethod
    def read(cls, workspace: Path) -> Notice | None:
        """The notice of a workspace; None if there is none, or this user may not read it."""
        try:
            found = json.loads(notice_file(workspace).read_bytes())
            listening = Listening(**{each.name: found["listening"][each.name] for each in fields(Listening)})
            return cls(found["host"], found["boot"], found["started_s"], listening)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, workspace: Path) -> None:
        """Write it into a workspace.

        Raises:
            WorkspaceError: It cannot be written.
        """
        write_atomic(notice_file(workspace), json.dumps(asdict(self)).encode() + b"\n", durable=True)

    @property
    def elsewhere(self) -> bool:
        """Whether that is another machine than this one."""
        return is_elsewhere(self.host, self.boot)

    def is_at(self, url: str) -> bool:
        """Whether a URL is that of this server."""
        try:
            parts = urlsplit(url)
            return parts.port == self.listening.port and parts.hostname == self.listening.advertise.lower()
        except ValueError:  # it is no URL
            return False

    def remedy(self, workspace: Path) -> str:
        """What to do if it cannot be reached."""
        command = f"xpm server start -w {shlex.quote(str(workspace))}"
        if not self.elsewhere:
            return f"Start it again: {command}"
        return (
            f"It was started on host {self.host}, {ago(max(time.time() - self.started_s, 0))}. If it runs there, open "
            f"port {self.listening.port} for this machine. Else start it again there: {command}"
        )


def boot_id() -> str:
    """Id of this machine's current boot; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def is_elsewhere(host: str, boot: str) -> bool:
    """Whether a host, of which the name and the id of a boot are known, is another machine than this one."""
    return host != socket.gethostname() and (not boot or boot != boot_id())


def notice_file(workspace: Path) -> Path:
    """The file of the notice. It need not exist."""
    return workspace / ".xpm" / "server.json"


@contextlib.contextmanager
def explained(workspace: Path, url: str) -> Iterator[None]:
    """Let an error of the block say who can start a server again that cannot be reached, and where.

    Args:
        workspace: The workspace's directory.
        url: The address of the server.

    Raises:
        RedisUnavailableError: The block has raised it.
    """
    try:
        yield
    except RedisUnavailableError as error:
        notice = Notice.read(workspace)
        away, unnamed = error.remedy == faults.START, error.remedy == faults.NO_HOST.remedy
        if notice is None or not notice.is_at(url) or not (away or unnamed):
            raise
        remedy = notice.remedy(workspace) if away else _UNNAMED.format(host=notice.host)
        raise RedisUnavailableError(error.where, error.problem, remedy) from error
