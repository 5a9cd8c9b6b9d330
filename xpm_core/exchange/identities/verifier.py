"""Whether a payload yields the identity that it claims, found out without importing any class.

Owns: what is compared: the identity, and the name of the task. descriptions.py compares the readable parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from xpm_core.errors import MismatchError, PayloadError
from xpm_core.exchange.identities.digests import MOST_CHOICES, PLAIN, Choices, choices_for, digests
from xpm_core.exchange.identities.graph import AGAIN, Graph, read_graph
from xpm_core.exchange.identities.values import Key


class Verified(NamedTuple):
    """A payload whose identity was verified.

    Attributes:
        graph: Its configurations.
        digests: Their digests.
    """

    graph: Graph
    digests: dict[Key, bytes]

    @property
    def jobs(self) -> set[str]:
        """The identities of the jobs that its parameters use."""
        used = {self.digests[key].hex() for key, node in self.graph.nodes.items() if node.job is not None}
        return used.union(self.graph.sources)


class Verifier:
    """Verifies payloads of one file. It remembers what it has found out about classes.

    Args:
        part: Returns the content of a part, by its digest.

    Example:
        >>> Verifier(parts.get).verify(payload, identity).graph.task
        'sweep:Train'
    """

    def __init__(self, part: Callable[[bytes], bytes]) -> None:
        self._part = part
        self._learnt: list[Choices] = []

    def verify(self, payload: bytes, identity: str) -> Verified:
        """Compute the identity that a payload yields, and compare.

        Raises:
            PayloadError: It yields another one, or is malformed.
        """
        graph = read_graph(payload, self._part)
        wanted = bytes.fromhex(identity)
        plain = found = self._digests(graph, PLAIN)
        if found.get(graph.root) != wanted:
            found = self._search(graph, wanted)
        if not found:
            yields = f"it yields {plain[graph.root].hex()[:7]}" if plain else "it yields none"
            wrong = f"{yields}, not {identity[:7]}, under any of {MOST_CHOICES} choices of what counts in it"
            raise PayloadError("payload", wrong, AGAIN)
        if graph.root_class() != graph.task:
            raise PayloadError("payload", f"it is a {graph.root_class()}, and says {graph.task}", AGAIN)
        return Verified(graph, found)

    def _search(self, graph: Graph, wanted: bytes) -> dict[Key, bytes]:
        for choices in (*self._learnt, *choices_for(graph)):
            found = self._digests(graph, choices)
            if found.get(graph.root) == wanted:
                if choices not in self._learnt:
                    self._learnt.append(choices)
                return found
        return {}

    @staticmethod
    def _digests(graph: Graph, choices: Choices) -> dict[Key, bytes]:
        """The digests under some choices; none if a value cannot be hashed so."""
        try:
            return digests(graph, choices)
        except (MismatchError, RecursionError, ValueError, TypeError):
            return {}
