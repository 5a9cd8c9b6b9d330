"""A server in use: its address, the connections to it, and the tokens that belong to it.

Owns: finding, attaching and checking a server in one go, for a workspace or without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.server import connection, fitness
from xpm_core.server.address import locate
from xpm_core.server.notice import explained
from xpm_core.store import rights, tokens
from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from redis import Redis

    from xpm_core.server.embedded.server import EmbeddedServer
    from xpm_core.workspace.workspace import Workspace

BRIEF_S = 1.0
"""How long a brief connection waits for an answer before it tries once more, seconds."""


class Connector:
    """The connections of a script to one server; it also creates tokens there.

    `connect(url)` makes one; an experiment has its own as `xp.connector`. When it is closed, its connections are
    closed. An embedded server stops when its last user has closed its connector.

    Args:
        url: The server's address.
        lease_s: The lease that time-outs follow, seconds.
        embedded: The server, if it is the workspace's own.
        looks: Whether the connections are only to look. Then the server is not checked: no command is sent.

    Raises:
        RedisUrlError: The address cannot be understood.
        RedisUnavailableError: The server does not answer.
        RedisUnfitError: The server could lose jobs.

    Example:
        with connect("redis://head:6379/0") as connector:
            token = connector.createtoken("gpu", 4)
    """

    def __init__(
        self, url: str, *, lease_s: float, embedded: EmbeddedServer | None = None, looks: bool = False
    ) -> None:
        self.url = url
        self.embedded = embedded
        self._lease_s = lease_s
        self._blocking: Redis | None = None
        self._brief: Redis | None = None
        self.client = connection.open(url, lease_s=lease_s)
        if looks:
            return
        try:
            fitness.check(self.client, url)
            rights.check(self.client, url)
        except BaseException:
            self.close()
            raise

    @classmethod
    def of_workspace(cls, workspace: Workspace, redis: str | None, lease_s: float, *, looks: bool = False) -> Connector:
        """Find the server of a workspace and connect to it. If no server is named, embed one.

        Args:
            workspace: The workspace.
            redis: The address that the user gave; None without one.
            lease_s: The lease that time-outs follow, seconds.
            looks: Whether the connections are only to look, see the class.

        Raises:
            RedisUnavailableError: The server does not answer.
            RedisUnfitError: The server could lose jobs.
        """
        address = locate(workspace.path, redis)
        if address.url is not None:
            with explained(workspace.path, address.url):
                return cls(address.url, lease_s=lease_s, looks=looks)
        from xpm_core.server.embedded.server import EmbeddedServer  # late, because it is slow to import

        embedded = EmbeddedServer.attach(workspace)
        return cls(embedded.url, lease_s=lease_s, embedded=embedded, looks=looks)

    @property
    def blocking(self) -> Redis:
        """A separate connection for blocking reads, made on first use."""
        if self._blocking is None:
            self._blocking = connection.open(self.url, lease_s=self._lease_s, blocking=True)
        return self._blocking

    @property
    def brief(self) -> Redis:
        """A separate connection for a script that is about to leave and must not wait, made on first use."""
        if self._brief is None:
            self._brief = connection.open(self.url, lease_s=5 * BRIEF_S)
        return self._brief

    @edge
    def createtoken(
        self, name: str, count: int, *, scope: str = "server", units: bool = False, env: str = ""
    ) -> tokens.Token:
        """Create a token with `count` units. If it exists, set how many units it has.

        Args:
            name: Letters, digits, `_`, `.` and `-`, at most 64.
            count: How many units there are, at least 1.
            scope: "server": all hosts share the units; "host": each worker's host has its own.
            units: Whether units are numbered. A job then learns which ones it holds.
            env: A variable of the job's environment that names its units, such as CUDA_VISIBLE_DEVICES. It implies
                `units`.

        Raises:
            TokenNameError: The name of the token, or of the variable, cannot be used.
            TokenRequestError: The count is below 1.
            TokenClashError: It exists with another scope or numbering.

        Example:
            gpu = xp.connector.createtoken("gpu", 4, scope="host", env="CUDA_VISIBLE_DEVICES")
            learn.add_dependencies(gpu.dependency(1)).submit()
        """
        return tokens.create_token(self.client, name, count, scope=scope, units=units, env=env)

    @edge
    def limitpasses(self, count: int) -> None:
        """Set how often later jobs may pass a job that waits for more tokens than are free, on the whole server.

        Args:
            count: How often, at least 1. A server on which it was never set counts to 200.

        Raises:
            SettingsError: The count is below 1.
        """
        tokens.limit_passes(self.client, count)

    def close(self) -> None:
        """Close the connections, and stop using an embedded server."""
        for client in (self.client, self._blocking, self._brief):
            if client is not None:
                client.close()
        if self.embedded is not None:
            self.embedded.close()

    def __enter__(self) -> Connector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@edge
def connect(url: str, *, lease_s: float = DEFAULT_LEASE_S) -> Connector:
    """Connect to a server outside of an experiment.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        lease_s: The lease that time-outs follow, seconds.

    Raises:
        RedisUrlError: The address cannot be understood.
        RedisUnavailableError: The server does not answer.
        RedisUnfitError: The server could lose jobs.

    Example:
        with connect("redis://head:6379/0") as connector:
            token = connector.createtoken("gpu", 4)
    """
    return Connector(url, lease_s=lease_s)
