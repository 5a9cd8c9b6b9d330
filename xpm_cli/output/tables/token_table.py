"""The tokens of a server as a table, and for programs.

Owns: the columns, and the fields that programs get (docs/reference/json.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from xpm_cli.output.terminal import Terminal
from xpm_core.labels import short
from xpm_core.reading.tokens import TokenState

HOLDERS = 4
"""How many of the jobs that hold a token are named."""


def table(tokens: Sequence[TokenState], workspace_id: str, terminal: Terminal) -> list[str]:
    """The lines to print.

    Args:
        tokens: The tokens.
        workspace_id: The workspace whose jobs are named.
        terminal: What the terminal can show.
    """
    if not tokens:
        return ["no tokens: a script creates one by connector.createtoken"]
    rows = [["TOKEN", "HELD", "WAITING", "HELD BY"]]
    rows += [[each.name, held(each), _waiting(each), _holders(each, workspace_id)] for each in tokens]
    return terminal.table(rows)


def held(token: TokenState) -> str:
    """`3 of 4`; with units of each host, `3 of 4 on gpu-a, 0 of 4 on gpu-b`."""
    if token.scope != "host":
        return f"{token.held} of {token.capacity}"
    hosts = [f"{used} of {token.capacity} on {host}" for host, used in sorted(token.used.items()) if host]
    return ", ".join(hosts) or f"0 of {token.capacity} on each host"


def _waiting(token: TokenState) -> str:
    if not token.waiting:
        return "-"
    return f"{token.waiting}: {_listed(map(short, token.first), token.waiting)}"


def _holders(token: TokenState, workspace_id: str) -> str:
    """The jobs that hold units: `3f2a91c 2, c41d9e0 1`; those of other workspaces are counted."""
    own, others = holders(token, workspace_id)
    named = [f"{short(identity)} {units}" for identity, units in own]
    known = [_listed(named[:HOLDERS], len(named))] if named else []
    return ", ".join([*known, *([f"other workspaces {others}"] if others else [])]) or "-"


def holders(token: TokenState, workspace_id: str) -> tuple[list[tuple[str, int]], int]:
    """The jobs of a workspace that hold units, each with how many; and how many jobs of other workspaces hold."""
    own, others = [], 0
    for holder, units in sorted(token.holders.items()):
        workspace, identity, _ = holder.split(":", 2)
        if workspace == workspace_id:
            own.append((identity, units))
        else:
            others += units
    return own, others


def _listed(names: Iterable[str], total: int) -> str:
    found = list(names)
    return ", ".join([*found, *(["…"] if total > len(found) else [])])


def token_summary(token: TokenState) -> dict[str, Any]:
    """How a token stands, for programs that look at the whole workspace."""
    return {
        "name": token.name,
        "capacity": token.capacity,
        "used": token.held,
        "scope": token.scope,
        "waiting": token.waiting,
        "first": token.first,
    }


def token_record(token: TokenState) -> dict[str, Any]:
    """The record of a token for programs, with those that hold it."""
    return {
        **token_summary(token),
        "used_by_host": {host: used for host, used in token.used.items() if host},
        "holders": [_holder(name, units) for name, units in sorted(token.holders.items())],
    }


def _holder(name: str, units: int) -> dict[str, Any]:
    workspace, identity, execution = name.split(":", 2)
    return {"workspace": workspace, "job": identity, "execution": execution, "units": units}
