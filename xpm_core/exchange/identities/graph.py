"""The configurations of a payload and its parts, read without their classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from xpm_core.errors import PayloadError
from xpm_core.exchange.identities.values import (
    CanonicalWriter,
    Key,
    Reference,
    ValueReader,
    WrittenPath,
    refuse,
    within,
)
from xpm_core.language.code.local_digest import LocalDigests
from xpm_core.language.values.encoding import pack
from xpm_core.limits import LARGEST_PAYLOAD
from xpm_core.wire.unpacker import UNREADABLE, opened

AGAIN = "Ask for the file again."


@dataclass(frozen=True)
class Node:
    """One configuration.

    Attributes:
        cls: The name of its class in identities.
        header: That name as it is hashed; for a local class with the digest of the choices of its function.
        values: Its parameters, as a `ValueReader` has read them.
        counted: The names of those that count.
        source: The digest of the task that made it; None if none did.
        init: Its initial tasks.
        stand_in: What stands for it, if its class is deprecated.
        ignored: Whether it does not count where it is used.
        job: The directory of its job, if it is a task of another job.
    """

    cls: str
    header: bytes
    values: dict[str, Any]
    counted: tuple[str, ...]
    source: bytes | None = None
    init: tuple[Key, ...] = ()
    stand_in: Key | None = None
    ignored: bool = False
    job: WrittenPath | None = None

    @property
    def below(self) -> Iterator[Key]:
        """The configurations that it refers to, without its stand-in."""
        for value in self.values.values():
            yield from (each.key for each in within(value) if type(each) is Reference)
        yield from self.init


@dataclass
class Graph:
    """All configurations of a payload.

    Attributes:
        task: The name of the task, as the payload has it.
        nodes: The configurations by key, the inner ones first, and the task itself last.
        parts: The digests of the parts that it needs.
        arguments: The digest of the file with the arguments of the script; empty without one.
    """

    task: str
    nodes: dict[Key, Node] = field(default_factory=dict)
    parts: set[bytes] = field(default_factory=set)
    arguments: bytes = b""

    @property
    def root(self) -> Key:
        """The task itself."""
        return next(reversed(self.nodes))

    def root_class(self) -> str:
        """The name of the class that the task counts as: of a deprecated one, of the class that replaces it."""
        node = self.nodes[self.root]
        while node.stand_in is not None:
            node = self.nodes[node.stand_in]
        return node.cls

    @property
    def sources(self) -> Iterator[str]:
        """The identities of the jobs that made configurations of it."""
        return (node.source.hex() for node in self.nodes.values() if node.source is not None)


def read_graph(data: bytes, part: Callable[[bytes], bytes]) -> Graph:
    """The configurations of a payload. No class is imported.

    Args:
        data: The payload.
        part: Returns the content of a part, by its digest.

    Raises:
        PayloadError: The payload or a part is malformed, or is not there.
    """
    try:
        if len(data) > LARGEST_PAYLOAD:
            raise PayloadError("payload", f"it has {len(data)} bytes, {LARGEST_PAYLOAD} are allowed", AGAIN)
        return _Reader(data, part).read()
    except PayloadError:
        raise
    except UNREADABLE as error:
        raise PayloadError("payload", f"it cannot be read ({type(error).__name__}: {error})", AGAIN) from error


class _Content:
    """The opened content of a payload or part."""

    def __init__(self, data: bytes, part: bytes) -> None:
        self.content = content = opened(data)
        self.part = part
        self.imports: list[Key] = [(other, n) for other, numbers in content.get("imports", ()) for n in numbers]
        self.objects = dict(enumerate(content["objects"], len(self.imports)))
        self.records: Sequence[dict[str, Any]] = content["classes"]
        names = [record["id"] for record in self.records]
        self.reader = ValueReader(names, self.key)
        plain = CanonicalWriter(refuse, lambda cls: frozenset())
        local = ValueReader(names, refuse)  # type: ignore[arg-type]  # it returns nothing
        self._digests = LocalDigests(self.records, lambda data: plain(local.read(data)))
        self._headers: dict[int, bytes] = {}

    def key(self, number: int) -> Key:
        """The key of an object. The first numbers mean objects of other parts."""
        if not 0 <= number < len(self.imports) + len(self.objects):
            raise ValueError(f"it refers to configuration {number}")
        return self.imports[number] if number < len(self.imports) else (self.part, number)

    def header(self, number: int) -> bytes:
        """The name of a class as it is hashed."""
        if number not in self._headers:
            record = self.records[number]
            local = self._digests.digest(number) if "local" in record else b""
            self._headers[number] = pack([record["id"], local] if local else record["id"])
        return self._headers[number]

    def node(self, number: int) -> Node:
        """The configuration of a number."""
        if number not in self.objects:
            raise ValueError(f"it refers to object {number} of a part that has none of that number")
        found = self.objects[number]
        values = {name: self.reader.read(written) for name, written in found["values"].items()}
        if missing := sorted(set(found["counted"]) - values.keys()):
            raise ValueError(f"its parameter {missing[0]!r} counts, and has no value")
        source = found["source"]["digest"] if "source" in found else None
        if source is not None and len(source) != 32:
            raise ValueError("the digest of a task has no 32 bytes")
        job = self.reader.read(found["job"]) if "job" in found else None
        if job is not None and type(job) is not WrittenPath:
            raise ValueError("a job's directory is no path")
        return Node(
            cls=self.records[found["class"]]["id"],
            header=self.header(found["class"]),
            values=values,
            counted=tuple(sorted(set(found["counted"]), key=pack)),
            source=source,
            init=tuple(map(self.key, found.get("init", ()))),
            stand_in=self.key(found["stand_in"]) if "stand_in" in found else None,
            ignored=found.get("meta", False),
            job=job,
        )

    def below(self, number: int) -> list[Key]:
        """The objects that an object of a part refers to."""
        return list(map(self.key, self.objects[number].get("below", ()))) if number in self.objects else []


class _Reader:
    def __init__(self, data: bytes, part: Callable[[bytes], bytes]) -> None:
        self.top, self._part = _Content(data, b""), part
        self.parts: dict[bytes, _Content] = {}

    def read(self) -> Graph:
        argv = self.top.content.get("argv", b"")
        graph = Graph(self.top.content["task"], arguments=argv if isinstance(argv, bytes) else b"")
        for part, number in self._ordered(self.top.imports):
            self._add(graph, self.parts[part], number)
        for number in self.top.objects:
            self._add(graph, self.top, number)
        graph.parts.update(self.parts)
        return graph

    def _add(self, graph: Graph, content: _Content, number: int) -> None:
        node = content.node(number)
        for each in (*node.below, *([node.stand_in] if node.stand_in else ())):
            if each not in graph.nodes:
                raise ValueError(f"it refers to configuration {each[1]}, which is not before it")
        graph.nodes[content.part, number] = node

    def _content(self, part: bytes) -> _Content:
        if part not in self.parts:
            data = self._part(part)
            if sha256(data).digest() != part:
                raise PayloadError("payload", f"its part {part.hex()[:7]} was changed", AGAIN)
            self.parts[part] = _Content(data, part)
        return self.parts[part]

    def _ordered(self, wanted: Sequence[Key]) -> list[Key]:
        """The objects of parts that are wanted, and all that these refer to, the inner ones first. See `Unpacker`."""
        found: list[Key] = []
        seen: set[Key] = set()
        entered: list[Key] = []
        waiting = [iter(wanted)]
        while waiting:
            key = next((each for each in waiting[-1] if each not in seen), None)
            if key is not None:
                seen.add(key)
                entered.append(key)
                waiting.append(iter(self._content(key[0]).below(key[1])))
                continue
            waiting.pop()
            if waiting:
                found.append(entered.pop())
        return found
