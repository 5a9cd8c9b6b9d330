"""Who types a command: for pauses and orders, which others see."""

from __future__ import annotations

from xpm_core.script.this_process import about


def user_at_host() -> str:
    """The user and the machine: `alice@node1`."""
    own = about()
    return f"{own['user']}@{own['host']}"
