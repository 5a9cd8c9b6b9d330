"""Whether the own server of a workspace runs, for somebody who must not start it."""

from __future__ import annotations

from pathlib import Path

from xpm_core.server.embedded.record import ServerRecord


def running_url(workspace: Path) -> str | None:
    """The address of a workspace's own server, if it runs on this machine; else None. Nothing is made or locked.

    The caller is no user of the server, so it may end at any time.

    Args:
        workspace: The directory of the workspace.
    """
    try:
        record = ServerRecord.read(workspace / ".xpm" / "redis")
    except OSError:  # it belongs to another user
        return None
    return f"unix://{record.socket}" if record is not None and not record.elsewhere and record.reachable else None
