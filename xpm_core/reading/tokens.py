"""The tokens of the server: how many units each has, which jobs hold them, and which jobs wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpm_core.reading.jobs import parse_demand
from xpm_core.store import keys
from xpm_core.store.replies import text_of

if TYPE_CHECKING:
    from redis import Redis

HEADS = 3
"""How many of the jobs that wait for a token are named."""


@dataclass(frozen=True)
class TokenState:
    """A token as it stands.

    Attributes:
        name: Its name.
        capacity: How many units there are.
        used: How many units are held, by host; the host is "" if all hosts share the units.
        scope: "server", or "host" if each host has its own units.
        holders: How many units each execution holds; its name is `workspace:identity:execution`.
        waiting: How many ready jobs of this workspace ask for it.
        first: The identities of the first of these.
        numbered: Whether its units are numbered.
    """

    name: str
    capacity: int
    used: dict[str, int]
    scope: str
    holders: dict[str, int]
    waiting: int
    first: list[str]
    numbered: bool = False

    @property
    def held(self) -> int:
        """How many units are held, on all hosts together."""
        return sum(self.used.values())


class TokenReader:
    """Reads the tokens of the server. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id

    def read(self) -> list[TokenState]:
        """Return the server's tokens, sorted by name. Of the jobs that wait, those of this workspace count."""
        return [self._token(name) for name in sorted(map(text_of, self._client.smembers(keys.tokens)))]

    def _token(self, name: str) -> TokenState:
        fields, held = self._client.hgetall(keys.token(name)), self._client.hgetall(keys.token_holders(name))
        return token_of(name, fields, held, *self._waiting(name))

    def _waiting(self, token: str) -> tuple[int, list[str]]:
        """How many ready jobs ask for a token, and the first of them."""
        client, w = self._client, self._w
        total, heads = 0, []
        for place in map(text_of, client.hkeys(keys.token_queues(token))):
            workspace, _, queue = place.partition("|")
            if workspace == w:
                for demand in map(text_of, client.zrange(keys.lines(w, queue), 0, -1)):
                    if token in parse_demand(demand):
                        line = keys.line(w, queue, demand)
                        total += client.zcard(line)
                        first: Any = client.zrange(line, 0, HEADS - 1, withscores=True)
                        heads += [(order, text_of(identity)) for identity, order in first]
        return total, [identity for _, identity in sorted(heads)[:HEADS]]


def token_of(
    name: str, fields: Mapping[Any, Any], held: Mapping[Any, Any], waiting: int, first: list[str]
) -> TokenState:
    """A token, by its hash, the hash of its holders, how many jobs wait for it, and the first of them."""
    known = {text_of(key): text_of(value) for key, value in fields.items()}
    used = {key.partition("@")[2]: int(n) for key, n in known.items() if key.startswith("used")}
    holders = {text_of(holder): int(text_of(value).partition("|")[0]) for holder, value in held.items()}
    capacity, numbered = int(known["capacity"]), known.get("units") == "1"
    return TokenState(name, capacity, used or {"": 0}, known["scope"], holders, waiting, first, numbered)
