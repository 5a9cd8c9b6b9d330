"""An open socket at which a page is served: a port of this machine, or a Unix socket.

It is opened here and handed to uvicorn open, because uvicorn's own Unix socket can be written by everybody.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from xpm_cli.page.serving.private_folder import held, private_folder
from xpm_core.errors import PageError

LOOPBACK = "127.0.0.1"
FORWARDED = 8080
"""The port on the user's own computer that the line for ssh names."""
NEXT = 50
"""How many ports after a taken one are tried, before the system chooses one."""
_BACKLOG = 128
_PATIENCE_S = 0.5


@dataclass(frozen=True)
class Listening:
    """Where a page listens.

    Attributes:
        socket: The open socket.
        path: The Unix socket's path; empty for a port.
        host: The address that a port belongs to; empty for a Unix socket.
        port: The port; 0 for a Unix socket.
        taken: The port that was asked for and that another process has; 0 if there is none.
        files: What is removed when it is closed, such as the file of the socket.
    """

    socket: socket.socket = field(repr=False)
    path: str = ""
    host: str = ""
    port: int = 0
    taken: int = 0
    files: list[str] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """What tells this page from others of this machine: its port, or the name of its socket."""
        return str(self.port) if self.port else Path(self.path).stem

    def cookie(self, workspace: str) -> str:
        """The name of its cookie. The port alone would not do: through `ssh -L`, pages of two machines have one host.

        Args:
            workspace: The id of the workspace.
        """
        where = sha256(f"{socket.gethostname()}\0{workspace}".encode()).hexdigest()[:8]
        return f"xpm-{self.name}-{where}"

    def url(self, token: str, scheme: str = "http") -> str:
        """The address for a browser: for a Unix socket, that behind `ssh -L`.

        Args:
            token: The token of the page; empty for none.
            scheme: http or https.
        """
        host = {"": "localhost", "0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}:{self.port or FORWARDED}/{f'?token={token}' if token else ''}"

    def close(self) -> None:
        """Close the socket, and remove the files. A second call does nothing."""
        while self.files:
            with suppress(OSError):
                os.unlink(self.files.pop())
        self.socket.close()


def on_port(port: int, host: str = LOOPBACK) -> Listening:
    """Listen on a port. If it is taken, the next free one is used.

    Args:
        port: The port; 0 for a free one.
        host: The address or the name that it belongs to.

    Raises:
        PageError: This machine has no such address, or the user may not have the port.
    """
    candidates = [0] if not port else [*range(port, min(port + NEXT, 65536)), 0]
    try:
        family, *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise PageError(f"--host {host}", f"it has no address: {error.strerror}", "Name another one.") from error
    for candidate in candidates:
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a port that was just left looks taken
            opened.bind((address[0], candidate, *address[2:]))
            opened.listen(_BACKLOG)
        except OSError as error:
            opened.close()
            if error.errno == errno.EADDRINUSE:
                continue
            remedy = "Take one above 1023." if error.errno == errno.EACCES else "Name an address of this machine."
            wrong = (error.strerror or str(error)).lower()
            raise PageError(f"Port {candidate} of {host}", f"cannot be opened: {wrong}", remedy) from error
        found = opened.getsockname()[1]
        return Listening(opened, host=host, port=found, taken=port if port not in (0, found) else 0)
    raise PageError(f"Port {port} of {host}", "is taken, and no other one is free", "End a program that has one.")


def on_socket(workspace: str) -> Listening:
    """Listen on a Unix socket that only this user can open. It is named by the workspace, so it is the same each time.

    Args:
        workspace: The workspace's path.

    Raises:
        PageError: No folder can be made for it.
    """
    folder, place = private_folder(), os.path.abspath(workspace)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(place))[:24].lstrip(".") or "page"
    name += f"-{sha256(place.encode()).hexdigest()[:6]}"
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with held(folder):
            _remove_left(folder)
            number = next(n for n in range(1, 10**6) if not os.path.lexists(_path(folder, name, n)))
            path = _path(folder, name, number)
            opened.bind(path)
            os.chmod(path, 0o600)
            opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        wrong = (error.strerror or str(error)).lower()
        raise PageError(
            folder, f"no socket can be made there: {wrong}", "Serve the page on a port: --port 0."
        ) from error
    return Listening(opened, path=path, files=[path])


def is_loopback(host: str) -> bool:
    """Whether only processes of this machine reach an address.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _path(folder: str, name: str, number: int) -> str:
    return f"{folder}/{name}{'' if number == 1 else f'-{number}'}.sock"


def _remove_left(folder: str) -> None:
    """Remove the sockets of processes that have ended without doing so. Nobody listens there."""
    for entry in os.listdir(folder):
        if not entry.endswith(".sock"):
            continue
        path = f"{folder}/{entry}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_PATIENCE_S)
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                with suppress(OSError):
                    os.unlink(path)
            except OSError:  # it may be busy; or another program has put it there
                continue
