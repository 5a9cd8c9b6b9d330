"""The digest of a configuration from a payload alone, as docs/reference/identity.md defines it.

A payload shows all that is hashed, with two exceptions. Both are in the classes, which are not imported here:

- which fields of an object of dataclasses or attrs do not count (`compare=False`, `eq=False`);
- which classes are instances (`InstanceConfig`), so that two equal ones are not the same.

`Choices` says of both what is assumed. An identity is a digest: if a choice yields it, this choice was the right one.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import combinations, islice
from typing import Any, NamedTuple

from xpm_core.errors import MismatchError
from xpm_core.exchange.identities.graph import Graph, Node
from xpm_core.exchange.identities.values import CanonicalWriter, DataObject, Key, Reference, within
from xpm_core.language.identity.digest import NESTED, NOT_COUNTED, VERSION
from xpm_core.language.values.encoding import CONFIGURATION, array_head, extension, map_head, pack

MOST_CHOICES = 3000
"""How many choices are tried for a job. Almost all jobs need the first one."""


class Choices(NamedTuple):
    """What is assumed of classes.

    Attributes:
        instances: The classes of configurations that stand for themselves.
        left_out: Fields of objects that do not count, each with the name of its class.
    """

    instances: frozenset[str] = frozenset()
    left_out: frozenset[tuple[str, str]] = frozenset()

    def fields(self, cls: str) -> frozenset[str]:
        """The fields of a class that do not count."""
        return frozenset(name for each, name in self.left_out if each == cls)


PLAIN = Choices()
"""All fields count, and no configuration stands for itself."""


def digests(graph: Graph, choices: Choices = PLAIN) -> dict[Key, bytes]:
    """The digests of all configurations of a payload.

    Raises:
        MismatchError, RecursionError: A value cannot be hashed.
    """
    return _Digests(graph, choices).found


def choices_for(graph: Graph) -> Iterator[Choices]:
    """The choices that are possible for a payload, the plainest ones first."""
    counts: dict[str, int] = {}
    for node in graph.nodes.values():
        if node.job is None:
            counts[node.cls] = counts.get(node.cls, 0) + 1
    several = [cls for cls, count in counts.items() if count > 1]
    values = (value for node in graph.nodes.values() for value in node.values.values())
    objects = [each for value in values for each in within(value) if type(each) is DataObject]
    fields = sorted({(each.cls, name) for each in objects for name in each.fields})
    possible: list[Any] = [*several, *fields]
    chosen = (each for count in range(len(possible) + 1) for each in combinations(possible, count))
    for each in islice(chosen, MOST_CHOICES):
        classes = frozenset(what for what in each if isinstance(what, str))
        yield Choices(classes, frozenset(what for what in each if not isinstance(what, str)))


class _Digests:
    def __init__(self, graph: Graph, choices: Choices) -> None:
        self.graph, self.choices = graph, choices
        self.found: dict[Key, bytes] = {}
        self.instances: dict[Key, frozenset[Key]] = {}
        self._write = CanonicalWriter(self.reference, choices.fields)
        for key, node in graph.nodes.items():
            self.found[key] = self._digest(key, node)

    def reference(self, key: Key) -> bytes:
        """A configuration as a value of another one."""
        return NOT_COUNTED if self.graph.nodes[key].ignored else NESTED + self.found[key]

    def hash_input(self, node: Node, write: CanonicalWriter) -> bytes:
        """The bytes that are hashed for one configuration."""
        entries: list[bytes] = []
        for name in node.counted:
            written = write(node.values[name])
            if written != NOT_COUNTED:
                entries += (pack(name), written)
        extras = b""
        if node.source is not None or node.init:
            source = pack(None) if node.source is None else NESTED + node.source
            extras = array_head(2) + source + array_head(len(node.init))
            extras += b"".join(write(Reference(each)) for each in node.init)
        head = bytes((VERSION,)) + array_head(3 if extras else 2) + node.header
        return head + map_head(len(entries) // 2) + b"".join(entries) + extras

    def _digest(self, key: Key, node: Node) -> bytes:
        if node.stand_in is not None:
            return self.found[node.stand_in]
        found = sha256(self.hash_input(node, self._write)).digest()
        if self.choices.instances:
            below = [self.instances.get(each, frozenset()) for each in node.below if not self._is_task(each)]
            own = frozenset((key,)) if node.cls in self.choices.instances else frozenset()
            self.instances[key] = own.union(*below)
            if len(self.instances[key]) > 1:
                return sha256(self.hash_input(node, _Labeller(self))).digest()
        return found

    def _is_task(self, key: Key) -> bool:
        return self.graph.nodes[key].job is not None

    def is_plain(self, key: Key) -> bool:
        """Whether a configuration is written by its own digest, also among instances."""
        node = self.graph.nodes[key]
        return node.ignored or self._is_task(key) or not self.instances.get(key)


class _Labeller(CanonicalWriter):
    """Writes values so that an instance and an equal one differ: `Labeller` of language/identity/digest.py."""

    def __init__(self, all_: _Digests) -> None:
        super().__init__(self.labelled, all_.choices.fields)
        self._all = all_
        self._known: dict[Key, bytes] = {}
        self._equal: dict[bytes, int] = {}

    def labelled(self, key: Key) -> bytes:
        """A configuration with its number among equal ones."""
        if self._all.is_plain(key):
            return self._all.reference(key)
        if key not in self._known:
            node, label = self._all.graph.nodes[key], 0
            if node.cls in self._all.choices.instances:
                own = self._all.found[key]
                label = self._equal.get(own, 0)
                self._equal[own] = label + 1
            content = sha256(self._all.hash_input(node, self)).digest() + (pack(label) if label else b"")
            self._known[key] = extension(CONFIGURATION, content)
        return self._known[key]

    def dict_(self, value: Any) -> bytes:
        entries = sorted([(self(key), key) for key in value], key=lambda entry: entry[0])
        return map_head(len(entries)) + b"".join([part for name, key in entries for part in (name, self(value[key]))])

    def sorted_list(self, value: Any) -> bytes:
        references = (each for item in value for each in within(item) if type(each) is Reference)
        if len(value) > 1 and any(self._all.instances.get(each.key) for each in references):
            raise MismatchError("a list", value)
        return super().sorted_list(value)
