"""Whether a payload yields the identity that it claims, found out without importing any class.

Owns: what is compared: the identity, the name of the task, and the readable parameters beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from xpm_core.errors import MismatchError, PayloadError
from xpm_core.exchange.identities.digests import MOST_CHOICES, PLAIN, Choices, choices_for, digests
from xpm_core.exchange.identities.graph import AGAIN, Graph, read_graph
from xpm_core.exchange.identities.values import Key, Reference
from xpm_core.language.identity.description import LONGEST_INTEGER


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


def description_problem(described: Mapping[str, Any], verified: Verified) -> str:
    """What a description, the content of `params.json`, says otherwise than the payload; empty if they agree.

    Values that JSON has no type for are not compared.
    """
    graph, root = verified.graph, verified.graph.root
    if described.get("identity") != verified.digests[root].hex():
        return "its identity is another one"
    if described.get("task") != graph.task:
        return "its task is another one"
    return _Comparison(verified).configuration("", described, root)


class _Comparison:
    def __init__(self, verified: Verified) -> None:
        self._nodes, self._digests = verified.graph.nodes, verified.digests

    def configuration(self, where: str, described: Mapping[str, Any], key: Key) -> str:
        identity, parameters = described.get("identity"), described.get("parameters")
        if "see" in described:
            return ""
        if identity != self._digests[key].hex():
            return f"{where or 'the task'} has another identity"
        if not isinstance(parameters, dict):
            return ""
        values = self._nodes[key].values
        if parameters.keys() != values.keys():
            other = sorted(parameters.keys() ^ values.keys())[0]
            return f"{where}{other} is in one of both only"
        problems = (self.value(f"{where}{name}", parameters[name], values[name]) for name in parameters)
        return next(filter(None, problems), "")

    def value(self, where: str, described: Any, value: Any) -> str:
        if type(value) is Reference:
            return self.configuration(f"{where}.", described, value.key) if isinstance(described, dict) else where
        if isinstance(value, list):
            if not isinstance(described, list) or len(described) != len(value):
                return f"{where} is another list"
            pairs = enumerate(zip(described, value, strict=True))
            return next(filter(None, (self.value(f"{where}[{i}]", *pair) for i, pair in pairs)), "")
        if isinstance(value, dict) and value and all(type(name) is str for name in value):
            if not isinstance(described, dict) or described.keys() != value.keys():
                return f"{where} is another dict"
            return next(
                filter(None, (self.value(f"{where}[{name!r}]", described[name], value[name]) for name in value)), ""
            )
        plain = value is None or isinstance(value, (bool, str, int, float))
        return "" if not plain or _same(described, value) else f"{where} has another value"


def _same(described: Any, value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > LONGEST_INTEGER:
        return bool(described == {"int": hex(value)})
    if isinstance(value, float):
        known = value if math.isfinite(value) else {"float": repr(value)}
        return bool(described == known) and not isinstance(described, bool)
    return type(described) is type(value) and bool(described == value)
