"""Which server a workspace uses.

Owns: the order in which an address is looked for, and warnings about passwords that others can read. Nothing is
connected to here, and no server is started.
"""

from __future__ import annotations

import logging
import os
import shlex
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from xpm_core.project.settings import look_up, open_to, users_file
from xpm_core.server.url import URL_VARIABLE, check_url, has_password, safe_url, with_files_in

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerAddress:
    """Where the server of a workspace is."""

    url: str | None = field(repr=False)
    """Its URL, which may hold a password; None for an embedded server."""

    source: str
    """Where the URL was found: `redis=`, `XPM_REDIS_URL`, the path of a settings file, or `embedded`."""

    def __str__(self) -> str:
        return f"{safe_url(self.url)} (from {self.source})" if self.url else "embedded server"


def locate(workspace: Path, redis: str | None = None) -> ServerAddress:
    """Find out which server a workspace uses.

    Args:
        workspace: The workspace's directory.
        redis: A URL given by the user. Without it, XPM_REDIS_URL counts, then a settings file; if none names a server,
            the workspace uses an embedded one.

    Raises:
        RedisUrlError: The URL cannot be understood.
        SettingsError: A settings file cannot be read or understood.

    Example:
        >>> str(locate(Path("/data/xpm"), "redis://head:6379/0"))
        'redis://head:6379/0 (from redis=)'
    """
    if redis is not None:
        return ServerAddress(check_url(redis), "redis=")
    from_environment = os.environ.get(URL_VARIABLE)
    if from_environment:
        return ServerAddress(check_url(from_environment), URL_VARIABLE)
    found = look_up("redis", workspace)
    if found is None:
        return ServerAddress(None, "embedded")
    url, file = found.value, found.file
    if has_password(check_url(url)) and (readers := open_to(file, workspace)):
        _warn_once(f"{file}: holds a password, and {readers} can read it. Close it: chmod 600 {shlex.quote(str(file))}")
    return ServerAddress(with_files_in(url, file.parent), str(file))


def warn_of_password(url: str | None, workspace: Path) -> None:
    """Warn if the URL given by `--redis` holds a password, because others can read it there.

    Args:
        url: The argument; None when it was not given.
        workspace: The workspace's directory.
    """
    if url is not None and has_password(check_url(url)):
        remedy = f"Set {URL_VARIABLE} instead, or put it into {users_file()}, of mode 600"
        _warn_once(f"--redis: everybody on this machine can read its password (ps). {remedy}.")


@cache
def _warn_once(text: str) -> None:
    log.warning("%s", text)
