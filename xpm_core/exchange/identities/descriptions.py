"""Whether the readable parameters beside a job, its `params.json`, are those of its payload.

People and the index read `params.json`, and nothing of it is hashed. Owns: this comparison, which imports no class. The
form of a description is that of `xpm_core.language.identity.description`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from xpm_core.exchange.identities.values import DataObject, Key, Member, Reference, WrittenPath
from xpm_core.exchange.identities.verifier import Verified
from xpm_core.language.identity.description import LONGEST_INTEGER
from xpm_core.scalars import safe_repr
from xpm_core.wire.form import ABSOLUTE

SEE = "see"
MOST_ITEMS = 1000
"""Items of a set, up to which each is looked for. Those of a larger one are only counted."""


def description_problem(described: Mapping[str, Any], verified: Verified) -> str:
    """What a description, the content of `params.json`, says otherwise than the payload; empty if they agree.

    Three things are not compared, because only the classes know them: the path of a file that the job makes, the names
    of flags, and the order of a set.
    """
    graph, root = verified.graph, verified.graph.root
    if described.get("identity") != verified.digests[root].hex():
        return "its identity is another one"
    if described.get("task") != graph.task:
        return "its task is another one"
    if "see" in described or "job" in described:
        return "it stands for another configuration"
    try:
        return _Comparison(verified).parameters("", described, root)
    except RecursionError:
        return "it is nested too deep"


class _Comparison:
    def __init__(self, verified: Verified) -> None:
        self._nodes, self._digests = verified.graph.nodes, verified.digests
        self._met: dict[str, Key] = {}

    def configuration(self, where: str, described: Any, key: Key) -> str:
        """Compare a configuration that is a value."""
        if not isinstance(described, dict):
            return f"{where} is another value"
        if SEE in described:
            met = self._met.get(str(described[SEE]).partition(".")[2])
            same = len(described) == 1 and met is not None and self._digests[met] == self._digests[key]
            return "" if same else f"{where} stands for another configuration"
        self._met[where] = key
        if described.get("identity") != self._digests[key].hex():
            return f"{where} has another identity"
        if described.get("class") not in set(self._names(key)):
            return f"{where} has another class"
        if ("job" in described) is not (self._nodes[key].job is not None):
            return f"{where} is a job in one of both only"
        return self.parameters(f"{where}.", described, key)

    def _names(self, key: Key) -> Iterator[str]:
        """The names of its class: its own one, and, if it is deprecated, of what stands for it."""
        found: Key | None = key
        while found is not None:
            yield self._nodes[found].cls
            found = self._nodes[found].stand_in

    def parameters(self, where: str, described: Mapping[str, Any], key: Key) -> str:
        """Compare the parameters of a configuration. A description of a very deep one has none."""
        parameters, values = described.get("parameters"), self._nodes[key].values
        if not isinstance(parameters, dict):
            return ""
        if parameters.keys() != values.keys():
            other = sorted(parameters.keys() ^ values.keys())[0]
            return f"{where}{other} is in one of both only"
        return _first(self.value(f"{where}{name}", parameters[name], values[name]) for name in parameters)

    def value(self, where: str, described: Any, value: Any) -> str:
        """Compare a value of a parameter, or one in it."""
        if type(value) is Reference:
            return self.configuration(where, described, value.key)
        if isinstance(value, list):
            return self.items(where, described, value)
        if isinstance(value, dict):
            return self.mapping(where, described, value)
        if isinstance(value, (tuple, set, frozenset)):
            return self.container(where, described, value)
        if type(value) is DataObject:
            return self.object_(where, described, value)
        return "" if _same(described, value) else f"{where} has another value"

    def items(self, where: str, described: Any, value: list[Any] | tuple[Any, ...]) -> str:
        if not isinstance(described, list) or len(described) != len(value):
            return f"{where} is another list"
        pairs = enumerate(zip(described, value, strict=True))
        return _first(self.value(f"{where}[{i}]", *pair) for i, pair in pairs)

    def mapping(self, where: str, described: Any, value: dict[Any, Any]) -> str:
        if all(type(name) is str for name in value):
            if not isinstance(described, dict) or described.keys() != value.keys():
                return f"{where} is another dict"
            return _first(self.value(f"{where}[{safe_repr(name)}]", described[name], value[name]) for name in value)
        pairs = described.get("dict") if _has_only(described, "dict") else None
        if not isinstance(pairs, list) or len(pairs) != len(value):
            return f"{where} is another dict"
        if not all(isinstance(each, list) and len(each) == 2 for each in pairs):
            return f"{where} is another dict"
        problems = (
            self.value(where, name, key) or self.value(f"{where}[{safe_repr(key)}]", each, value[key])
            for (name, each), key in zip(pairs, value, strict=True)
        )
        return _first(problems)

    def container(self, where: str, described: Any, value: Any) -> str:
        name = next(each.__name__ for each in (tuple, frozenset, set) if isinstance(value, each))
        inner = described.get(name) if _has_only(described, name) else None
        if not isinstance(inner, list) or len(inner) != len(value):
            return f"{where} is another {name}"
        if isinstance(value, tuple):
            return self.items(where, inner, value)
        rest = list(value) if len(value) <= MOST_ITEMS else []
        for each in inner if rest else ():
            found = next((i for i, item in enumerate(rest) if not self.value(where, each, item)), None)
            if found is None:
                return f"{where} is another {name}"
            del rest[found]
        return ""

    def object_(self, where: str, described: Any, value: DataObject) -> str:
        said = described.get("object") if _has_only(described, "object") else None
        if not isinstance(said, dict) or said.get("class") != value.cls or not isinstance(said.get("fields"), dict):
            return f"{where} is another object"
        fields = said["fields"]
        if fields.keys() != value.fields.keys():
            return f"{where} has other fields"
        return _first(self.value(f"{where}.{name}", fields[name], value.fields[name]) for name in fields)


def _first(problems: Iterable[str]) -> str:
    return next(filter(None, problems), "")


def _has_only(described: Any, name: str) -> bool:
    """Whether it names the type of a value for which JSON has none: `{"tuple": [...]}`."""
    return isinstance(described, dict) and described.keys() == {name}


def _same(described: Any, value: Any) -> bool:
    """Compare a value that contains no other one."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > LONGEST_INTEGER:
        return bool(described == {"int": hex(value)})
    if isinstance(value, float):
        known = value if math.isfinite(value) else {"float": repr(value)}
        return bool(described == known) and not isinstance(described, bool)
    if value is None or isinstance(value, (bool, str, int)):
        return type(described) is type(value) and bool(described == value)
    if isinstance(value, bytes):
        return bool(described == {"bytes": value.hex()})
    if type(value) is Member:
        return _same_member(described, value)
    if type(value) is WrittenPath:
        return _same_path(described, value)
    if isinstance(value, timedelta):
        return bool(described == {"timedelta": value.total_seconds()})
    if isinstance(value, (datetime, date, time)):
        return isinstance(described, dict) and list(described.values()) == [value.isoformat()]
    return False


def _same_member(described: Any, value: Member) -> bool:
    said = described.get("enum") if _has_only(described, "enum") else None
    if not isinstance(said, str) or not said.startswith(f"{value.cls}."):
        return False
    return not isinstance(value.member, str) or said == f"{value.cls}.{value.member}"  # a flag is written as a number


def _same_path(described: Any, value: WrittenPath) -> bool:
    """Compare a path. That of a file which a job makes is not in the payload."""
    if not isinstance(described, dict) or not isinstance(described.get("path"), str):
        return False
    if not described.keys() <= {"path", "in"}:
        return False
    return value.base != ABSOLUTE or "in" in described or described["path"] == str(value.path)
