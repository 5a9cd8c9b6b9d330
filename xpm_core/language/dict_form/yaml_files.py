"""Read YAML files for configurations: with the line of each value, and by the rules of YAML 1.2.

By these, `no` is a text and `1e-4` is a number (https://yaml.org/spec/1.2.2/). A key that appears twice in a dict is an
error.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import yaml

from xpm_core.errors import YamlError
from xpm_core.language.dict_form.dict_reader import SourceLines
from xpm_core.tracebacks.callsite import format_line

TAG = "tag:yaml.org,2002:"
SCALAR_PATTERNS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
}
"""The forms of YAML 1.2 that are no text unless they are quoted, each with its first characters."""


class YamlLoader(yaml.SafeLoader):
    """Reads YAML, and notes the line of each value."""

    lines: SourceLines

    def map_(self, node: yaml.MappingNode) -> Iterator[dict[Any, Any]]:
        """A dict."""
        found: dict[Any, Any] = {}
        yield found
        self.refuse_twice(node)
        self.flatten_mapping(node)
        self.note(found, None, node)
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            found[key] = self.construct_object(value_node)
            self.note(found, key, key_node)

    def seq_(self, node: yaml.SequenceNode) -> Iterator[list[Any]]:
        """A list."""
        found: list[Any] = []
        yield found
        self.note(found, None, node)
        for index, item in enumerate(node.value):
            found.append(self.construct_object(item))
            self.note(found, index, item)

    def int_(self, node: yaml.ScalarNode) -> int:
        """An integer."""
        text = str(node.value)
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)

    def float_(self, node: yaml.ScalarNode) -> float:
        """A float."""
        text = str(node.value)
        found = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if math.isinf(found) and "inf" not in text.lower():
            where = format_line((self.lines.file, node.start_mark.line + 1))
            raise YamlError(where, f"{text} is too large for a float", f'Quote it if it is a text: "{text}".')
        return found

    def refuse_twice(self, node: yaml.MappingNode) -> None:
        """Refuse a key that appears twice in a dict. YAML would keep the second value."""
        known: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in known and key.tag != f"{TAG}merge":
                wrong = f"{key.value!r} stands twice, first in line {known[key.value].start_mark.line + 1}"
                where = format_line((self.lines.file, key.start_mark.line + 1))
                raise YamlError(where, wrong, "Keep one of them.")
            known[getattr(key, "value", "")] = key

    def note(self, container: Any, key: Any, node: yaml.Node) -> None:
        self.lines.lines[id(container), key] = node.start_mark.line + 1


def prepare() -> None:
    """Give the loader the forms of scalars of YAML 1.2, and constructors that note lines."""
    kept = (f"{TAG}null", f"{TAG}merge")
    YamlLoader.yaml_implicit_resolvers = {
        first: [resolver for resolver in resolvers if resolver[0] in kept]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for tag, (form, firsts) in SCALAR_PATTERNS.items():
        YamlLoader.add_implicit_resolver(TAG + tag, re.compile(f"^(?:{form})$"), list(firsts))
    constructors: dict[str, Any] = {
        "map": YamlLoader.map_,
        "seq": YamlLoader.seq_,
        "int": YamlLoader.int_,
        "float": YamlLoader.float_,
    }
    for tag, constructor in constructors.items():
        YamlLoader.add_constructor(TAG + tag, constructor)


prepare()


def read(file: str | os.PathLike[str] | IO[str]) -> tuple[Any, SourceLines]:
    """The values of a YAML file, and their lines.

    Raises:
        YamlError: It is no YAML, or cannot be read.
    """
    if isinstance(file, (str, os.PathLike)):
        name = os.fspath(file)
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise YamlError(format_line((name, 0)), f"cannot be read ({why})", "Name a YAML file.") from None
    else:
        name, text = str(getattr(file, "name", "YAML")), file.read()
    return parsed(text, name)


def parsed(text: str, name: str) -> tuple[Any, SourceLines]:
    """The values of a YAML text, and their lines.

    Args:
        text: The text.
        name: What messages call it: the path of its file.

    Raises:
        YamlError: It is no YAML.
    """
    lines = SourceLines((name, 1))
    loader = YamlLoader(text)
    loader.lines = lines
    try:
        return loader.get_single_data(), lines
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        if isinstance(error, YamlError):
            raise
        mark = getattr(error, "problem_mark", None)
        where = format_line((name, mark.line + 1 if mark is not None else 0))
        raise YamlError(where, f"it is no YAML ({getattr(error, 'problem', None) or error})", "Correct it.") from None
