"""The definitions of a file: for each name, the digest of its canonical source, and what it refers to.

A function of the content alone: a file is parsed, and never imported. So what is known of a content holds for every
file that has it.

Owns: what is not read, and the form in which definitions are kept.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from xpm_core.fingerprints.source.canonical import digest_of
from xpm_core.fingerprints.source.names import Place, Ref
from xpm_core.fingerprints.source.pieces import Kind, Piece, Pieces

VERSION = 2
"""Of the form, and of the canonical source: what an earlier version has written is made again."""

LARGEST = 1_000_000
"""Bytes. A larger file is not parsed: it is generated, or data."""


class Definition(NamedTuple):
    """A name at the top of a module, a method, or the module's code.

    Attributes:
        digest: Of its canonical source, 32 hexadecimal digits.
        shape: The same, but without the modules that its imports name. It stays equal if a file is renamed.
        kind: What it is.
        line: Where it begins.
        refs: What it refers to outside of itself, in order.
        imports: The modules that it imports.
        places: Where the walk cannot go on.
        bases: For a class, what its bases refer to.
        metaclasses: For a class, what its metaclass refers to.
        called: For a class, what its body calls, and the decorators of its methods.
        is_plain: For a class, whether nothing in its statement runs when a configuration of it is made.
    """

    digest: str
    shape: str
    kind: Kind
    line: int
    refs: tuple[Ref, ...] = ()
    imports: tuple[Ref, ...] = ()
    places: tuple[Place, ...] = ()
    bases: tuple[Ref, ...] = ()
    metaclasses: tuple[Ref, ...] = ()
    called: tuple[Ref, ...] = ()
    is_plain: bool = False


class Definitions:
    """The definitions of a file.

    Args:
        names: The definitions by name: `Model`, `Model.forward`, `LR`, `<module>`. Empty if the file cannot be read.
        aliases: What imports at the top bind: for each name, the modules and what of them, as `(".layers", "Linear")`.
        stars: The modules of which all names are imported.
        problem: Why the file cannot be read; empty if it can.
        line: Where the problem is.
        exports: The names in `__all__`; None if there is none, or if it is not a plain list of texts.
        makes: What is called in assignments that have no effect if these calls only make configurations.
    """

    def __init__(
        self,
        names: dict[str, Definition],
        aliases: dict[str, list[tuple[str, str]]],
        stars: list[str],
        problem: str = "",
        line: int = 1,
        exports: list[str] | None = None,
        makes: Sequence[Ref] = (),
    ) -> None:
        self.makes = makes
        self.names, self.aliases, self.stars, self.exports = names, aliases, stars, exports
        self.problem, self.line = problem, line

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """For each class, the names of its methods and inner classes, also of those in these."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            outer = name.rpartition(".")[0]
            while outer:
                found.setdefault(outer, []).append(name)
                outer = outer.rpartition(".")[0]
        return found

    @cached_property
    def digest(self) -> str:
        """The digest of all that is executed in the file, where names and imports stand in any order."""
        known = sorted((name, each.digest) for name, each in self.names.items())
        imports = sorted(each[:2] for one in self.names.values() for each in one.imports)
        return digest_of(json.dumps([known, sorted(self.aliases.items()), imports, self.stars, self.problem]))

    def written(self) -> bytes:
        """The document in which they are kept."""
        fields = {
            "version": VERSION,
            "names": {name: list(each) for name, each in self.names.items()},
            "aliases": self.aliases,
            "stars": self.stars,
            "problem": self.problem,
            "line": self.line,
            "exports": self.exports,
            "makes": self.makes,
        }
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def read(cls, data: bytes) -> Definitions | None:
        """Read what `written` made; None if it is malformed, or of another version."""
        try:
            fields = json.loads(data)
            if fields["version"] != VERSION:
                return None
            names = {name: _definition(*each) for name, each in fields["names"].items()}
            aliases = {name: [(source, path) for source, path in each] for name, each in fields["aliases"].items()}
            exports = None if fields["exports"] is None else list(map(str, fields["exports"]))
            makes = [Ref(*each) for each in fields["makes"]]
            stars, problem = list(fields["stars"]), str(fields["problem"])
            return cls(names, aliases, stars, problem, int(fields["line"]), exports, makes)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            return None


def definitions(content: bytes, path: str, making: Collection[str] = ()) -> Definitions:
    """The definitions of a file. Nothing of it is imported or run.

    Args:
        content: What is in the file.
        path: Its path, for the case that it is no Python source: what ends in `.so` is compiled.
        making: What is known to make a configuration and to do nothing else, as it stands in the file. It is among
            `makes`. Assignments with such calls are constants, and no part of the module's code.

    Returns:
        The definitions. If the file cannot be read, their `problem` says why.

    Example:
        >>> definitions(b"lr = 0.1", "train.py").names["lr"].kind
        'constant'
    """
    if not path.endswith((".py", ".pyw")):
        return Definitions({}, {}, [], "is compiled")
    if len(content) > LARGEST:
        return Definitions({}, {}, [], f"is over {LARGEST // 1_000_000} MB of code")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in strings, which are the user's
            pieces = Pieces(ast.parse(content), making)
    except SyntaxError as error:
        return Definitions({}, {}, [], "does not parse", error.lineno or 1)
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return Definitions({}, {}, [], "does not parse, or is nested too deeply")
    names = {name: _finished(piece) for name, piece in pieces.found.items()}
    return Definitions(names, pieces.aliases, pieces.stars, exports=pieces.exports, makes=[*pieces.makes.values()])


def _finished(piece: Piece) -> Definition:
    text, shape = "\n".join(piece.texts), "\n".join(piece.shapes)
    digest = digest_of(text)
    return Definition(
        digest,
        digest if shape == text else digest_of(shape),
        piece.kind,
        piece.line,
        tuple(piece.refs),
        tuple(piece.imports),
        tuple(piece.places),
        tuple(piece.bases),
        tuple(piece.metaclasses),
        tuple(piece.called),
        piece.is_plain,
    )


def _definition(*fields: Any) -> Definition:
    digest, shape, kind, line, refs, imports, places, bases, metaclasses, called, is_plain = fields
    known = tuple(Place(what, at, is_code, (*about,)) for what, at, is_code, about in places)
    lists = [tuple(Ref(*each) for each in one) for one in (refs, imports, bases, metaclasses, called)]
    return Definition(
        digest, shape, kind, line, lists[0], lists[1], known, lists[2], lists[3], lists[4], bool(is_plain)
    )
